"""Self-taught evaluators: a judge trained on its own judgments of pairs that are known by how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, nothing
from whetstone.loops._judge_data import demonstrations, kept, preferences
from whetstone.loops._judge_similar import Similar, similar_pairs
from whetstone.loops._judging import Item, measure
from whetstone.loops._judging_items import Source
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn
from whetstone.loops.objectives import preference
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion


@method(
    "loop",
    papers=("Self-Taught Evaluators",),
    checked="tests/loops/judges/test_self_taught_evaluator.py::test_pairs_known_by_construction_make_a_better_judge",
)
def self_taught_evaluator(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 2,
    warm_up: int = 1000,
    questions: int = 300,
    similar: Similar = "world",
    source: Source = "planted",
    explained: bool = False,
    k: int = 15,
    votes: int = 8,
    temperature: float = 0.7,
    top_p: float = 0.9,
    restart: bool = False,
    dpo: bool = False,
    rehearse: float = 0.3,
    lr: float | None = None,
    warm_up_lr: float | None = None,
    dpo_lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 100,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Answer a question and a similar one, judge the pair `k` times in each order, imitate what prefers the former.

    No label is used: an answer to another question is presumed to be worse.

    Args:
        warm_up, questions: questions of the first round, and of each later one. The model answers them all before it
            is trained, so that pairs do not get worse as it becomes a judge.
        similar: who changes the question, see `loops/_judge_similar.py`.
        source: where the held-out answers come from, see `loops/_judging_items.py`; training looks at none of them.
        explained: whether the untrained judge explains its verdicts already. If not, the judgments of the first round
            are put together from its critiques of the two answers.
        k, temperature, top_p: judgments a pair and order; one right one is kept, and each verdict weighs the same.
        votes: judgments whose majority is measured beside the greedy one.
        restart: train from the first weights in every round, on judgments by the latest.
        dpo: prefer right judgments to wrong ones in the last round instead of imitating the right ones.
        lr, warm_up_lr, dpo_lr: learning rates of SFT, of SFT on judgments put together from critiques, and of DPO; None
            for the model's own, the first of these, and a quarter of the model's own.
        rehearse, monitor: see `loops/_judge_course.py`, `Course`.
        audited: also report `train/label`, the share of pairs whose label is right by the task's own check.

    Yields:
        A `Round` after each round, with the findings of `judge_sft` and `majority/...`, the vote of `votes` samples.
    """
    course = Course(
        model,
        task,
        protocol="pairwise",
        source=source,
        k=k,
        temperature=temperature,
        top_p=top_p,
        monitor=monitor,
        rehearse=rehearse,
        lr=lr,
        epochs=epochs,
        tokens_per_batch=tokens_per_batch,
        seed=seed,
    )
    start, pool = model.state(), Questions(task, seed=seed)
    asked = [0, *(warm_up + questions * i for i in range(rounds))]
    if not asked[-1]:
        raise ConfigError("warm_up and questions are 0: there is nothing to train on")
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics = course.begin(turn) if index == 1 else {}
        if index == 1:
            pairs = similar_pairs(course, turn, pool.take(pool.levels, asked[-1]), similar, rng)
            rng.shuffle(pairs)
            course.rehearse_with(turn, [item for pair in pairs[:warm_up] for item in pair])
        # Not every question makes a pair: each round has its share of the pairs that were made.
        begin, end = (round(len(pairs) * n / asked[-1]) for n in asked[index - 1 : index + 1])
        items = [item for pair in pairs[begin:end] for item in pair]
        metrics |= label_precision(course, items) if audited else {}
        own = explained or index > 1
        judged = course.judged(turn, "judge", items) if own else course.traces(turn, "judge", items)
        metrics |= {f"train/{name}": found for name, found in measure(judged).items()}
        last = dpo and index == rounds
        data = preferences(judged, rng) if last else demonstrations(kept(judged))
        seen = sum(len(row.judgments) for row in judged)
        if not data:
            alarms = nothing("no judgment prefers the answer to the question that was asked")
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
            return
        if restart and not last:
            model.load_state(start)
        rate = lr if own or warm_up_lr is None else warm_up_lr
        if last:
            rate = model.learning_rate / 4 if dpo_lr is None else dpo_lr
        metrics |= course.train(data, rng, preference(nll=1.0), lr=rate)
        metrics |= majority(course, turn, votes)
        yield course.end(turn, seen=seen, kept=len(data), metrics=metrics)


def majority(course: Course, turn: Turn, votes: int) -> dict[str, Finding]:
    """The held-out findings of the majority of `votes` samples."""
    found = measure(course.judged(turn, "majority", course.watched, k=votes)) if votes else {}
    return {f"majority/{name}": value for name, value in found.items()}


def label_precision(course: Course, items: Sequence[Item]) -> dict[str, Finding]:
    """Of the pairs: in how many the presumed better answer is right and the other one is not, by the task's check."""
    values = []
    for item in (item for item in items if item.truth == "A"):
        better, worse = (course.task.verify(item.example, text).value for text in item.answers)
        if better is not None and worse is not None:
            values.append(float(better > worse))
    return {"train/label": finding("label", proportion(values))} if values else {}
