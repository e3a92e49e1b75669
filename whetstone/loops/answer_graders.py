"""Three graders of students' answers: fine-tuned, copied from the most similar answer, and asked without training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

import numpy as np

from whetstone.audits.answer_grading import grade_of
from whetstone.audits.blind_feedback import blind_sheet
from whetstone.audits.graded_answers import Answer, errors
from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._graders import Graded, answers_of, asked, most_similar, rated, reply, vector
from whetstone.loops._round import Turn, imitated
from whetstone.loops.objectives import Demonstration
from whetstone.loops.trainable import Trainable

T = TypeVar("T")
NOTHING: Graded = (None, "")


@method(
    "loop",
    papers=("Automated Feedback in Math Education: A Comparative Analysis of LLMs for Open-Ended Responses",),
    checked="tests/loops/test_answer_graders.py::test_three_graders_of_generated_answers_are_told_apart",
)
def answer_graders(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    high: int = 4,
    rounds: int = 1,
    answers: int = 2000,
    monitor: int = 60,
    layer: int = -1,
    rater: str = "",
    max_tokens: int = 128,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Fine-tune a grader on teachers' grades and feedback; compare it with retrieval and with the untrained model.

    Args:
        high: the best grade; the lowest is 0.
        rounds, answers: rounds, and graded answers a round.
        monitor: held-out questions, whose answers are graded.
        layer: hidden state that answers are compared by.
        rater: role of a model that rates all feedback blind; "" leaves the rating to people.
        max_tokens: length limit of a reply.
        lr, tokens_per_batch: learning rate (None for the model's own) and batch size.

    An example has `candidates` (students' answers), `grades`, and if known the teachers' `feedback`.

    Yields:
        A round with `kappa/GRADER` and `rmse/GRADER` for the graders `fine_tuned`, `similar` (grade and feedback of the
        closest answer to train on, by Canberra distance of the untrained model's embeddings) and `zero_shot`;
        `feedback/A - B`, the difference of the ratings, where there is a rater; `said/GRADER` with the feedback texts,
        and `sheet`, with rows in random order for people to rate who are not told whose feedback it is
        (`audits/blind_feedback.py` reads them back).
    """
    rng = Random(seed)
    taught = answers_of(task.examples("train", seed=seed))
    held = answers_of(task.examples("dev", n=monitor, seed=seed))
    if not taught or not held:
        raise TaskError(f"{task.name}: {len(taught)} graded answers to train on and {len(held)} held out")
    said: dict[str, list[Graded]] = {}
    for index in range(1, rounds + 1):
        turn = Turn(index, runner)
        if index == 1:
            said["zero_shot"] = _each(turn, "zero shot", [asked(a, high=high, max_tokens=max_tokens) for a in held])
            said["similar"] = _similar(turn, taught, held, layer)
        drawn = [rng.choice(taught) for _ in range(answers)]
        items = [Demonstration(grade_of(answer, high), reply(answer)) for answer in drawn]
        metrics = imitated(model, items, turn, rng, rounds=rounds, lr=lr, tokens_per_batch=tokens_per_batch)
        said["fine_tuned"] = _each(turn, "fine tuned", [asked(a, high=high, max_tokens=max_tokens) for a in held])
        metrics |= compared(turn, held, said, high=high, rater=rater, max_tokens=max_tokens, seed=seed)
        yield turn.end(model, seen=answers, kept=answers, metrics=metrics)


def compared(
    turn: Turn,
    held: Sequence[Answer],
    said: Mapping[str, Sequence[Graded]],
    *,
    high: int,
    rater: str,
    max_tokens: int,
    seed: int,
) -> dict[str, Finding]:
    """The graders against the teachers, their feedback against each other's, and the sheet for blind ratings."""
    texts = {name: [text for _, text in rows] for name, rows in said.items()}
    ratings: dict[str, list[float | None]] = {}
    if rater:
        for name, own in texts.items():
            flows = [rated(a, t, role=rater, max_tokens=max_tokens) for a, t in zip(held, own, strict=True)]
            ratings[name] = _each(turn, f"rate {name}", flows, None)
    grades = {name: [grade for grade, _ in rows] for name, rows in said.items()}
    found = {f.name: f for f in errors(held, grades, ratings, high=high)}
    for name, own in texts.items():
        there = sum(bool(text.strip()) for text in own)
        found[f"said/{name}"] = Finding(f"said/{name}", there / len(own), None, len(own), detail={"feedback": own})
    rows = blind_sheet(held, texts, seed=seed)
    found["sheet"] = Finding("sheet", float(len(rows)), None, len(rows), detail={"rows": rows})
    return found


def _similar(turn: Turn, taught: Sequence[Answer], held: Sequence[Answer], layer: int) -> list[Graded]:
    """Grade and feedback of the closest answer; nothing from a model without embeddings."""
    flows = [vector(answer, layer=layer) for answer in [*taught, *held]]
    vectors = _each(turn, "embed", flows, None)
    if any(one is None for one in vectors):
        return [NOTHING] * len(held)
    table = np.array(vectors, dtype=float)
    near = most_similar(table[len(taught) :], table[: len(taught)])
    return [(float(taught[i].grade), taught[i].feedback) for i in near]


def _each(turn: Turn, phase: str, flows: Sequence[Flow[T]], missing: Any = NOTHING) -> list[T]:
    """The results in order; `missing` for a flow that failed."""
    found = turn(phase, {f"{i}": flow for i, flow in enumerate(flows)}).results
    return [found.get(f"{i}", missing) for i in range(len(flows))]
