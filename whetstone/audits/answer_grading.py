"""Which way of grading open answers comes closest to people: asking, copying the most similar answer, or tuning?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whetstone.audits.evaluating import cluster
from whetstone.audits.graded_answers import Answer, answers_of, errors, nearest, tuned
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, embed, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Case, Embedding, Finding, Prompt, Sampling, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import read_feedback

GRADE = """Question: {question}

A student's answer: {answer}

Grade the answer from 0 (worthless) to {high} (fully right). First write one or two sentences of feedback to the \
student. Then end with one line, "Score: " and a whole number from 0 to {high}."""

RATE = """Question: {question}

A student's answer: {answer}

Feedback to the student: {feedback}

How helpful and right is this feedback? Reply with one line, "Score: " and a whole number from 1 (useless) to 5 \
(excellent)."""


@method(
    "audit",
    papers=("Automated Feedback in Math Education: A Comparative Analysis of LLMs for Open-Ended Responses",),
    checked="tests/audits/test_answer_grading.py::test_finds_the_planted_errors_of_three_graders",
)
def answer_grading(
    task: Task,
    cases: Sequence[Case],
    *,
    high: int = 4,
    layer: int = -1,
    role: str = "judge",
    rater: str = "judge",
    max_tokens: int = 256,
) -> Flow[list[Finding]]:
    """Agreement with people's grades: a zero-shot judge, the most similar graded answer, a tuned regression.

    Args:
        high: the best grade; the lowest is 0.
        layer: hidden state that answers are compared by.
        role: who grades and embeds.
        rater: who rates the feedback, without being told whose it is.
        max_tokens: length limit of a reply.

    People's grades are the example's `meta["grades"]`, one a candidate, and their feedback `meta["feedback"]`; without
    them right answers have the best grade and wrong ones the lowest. "similar" takes grade and feedback of the nearest
    other answer by Canberra distance of the embeddings; "tuned" is a ridge regression on them, fitted to other
    questions.
    """
    answers = answers_of(cases, high)
    if len({answer.grade for answer in answers}) < 2:
        raise Abstain("the answers need grades that differ")
    sampling = Sampling(0.0, max_tokens=max_tokens)

    def rate(answer: Answer, feedback: str) -> Flow[float | None]:
        if not feedback.strip():
            return None
        value, _ = yield from scored(rating_of(answer, feedback), 1, 5, sampling, rater)
        return value

    asked = yield from gather(scored(grade_of(answer, high), 0, high, sampling, role) for answer in answers)
    vectors = yield from gather(vector(answer, layer, role) for answer in answers)
    alike, regressed = by_vectors(answers, vectors)
    graded: dict[str, list[float | None]] = {
        "zero_shot": [value for value, _ in asked],
        "similar": [None if one is None else one.grade for one in alike],
        "tuned": regressed,
    }
    if all(value is None for arm in graded.values() for value in arm):
        raise Abstain("no grade was readable, and the answers have no embeddings that differ")
    said = {
        "zero_shot": [text for _, text in asked],
        "similar": ["" if one is None else one.feedback for one in alike],
    }
    n = len(answers)
    rated = yield from gather(rate(a, text) for texts in said.values() for a, text in zip(answers, texts, strict=True))
    return errors(answers, graded, {"zero_shot": rated[:n], "similar": rated[n:]}, high=high)


def grade_of(answer: Answer, high: int) -> Prompt:
    """Asks for feedback and a grade from 0 to `high`."""
    fields = {"question": answer.example.question, "answer": answer.text, "high": str(high)}
    return forms.about(answer.example, user(form("grade_answer", GRADE, **fields)))


def rating_of(answer: Answer, feedback: str) -> Prompt:
    """Asks somebody who is not told whose it is how helpful a feedback is, from 1 to 5."""
    fields = {"question": answer.example.question, "answer": answer.text, "feedback": feedback.strip()}
    return forms.about(answer.example, user(form("rate_feedback", RATE, **fields)))


def scored(prompt: Prompt, low: int, high: int, sampling: Sampling, role: str) -> Flow[tuple[float | None, str]]:
    """The score that ends a reply, and what was written before it; None and nothing without a readable one."""
    try:
        (reply,) = yield from sample(prompt, sampling=sampling, role=role)
    except Abstain:
        return None, ""
    return read_feedback(reply.text, low, high)


def vector(answer: Answer, layer: int, role: str) -> Flow[tuple[float, ...] | None]:
    """The hidden state of a question with its answer; None where the model has none."""
    prompt = user(form("graded", "{question}\n\n{answer}", question=answer.example.question, answer=answer.text))
    try:
        found: Embedding = yield from embed(prompt, layer=layer, role=role)
    except Abstain:
        return None
    return found.vector


def by_vectors(
    answers: Sequence[Answer], vectors: Sequence[tuple[float, ...] | None]
) -> tuple[list[Answer | None], list[float | None]]:
    """The most similar other answer to each, and each one's grade by regression; None where vectors do not tell."""
    alike: list[Answer | None] = [None] * len(answers)
    regressed: list[float | None] = [None] * len(answers)
    rows = [i for i, one in enumerate(vectors) if one is not None]
    matrix = np.array([vectors[i] for i in rows], dtype=float)
    if len(rows) > 1 and np.ptp(matrix, axis=0).any():
        held = [answers[i] for i in rows]
        values = tuned(matrix, [one.grade for one in held], [cluster(one.example) for one in held])
        for i, near, value in zip(rows, nearest(matrix, [one.text for one in held]), values.tolist(), strict=True):
            regressed[i] = None if np.isnan(value) else value
            alike[i] = None if near is None else held[near]
    return alike, regressed
