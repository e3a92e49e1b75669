"""Answers that people graded, and three ways of grading: tuned on them, copied from the most similar one, predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from whetstone.audits.evaluating import cluster, labels
from whetstone.core.errors import TaskError
from whetstone.core.types import Case, Example, Finding
from whetstone.stats import bootstrap, finding, paired_permutation
from whetstone.stats.agreement import cohen_kappa

Floats = NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, the whole grade that people gave it, and their feedback, if any."""

    example: Example
    text: str
    grade: int
    feedback: str = ""


def answers_of(cases: Sequence[Case], high: int) -> list[Answer]:
    """Graded candidates: `meta["grades"]` and `meta["feedback"]` run parallel; else right is `high`, wrong 0.

    Raises TaskError for a grade that is not from 0 to `high`.
    """
    found = []
    for case in cases:
        grades, said = case.example.meta.get("grades"), case.example.meta.get("feedback")
        known = [None if label is None else high * label for label in labels(case)]
        given = list(grades) if isinstance(grades, Sequence) and not isinstance(grades, str) else known
        texts = list(said) if isinstance(said, Sequence) and not isinstance(said, str) else [""] * len(given)
        for candidate, grade, feedback in zip(case.candidates, given, texts, strict=False):
            if isinstance(grade, (int, float)):
                if not 0 <= grade <= high:
                    raise TaskError(
                        f"{case.example.id}: grade {grade} is not from 0 to {high}; set high to the best grade"
                    )
                found.append(Answer(case.example, candidate.text, round(grade), str(feedback)))
    return found


def nearest(vectors: Floats, texts: Sequence[str]) -> list[int | None]:
    """For each row the most similar other row by Canberra distance whose text differs; None where there is none."""
    found: list[int | None] = []
    for i, row in enumerate(vectors):
        apart = cdist(row[None], vectors, "canberra")[0]
        apart[[text == texts[i] for text in texts]] = np.inf
        found.append(int(apart.argmin()) if np.isfinite(apart).any() else None)
    return found


def tuned(vectors: Floats, grades: Sequence[int], groups: Sequence[str], *, strength: float = 1.0) -> Floats:
    """Grades by ridge regression on vectors [n, d], each predicted from folds that do not hold its cluster."""
    y = np.array(grades, dtype=float)
    order = {group: i % FOLDS for i, group in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[group] for group in groups])
    out = np.full(len(y), np.nan)
    for k in range(FOLDS):
        train, test = fold != k, fold == k
        if not train.any() or not test.any():
            continue
        center, spread = vectors[train].mean(axis=0), vectors[train].std(axis=0) + 1e-9
        x = (vectors[train] - center) / spread
        weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (y[train] - y[train].mean()))
        out[test] = (vectors[test] - center) / spread @ weights + y[train].mean()
    return out


def errors(
    answers: Sequence[Answer],
    graded: Mapping[str, Sequence[float | None]],
    feedback: Mapping[str, Sequence[float | None]],
    *,
    high: int,
) -> list[Finding]:
    """How graders agree with people.

    Args:
        answers: [n] with people's grades.
        graded: [n] grades of each grader; None is unknown.
        feedback: [n] ratings of each grader's feedback; None is unknown.
        high: the best grade; the lowest is 0.

    Returns:
        `kappa/GRADER` (quadratic weights, grades rounded), `rmse/GRADER`, `feedback/A - B` for every two graders that
        gave feedback on the same answers. Unknown grades are left out and counted.
    """
    groups = [cluster(answer.example) for answer in answers]
    truth = np.array([answer.grade for answer in answers], dtype=float)
    found = []
    for name, values in graded.items():
        given = np.array([np.nan if value is None else min(max(value, 0.0), high) for value in values], dtype=float)
        known = ~np.isnan(given)
        where = [group for group, is_known in zip(groups, known, strict=True) if is_known]
        squared = (given[known] - truth[known]) ** 2
        whole = [np.rint(side[known]).astype(int).tolist() for side in (given, truth)]
        told = "" if known.any() else "not measured: no readable grade"
        missing = int((~known).sum())
        kappa = cohen_kappa(whole[0], whole[1], weights="quadratic", labels=list(range(high + 1)), groups=where)
        error = bootstrap(lambda w, s=squared: np.sqrt(w @ s / w.sum(axis=1)), len(where), groups=where)  # type: ignore[misc]
        for statistic, estimate in (("kappa", kappa), ("rmse", error)):
            verdict = told or ("" if estimate.value is not None else "not measured: the grades do not vary")
            found.append(finding(f"{statistic}/{name}", estimate, verdict=verdict, left_out=missing))
    names = list(feedback)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            both = [
                (x, y, group)
                for x, y, group in zip(feedback[a], feedback[b], groups, strict=True)
                if x is not None and y is not None
            ]
            test = paired_permutation([x for x, _, _ in both], [y for _, y, _ in both], groups=[g for _, _, g in both])
            told = "" if both else "not measured: no answer has rated feedback of both"
            found.append(finding(f"feedback/{a} - {b}", test, verdict=told))
    return found
