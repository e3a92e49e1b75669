"""What a judge is worth as a teacher: a policy trained by DPO on pairs of its own answers that the judge decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from torch import Tensor

from whetstone.core.flow import Flow, sample
from whetstone.core.types import Example, Finding
from whetstone.loops._judge_course import Course
from whetstone.loops._judging import Item, judge
from whetstone.loops._judging_items import Response, both_orders
from whetstone.loops._round import Turn
from whetstone.loops._train import train, with_reference
from whetstone.loops.objectives import Preference, preference
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion
from whetstone.stats.paired import paired_permutation

Answers = list[tuple[Example, tuple[str, ...]]]


@dataclass(frozen=True)
class Downstream:
    """A policy to be taught: its weights, how many questions it samples, how often and how hot, and its DPO.

    It trains at a quarter of the model's own rate, in batches and epochs like the judge's.
    """

    policy: dict[str, Tensor]
    questions: int
    k: int = 4
    temperature: float = 1.0
    beta: float = 0.1

    def answers(self, turn: Turn, phase: str, course: Course, examples: Sequence[Example]) -> Answers:
        """The policy's samples, whole ones only."""
        sampling = replace(course.task.sampling, temperature=self.temperature)

        def ask(example: Example) -> Flow[tuple[str, ...]]:
            replies = yield from sample(example.prompt, n=self.k, sampling=sampling)
            return tuple(reply.text for reply in replies if reply.finish == "stop")

        found = turn(phase, {example.id: ask(example) for example in examples}).results
        return [(example, found[example.id]) for example in examples if example.id in found]

    def taught(self, turn: Turn, course: Course, judges: Mapping[str, dict[str, Tensor]]) -> dict[str, Finding]:
        """What each judge's teaching does to the share of right samples of held-out questions.

        `policy/before`; for each judge (name -> weights) `policy/NAME` and `policy/NAME/gain` over before, paired by
        question, and `policy/NAME/precision`, the share of its pairs in which the preferred answer is right and the
        other is not, among those in which one is right. The model is left with the weights that it came with.
        """
        model, task, end = course.model, course.task, course.model.state()
        sizes = {"train": self.questions, "dev": course.monitor}
        split = {name: list(task.examples(name, n=n, seed=course.seed + 7)) for name, n in sizes.items()}
        model.load_state(self.policy)
        pool = self.answers(turn, "policy/pool", course, split["train"])
        first = self.marks(course, self.answers(turn, "policy/before", course, split["dev"]))
        out = {"policy/before": finding("policy", proportion(list(first.values())))}
        try:
            for name, weights in judges.items():
                model.load_state(weights)
                pairs = decided(turn, f"policy/{name}", course, pool)
                out[f"policy/{name}/precision"] = precision(course, pairs, {e.prompt: e for e, _ in pool})
                model.load_state(self.policy)
                if pairs:
                    settings = {
                        "epochs": course.epochs,
                        "tokens_per_batch": course.tokens_per_batch,
                        "seed": course.seed,
                    }
                    loss, rate = preference(beta=self.beta, nll=0.5), model.learning_rate / 4
                    train(model, with_reference(model, pairs), loss, lr=rate, **settings)
                now = self.marks(course, self.answers(turn, f"policy/{name}/after", course, split["dev"]))
                both = [key for key in first if key in now]
                test = paired_permutation([now[key] for key in both], [first[key] for key in both])
                out[f"policy/{name}"] = finding("policy", proportion([now[key] for key in both]), pairs=len(pairs))
                out[f"policy/{name}/gain"] = finding("policy gain", test)
        finally:
            model.load_state(end)
        return out

    def marks(self, course: Course, answers: Answers) -> dict[str, float]:
        """Share of right samples of each question."""
        out = {}
        for example, texts in answers:
            values = [course.task.verify(example, text).value for text in texts]
            out[example.id] = sum(value == 1 for value in values) / self.k
        return out


def decided(turn: Turn, phase: str, course: Course, pool: Answers) -> list[Preference]:
    """Pairs of a question's different samples, neighbours in order, of which the judge names one in both orders."""
    items: list[Item] = []
    for example, texts in pool:
        different = [Response(example, text, False, 0.0) for text in dict.fromkeys(texts)]
        for i, (one, two) in enumerate(pairwise(different)):
            items += both_orders(f"{example.id}/{i}", one, two)
    votes: dict[str, list[tuple[Item, str]]] = {}
    for row in judge(turn, phase, items, max_tokens=course.limit):
        if row.verdict is not None:
            chosen = row.item.answers["AB".index(row.verdict)]
            votes.setdefault(row.item.pair, []).append((row.item, chosen))
    pairs = []
    for rows in votes.values():
        item, chosen = rows[0]
        if len(rows) == 2 and rows[1][1] == chosen:
            rejected = next(text for text in item.answers if text != chosen)
            pairs.append(Preference(item.example.prompt, chosen, rejected))
    Random(course.seed).shuffle(pairs)
    return pairs


def precision(course: Course, pairs: Sequence[Preference], examples: Mapping[object, Example]) -> Finding:
    """Of the pairs in which one answer is right and one is wrong: how often the right one is preferred."""
    values = []
    for pair in pairs:
        example = examples[pair.prompt]
        chosen, rejected = (course.task.verify(example, text).value for text in (pair.chosen, pair.rejected))
        if chosen != rejected:
            values.append(float(chosen == 1))
    return finding("precision", proportion(values))
