"""Plain supervised training of a judge: the arm that every other way of training one is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_data import agreed_in_both_orders, demonstrations, kept, verdicts
from whetstone.loops._judging import measure
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.trainable import Trainable


@method("loop", checked="tests/loops/judges/test_judge_sft.py::test_learns_from_true_labels_and_not_from_shuffled_ones")
def judge_sft(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Protocol = "critique",
    source: Source = "planted",
    imitate: Literal["judgments", "critiques", "verdicts"] = "judgments",
    rounds: int = 1,
    questions: int = 200,
    k: int = 8,
    temperature: float = 0.7,
    rehearse: float = 0.25,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    seed: int = 0,
) -> Iterator[Round]:
    """Imitate the model's own judgments that reach the true verdict, or the bare true verdicts.

    Args:
        protocol, source, k, temperature, rehearse, monitor: see `loops/_judge_course.py`, `Course`.
        imitate: "judgments" keeps one right judgment of each item (rejection sampling); "critiques" makes judgments of
            the model's own critiques (see `loops/_judge_traces.py`), which teaches it to explain its verdicts;
            "verdicts" takes the bare label.
        rounds, questions: rounds, and training questions a round.
        lr: learning rate; None for the model's own.

    Yields:
        A `Round` after each round: the judge's findings on held-out items (see `loops/_judging.py`, `measure`) with
        `before/` those of the untrained one, `gain` over it, and `solver`, the greedy accuracy on the task itself.
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
        metrics = course.begin(turn) if index == 1 else {}
        items = course.items(turn, "train", "train", questions, seed * 1000 + index)
        if index == 1:
            course.rehearse_with(turn, items)
        if imitate == "verdicts":
            seen, data = len(items), verdicts(items)
        else:
            judged = (
                course.traces(turn, "judge", items) if imitate == "critiques" else course.judged(turn, "judge", items)
            )
            judged = agreed_in_both_orders(judged)
            metrics |= {f"train/{name}": found for name, found in measure(judged).items()}
            seen, data = sum(len(row.judgments) for row in judged), demonstrations(kept(judged))
        if not data:
            alarms = nothing("no judgment reaches the true verdict: nothing to imitate")
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
            return
        metrics |= course.train(data, rng)
        yield course.end(turn, seen=seen, kept=len(data), metrics=metrics)
