"""Self-rationalization: a judge that prefers those of its own judgments that come closest to the label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from statistics import fmean

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_data import Labels, demonstrations, kept, preferences
from whetstone.loops._judging import Judged, Judgment, measure
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.objectives import preference
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Self-rationalization improves LLM as a fine-grained judge",),
    checked="tests/loops/judges/test_self_rationalization.py::test_true_labels_make_a_better_judge_and_shuffled_ones_do_not",
)
def self_rationalization(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Protocol = "graded",
    source: Source = "planted",
    labels: Labels = "truth",
    rounds: int = 2,
    warm_up: int = 300,
    questions: int = 150,
    k: int = 8,
    temperature: float = 1.0,
    beta: float = 0.1,
    nll: float = 1.0,
    rehearse: float = 0.25,
    lr: float | None = None,
    dpo_lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 100,
    seed: int = 0,
) -> Iterator[Round]:
    """Sample several rationales with a grade, pair those near the label with those far from it, train by DPO, iterate.

    Args:
        protocol, source, k, temperature, rehearse, monitor: see `loops/_judge_course.py`, `Course`.
        labels: what a judgment should be close to: "truth", or the "majority" of the item's own judgments, which needs
            no labels.
        warm_up: questions of the supervised warm-up on rationales before the first round; 0 for none.
        rounds, questions: rounds of DPO, and training questions in each.
        beta, nll: pull to the round's first weights, and weight of a likelihood term on the chosen judgment.
        lr, dpo_lr: learning rates of the warm-up and of DPO; None for the model's own, and a quarter of it.

    Yields:
        A `Round` after each round. Beside the findings of `judge_sft`: `sft/...` of the warmed-up judge; of two ways
        to use its `k` samples without more training, `self_consistency/...` (their majority) and `best_of_n/...` (the
        likeliest); `gain/sft`, `gain/self_consistency` and `gain/best_of_n` over them on the same items.
    """
    course = Course(
        model,
        task,
        protocol=protocol,
        source=source,
        k=k,
        temperature=temperature,
        monitor=monitor,
        rehearse=rehearse,
        lr=lr,
        epochs=epochs,
        tokens_per_batch=tokens_per_batch,
        seed=seed,
    )
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics: dict[str, Finding] = {}
        if index == 1:
            metrics = course.begin(turn)
            start = course.items(turn, "warm up", "train", warm_up or questions, seed * 1000)
            course.rehearse_with(turn, start)
            if warm_up:
                course.train(demonstrations(kept(course.traces(turn, "warm up", start))), rng)
            metrics |= references(course, turn)
        items = course.items(turn, "train", "train", questions, seed * 1000 + index)
        judged = course.judged(turn, "judge", items)
        metrics |= {f"train/{name}": found for name, found in measure(judged).items()}
        seen, pairs = sum(len(row.judgments) for row in judged), preferences(judged, rng, labels=labels)
        if not pairs:
            alarms = nothing("all judgments of every item are equally good: nothing to prefer")
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
            return
        rate = model.learning_rate / 4 if dpo_lr is None else dpo_lr
        metrics |= course.train(pairs, rng, preference(beta=beta, nll=nll), lr=rate)
        yield course.end(turn, seen=seen, kept=len(pairs), metrics=metrics)


def references(course: Course, turn: Turn) -> dict[str, Finding]:
    """The warmed-up judge by itself, by the majority of its samples, and by its likeliest sample."""
    found = course.look(turn, "sft", rival="sft")
    out = {f"sft/{name}": value for name, value in found.items()}
    samples = course.judged(turn, "samples", course.watched)
    for name, judged in (("self_consistency", samples), ("best_of_n", likeliest(samples))):
        out |= {f"{name}/{metric}": value for metric, value in measure(judged).items()}
        course.rivals[name] = judged
    return out


def likeliest(judged: Sequence[Judged]) -> list[Judged]:
    """The same items, each with its readable judgment of the highest mean log-probability per token."""

    def mean(judgment: Judgment) -> float:
        tokens = judgment.generation.tokens
        return fmean(token.logprob for token in tokens) if tokens else -math.inf

    readable = [[j for j in row.judgments if j.verdict is not None] for row in judged]
    return [
        replace(row, judgments=(max(found, key=mean),) if found else ())
        for row, found in zip(judged, readable, strict=True)
    ]
