"""Are like cases judged alike whichever group they come from?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding

Floats = NDArray[np.float64]


@method(
    "table",
    papers=("Equality before the Law: Legal Judgment Consistency Analysis for Fairness",),
    checked="tests/audits/test_judgment_consistency.py::test_finds_a_planted_disparity_and_none_where_groups_are_alike",
)
def judgment_consistency(
    features: ArrayLike,
    decisions: ArrayLike,
    *,
    groups: Sequence[Hashable] = (),
    ridge: float = 1.0,
    rounds: int = 500,
    seed: int = 0,
) -> list[Finding]:
    """Dispersion of what judges that learned from different groups decide on the same cases (LInCo).

    Args:
        features: [cases, d] facts of each case.
        decisions: [cases] what was decided: a score, a sentence, 0 or 1.
        groups: [cases] the group that each case belongs to (region, gender, language ...).
        ridge: strength of the penalty with which a linear judge of each group is fitted.
        rounds: permutations of the groups.
        seed: of the permutations.

    Returns:
        `linco`: standard deviation over the groups' judges, averaged over all cases, in the unit of the decisions;
        `null` is its mean when groups are dealt at random, p the share of deals that reach it. `direction GROUP`: mean
        decision of the group's judge minus the mean of all judges.

    Raises ConfigError for fewer than two groups and for a group of fewer than two cases.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(decisions, dtype=np.float64)
    names, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    if x.ndim != 2 or not len(x) == len(y) == len(codes):
        raise ConfigError(f"features, decisions and groups differ in length: {len(x)}, {len(y)}, {len(codes)}")
    if len(names) < 2 or np.bincount(codes).min() < 2:
        raise ConfigError("two groups or more with two cases or more each are needed")
    spread = x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)])
    judged = _judges(design, y, codes, ridge)
    value = float(judged.std(axis=1).mean())
    rng = np.random.default_rng(seed)
    dealt = np.array([_judges(design, y, rng.permutation(codes), ridge).std(axis=1).mean() for _ in range(rounds)])
    p = (1 + int((dealt >= value - 1e-12).sum())) / (rounds + 1)
    verdict = "groups are judged differently" if p < 0.05 else "no difference between groups found"
    found = [
        Finding("linco", value, None, len(y), float(dealt.mean()), p, verdict, {"method": "permutation of groups"})
    ]
    for i, name in enumerate(names):
        shift = float((judged[:, i] - judged.mean(axis=1)).mean())
        found.append(Finding(f"direction {name}", shift, None, int((codes == i).sum()), 0.0))
    return found


def _judges(design: Floats, y: Floats, codes: NDArray[np.intp], ridge: float) -> Floats:
    """Decisions [cases, groups] on all cases by a ridge regression fitted to each group's own."""
    penalty = ridge * np.eye(design.shape[1])
    penalty[0, 0] = 1e-9
    judged = []
    for group in range(int(codes.max()) + 1):
        own = design[codes == group]
        judged.append(design @ np.linalg.solve(own.T @ own + penalty, own.T @ y[codes == group]))
    return np.stack(judged, axis=1)
