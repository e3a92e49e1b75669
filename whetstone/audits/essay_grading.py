"""Do a judge's grades of essays say more than what can be counted in them?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from whetstone.audits.evaluating import cluster
from whetstone.audits.graded_answers import Answer, answers_of, errors, tuned
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Sampling, Task, form, user
from whetstone.signals import forms
from whetstone.signals.code_checks import sentences, words
from whetstone.signals.parsing import read_score

GRADE = """Task: {question}

Essay: {answer}

Grade the essay from 0 (worst) to {high} (best) for content, order, vocabulary and grammar. End with one line, \
"Score: " and a whole number from 0 to {high}."""


@method(
    "audit",
    papers=("On the application of Large Language Models for language teaching and assessment technology",),
    checked="tests/audits/test_essay_grading.py::test_finds_what_features_and_judge_are_worth",
)
def essay_grading(
    task: Task, cases: Sequence[Case], *, high: int = 5, role: str = "judge", max_tokens: int = 256
) -> Flow[list[Finding]]:
    """Agreement with people's grades of a judge, of countable features of language, and of both together.

    Args:
        high: the best grade; the lowest is 0.
        role: who grades.
        max_tokens: length limit of a reply.

    Returns:
        `kappa/GRADER` with quadratic weights (QWK) and `rmse/GRADER` for "judge", "features" and "features+judge"; the
        last two are ridge regressions, fitted to other questions.

    People's grades are the example's `meta["grades"]`, one a candidate; without them right answers have the best grade
    and wrong ones the lowest. A high agreement is no proof that a grade is fair: look at groups of writers too.
    """
    essays = answers_of(cases, high)
    if len({essay.grade for essay in essays}) < 2:
        raise Abstain("the essays need grades that differ")

    def ask(essay: Answer) -> Flow[float | None]:
        asked = form("grade_essay", GRADE, question=essay.example.question, answer=essay.text, high=str(high))
        sampling = Sampling(0.0, max_tokens=max_tokens)
        try:
            (reply,) = yield from sample(forms.about(essay.example, user(asked)), sampling=sampling, role=role)
        except Abstain:
            return None
        reading = read_score(reply.text, 0, high)
        return None if reading is None else float(reading.value)

    judged = yield from gather(ask(essay) for essay in essays)
    if all(grade is None for grade in judged):
        raise Abstain("no grade was readable")
    groups = [cluster(essay.example) for essay in essays]
    grades = [essay.grade for essay in essays]
    counted = np.array([features(essay.text) for essay in essays])
    graded: dict[str, list[float | None]] = {"judge": judged, "features": known(tuned(counted, grades, groups))}
    rows = [i for i, grade in enumerate(judged) if grade is not None]
    marks = np.array([[judged[i]] for i in rows], dtype=float)
    both = np.hstack([counted[rows], marks])
    joint = known(tuned(both, [grades[i] for i in rows], [groups[i] for i in rows]))
    together = dict(zip(rows, joint, strict=True))
    graded["features+judge"] = [together.get(i) for i in range(len(essays))]
    return errors(essays, graded, {}, high=high)


def known(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    """NaN as None."""
    return [None if np.isnan(value) else float(value) for value in values]


def features(text: str) -> list[float]:
    """Log number of words, mean lengths of words and sentences, share of distinct and of long words, commas a word."""
    written = words(text.lower())
    said = [piece for piece in sentences(text) if piece.strip(".!?")]
    n = max(len(written), 1)
    return [
        float(np.log1p(len(written))),
        fmean(map(len, written)) if written else 0.0,
        n / max(len(said), 1),
        len(set(written)) / n,
        sum(len(word) > 6 for word in written) / n,
        text.count(",") / n,
    ]
