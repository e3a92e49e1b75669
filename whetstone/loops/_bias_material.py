"""Pairs of ledger answers that differ in what a judge should not look at: place, length, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from whetstone.audits.evaluating import Pair
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.types import Candidate, Example, Generation, Prompt, Sampling, Task
from whetstone.loops._round import Turn
from whetstone.signals import forms
from whetstone.worlds import ledger

Favour = Literal["first", "longer", "own"]
MARKS = {"own": "!", "other": "#"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, right or wrong, with its writer's closing mark or without."""

    text: str
    right: bool
    source: str

    def candidate(self, name: str) -> Candidate:
        return Candidate(name, Generation(self.text), self.source)


def _is_ledger(example: Example) -> bool:
    return ledger.QUESTION.fullmatch(str(example.meta.get("question"))) is not None


def question_of(example: Example) -> str:
    """The ledger question of an example. Raises ConfigError for a question of another world."""
    if not _is_ledger(example):
        raise ConfigError("answers with planted properties are written for ledger questions: give a ledger task")
    return str(example.meta["question"])


def equal_pairs(examples: Sequence[Example], rng: Random) -> list[Pair]:
    """For each question two right answers that differ in length, in writer, or in both, with equal chance."""
    kinds = [(steps, source) for steps in (True, False) for source in MARKS]
    return [_pair(e, [_write(rng, e, *kind, True) for kind in rng.sample(kinds, 2)], rng) for e in examples]


def graded_pairs(examples: Sequence[Example], rng: Random) -> list[Pair]:
    """For each question a right and a wrong answer, of which the right one, the wrong one or neither is longer.

    The answers carry no mark of their writer, so that they can be criticised.
    """
    found = []
    for example in examples:
        steps = rng.choice([(True, True), (False, True), (True, False)])
        answers = [_write(rng, example, has, "", right) for has, right in zip(steps, (True, False), strict=True)]
        found.append(_pair(example, answers, rng))
    return found


def pairs_of(turn: Turn, phase: str, task: Task, examples: Sequence[Example], rng: Random, k: int) -> list[Pair]:
    """A right and a wrong answer to each question: written for the ledger, else among `k` samples of the model.

    Questions whose samples are all right or all wrong are left out.
    """
    if examples and _is_ledger(examples[0]):
        return graded_pairs(examples, rng)

    def attempt(example: Example) -> Flow[Pair | None]:
        replies = yield from sample(example.prompt, n=k, sampling=task.sampling)
        marked = {task.verify(example, reply.text).value: reply for reply in replies if reply.finish == "stop"}
        if not {0.0, 1.0} <= set(marked):
            return None
        right, wrong = Candidate("a", marked[1.0]), Candidate("b", marked[0.0])
        first = rng.random() < 0.5
        return Pair(example, *((right, wrong) if first else (wrong, right)), (first, not first))

    found = turn(phase, {example.id: attempt(example) for example in examples}).results
    return [pair for pair in found.values() if pair is not None]


def favoured(pair: Pair, favours: Favour) -> int:
    """1 if the bias favours the answer shown first, -1 if the other one, 0 if it sees no difference."""
    if favours == "first":
        return 1
    a, b = pair.first, pair.second
    if favours == "longer":
        return (len(a.text) > len(b.text)) - (len(a.text) < len(b.text))
    return (a.source == "own") - (b.source == "own")


def share_of_first(pair: Pair, favours: Favour, strength: float) -> float:
    """How often a judge says "A" that follows its bias with probability `strength`, and the truth otherwise."""
    lead = favoured(pair, favours)
    truth = 0.5 + ((pair.correct[0] is True) - (pair.correct[1] is True)) / 2
    return truth if not lead else strength * (lead > 0) + (1 - strength) * truth


def both_orders(asked: Sequence[Pair]) -> list[Pair]:
    """Each pair as it is, and with its places exchanged."""
    swapped = [replace(p, first=p.second, second=p.first, correct=(p.correct[1], p.correct[0])) for p in asked]
    return [*asked, *swapped]


def comparisons(turn: Turn, task: Task, asked: Sequence[Pair], critiques: bool) -> list[tuple[Pair, Prompt]]:
    """Each pair with the question which answer is better, on demand with the model's own critiques of both.

    A pair that the model could not criticise is left out.
    """
    if not critiques:
        return [(pair, forms.compare(pair.example.question, pair.first.text, pair.second.text)) for pair in asked]
    sampling = Sampling(0.0, max_tokens=3 * task.sampling.max_tokens)

    def reviewed(pair: Pair) -> Flow[tuple[Pair, Prompt]]:
        prompts = [forms.critique(pair.example.question, c.text) for c in (pair.first, pair.second)]
        notes = yield from gather(sample(prompt, sampling=sampling, role="critic") for prompt in prompts)
        (one,), (two,) = notes
        texts = pair.first.text, one.text, pair.second.text, two.text
        return pair, forms.compare_critiqued(pair.example.question, *texts)

    return list(turn("critiques", {f"{i}": reviewed(p) for i, p in enumerate(asked)}).results.values())


def right_answer(rng: Random, example: Example) -> str:
    """A right answer to a ledger question, with its steps or the result alone."""
    return ledger.solve(rng, question_of(example), style=rng.choice(("shuffled", "hasty")))


def wrong_answer(rng: Random, example: Example) -> str:
    """A wrong answer to a ledger question, with steps or the result alone."""
    return _wrong(rng, question_of(example), rng.choice(("shuffled", "hasty")))


def _write(rng: Random, example: Example, steps: bool, source: str, right: bool) -> Answer:
    question = question_of(example)
    style: ledger.Style = "shuffled" if steps else "hasty"
    text = ledger.solve(rng, question, style=style) if right else _wrong(rng, question, style)
    return Answer(text + MARKS.get(source, ""), right, source)


def _wrong(rng: Random, question: str, style: ledger.Style) -> str:
    """A solution with a planted error that does not end right by luck."""
    while ledger.read_answer(text := ledger.plant_error(rng, question, style)) == ledger.answer_of(question):
        pass
    return text


def _pair(example: Example, answers: Sequence[Answer], rng: Random) -> Pair:
    a, b = rng.sample(list(answers), 2)
    return Pair(example, a.candidate("a"), b.candidate("b"), (a.right, b.right))
