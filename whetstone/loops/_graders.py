"""Students' answers with teachers' grades and feedback, and two graders that need no training."""

from __future__ import annotations

from collections.abc import Iterable

from scipy.spatial.distance import cdist

from whetstone.audits.answer_grading import grade_of, rating_of
from whetstone.audits.graded_answers import Answer, Floats
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, embed, sample
from whetstone.core.types import Embedding, Example, Sampling, user
from whetstone.loops._rows import graded_answers
from whetstone.signals.parsing import read_feedback

Graded = tuple[float | None, str]


def answers_of(examples: Iterable[Example]) -> list[Answer]:
    """The `candidates` of every example with their `grades` (whole numbers from 0) and, if known, `feedback`.

    Raises TaskError that names the example.
    """
    return [
        Answer(example, text, round(grade), feedback)
        for example in examples
        for text, grade, feedback in graded_answers(example)
    ]


def reply(answer: Answer) -> str:
    """What a teacher says: feedback, then the grade."""
    return f"{answer.feedback}\nScore: {answer.grade}".lstrip()


def asked(answer: Answer, *, high: int, max_tokens: int) -> Flow[Graded]:
    """Grade and feedback by the model as it is."""
    (said,) = yield from sample(grade_of(answer, high), sampling=Sampling(0.0, max_tokens=max_tokens))
    return read_feedback(said.text, 0, high)


def rated(answer: Answer, feedback: str, *, role: str, max_tokens: int) -> Flow[float | None]:
    """How helpful somebody who is not told whose it is finds a feedback, 1 to 5; None for an empty one."""
    if not feedback.strip():
        return None
    sampling = Sampling(0.0, max_tokens=max_tokens)
    (said,) = yield from sample(rating_of(answer, feedback), sampling=sampling, role=role)
    return read_feedback(said.text, 1, 5)[0]


def vector(answer: Answer, *, layer: int) -> Flow[tuple[float, ...] | None]:
    """The embedding of an answer; None from a model that has none."""
    try:
        found: Embedding = yield from embed(user(answer.text), layer=layer)
    except Abstain:
        return None
    return found.vector


def most_similar(rows: Floats, known: Floats) -> list[int]:
    """For each row [n, d] the closest known row [m, d] by Canberra distance."""
    return [int(cdist(row[None], known, "canberra").argmin()) for row in rows]
