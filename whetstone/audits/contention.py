"""Is a model right where experts agree, and where they do not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from whetstone.audits.recorded import difference
from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import finding, proportion
from whetstone.stats.correlation import spearman


@method(
    "table",
    papers=("Language Models And A Second Opinion Use Case: The Pocket Professional",),
    checked="tests/audits/test_contention.py::test_accuracy_falls_with_contention_where_planted_and_not_elsewhere",
)
def contention(
    answers: Sequence[Sequence[str]],
    votes: Sequence[Mapping[str, float]],
    *,
    split: float = 0.5,
    top: int = 5,
    groups: Sequence[str] = (),
) -> list[Finding]:
    """Accuracy against the crowd's first choice by how much the crowd agrees, and coverage by ranked alternatives.

    Args:
        answers: for each case the model's alternatives, best first.
        votes: for each case the experts' votes by answer (counts or shares).
        split: cases whose leading share of votes is above it count as clear, the others as contested.
        top: longest list of alternatives that is looked at.
        groups: cluster of each case.

    Returns:
        `accuracy`, `accuracy clear`, `accuracy contested`, `gap` between the two against 0, `consensus` (rank
        correlation of the leading share with being right), `in top K` for each K up to `top`, and `votes_held`:
        the mean share of votes for the model's first answer. Answers are compared without case and outer blanks.

    Raises ConfigError for cases without votes and for lists of different length.
    """
    if len(answers) != len(votes):
        raise ConfigError(f"{len(answers)} lists of answers for {len(votes)} cases")
    if any(not case or sum(case.values()) <= 0 for case in votes):
        raise ConfigError("every case needs votes: leave the others out")
    where = np.unique(np.array(groups), return_inverse=True)[1] if groups else np.arange(len(votes))
    shares = [{_same(a): v / sum(case.values()) for a, v in case.items()} for case in votes]
    leading = np.array([max(case.values()) for case in shares])
    best = [{a for a, share in case.items() if share == max(case.values())} for case in shares]
    said = [[_same(a) for a in listed] for listed in answers]
    right = np.array([float(bool(listed) and listed[0] in win) for listed, win in zip(said, best, strict=True)])
    held = [case.get(listed[0], 0.0) if listed else 0.0 for listed, case in zip(said, shares, strict=True)]
    clear = leading > split
    found = [finding("accuracy", proportion(right, groups=where))]
    for name, chosen in (("clear", clear), ("contested", ~clear)):
        found.append(finding(f"accuracy {name}", proportion(right[chosen], groups=where[chosen])))
    test = difference(np.where(clear, right, 1 - right), clear.astype(float), where)
    if test:
        sure = test.p is not None and test.p < 0.05
        found.append(finding("gap", test, verdict="follows consensus" if sure else "no effect of consensus found"))
    found.append(finding("consensus", spearman(leading, right, groups=where)))
    for k in range(1, top + 1):
        inside = [float(bool(win & set(listed[:k]))) for listed, win in zip(said, best, strict=True)]
        found.append(finding(f"in top {k}", proportion(inside, groups=where)))
    return [*found, finding("votes_held", proportion(held, groups=where))]


def _same(answer: str) -> str:
    return answer.strip().casefold()
