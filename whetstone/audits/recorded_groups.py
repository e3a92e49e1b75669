"""Is a judge as accurate in every category of recorded verdicts?"""

from __future__ import annotations

import numpy as np

from whetstone.audits.verdict_columns import Judged
from whetstone.core.types import Finding
from whetstone.stats import finding, proportion
from whetstone.stats.group_rates import deal_units, dealt_units, group_rates
from whetstone.tasks.levels import by_value

LEAST = 2  # prompts of a category that can be compared


def accuracy_gaps(judged: Judged, *, seed: int = 0) -> list[Finding]:
    """`accuracy CATEGORY` of labelled rows, and `gap`: the best category's rate minus the worst's.

    The p-value of the gap deals whole prompts to the categories at random. Nothing for fewer than two categories.
    """
    verdicts = judged.verdicts
    if judged.category is None or verdicts.gold is None:
        return []
    known = (judged.category >= 0) & ~np.isnan(verdicts.gold)
    right = np.equal(np.sign(verdicts.chosen - 0.5), np.sign(verdicts.gold - 0.5)).astype(float)[known]
    names, code = np.unique(judged.category[known], return_inverse=True)
    group = verdicts.groups[known]
    sums, sizes, units = dealt_units(right, code, group)
    kept = sorted(
        (i for i in range(len(names)) if np.count_nonzero(units == i) >= LEAST),
        key=lambda i: by_value(judged.categories[names[i]]),
    )
    if len(kept) < 2:
        return []
    labels = [judged.categories[names[i]] for i in kept]
    found = [
        finding(f"accuracy {label}", proportion(right[code == i], groups=group[code == i]))
        for i, label in zip(kept, labels, strict=True)
    ]
    here = np.isin(units, kept)
    at = np.zeros(len(names), np.intp)
    at[kept] = np.arange(len(kept))
    compared = sums[here], sizes[here], at[units[here]]
    rates = group_rates(*compared)
    best, worst = labels[rates.argmax()], labels[rates.argmin()]
    p, _ = deal_units(*compared, seed=seed)
    told = f"worst in {worst}" if p < 0.05 else "no gap between groups found"
    detail = {
        "best": best,
        "worst": worst,
        "left_out": len(names) - len(kept),
        "method": "permutation of prompts",
    }
    return [*found, Finding("gap", float(np.ptp(rates)), None, len(right), 0.0, p, told, detail)]
