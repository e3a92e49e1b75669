"""Is a judge as accurate in every category of recorded verdicts?"""

from __future__ import annotations

import numpy as np

from whetstone.audits.recorded import Codes, Floats
from whetstone.audits.verdict_columns import Judged
from whetstone.core.types import Finding
from whetstone.stats import finding, proportion

ROUNDS = 2000
MANY = 20_000  # prompts beyond which dealing them at random is drawn from the normal distribution
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
    rates, sizes, units = _units(right, code, group, len(names))
    kept = sorted(
        (i for i in range(len(names)) if np.count_nonzero(units == i) >= LEAST),
        key=lambda i: _natural(judged.categories[names[i]]),
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
    place = at[units[here]]
    gap, best, worst = _gap(rates[here], sizes[here], place, len(kept))
    p = _dealt(rates[here], sizes[here], place, len(kept), gap, np.random.default_rng(seed))
    told = f"worst in {labels[worst]}" if p < 0.05 else "no gap between groups found"
    detail = {
        "best": labels[best],
        "worst": labels[worst],
        "left_out": len(names) - len(kept),
        "method": "permutation of prompts",
    }
    return [*found, Finding("gap", gap, None, len(right), 0.0, p, told, detail)]


def _natural(label: str) -> tuple[bool, int, str]:
    """Numbers by their value, before words."""
    return (not label.isdigit(), int(label) if label.isdigit() else 0, label)


def _units(right: Floats, code: Codes, group: Codes, k: int) -> tuple[Floats, Floats, Codes]:
    """Accuracy, rows and category of each prompt; one that is in two categories counts in both."""
    _, unit = np.unique(group * k + code, return_inverse=True)
    sizes = np.bincount(unit).astype(float)
    category = np.zeros(len(sizes), np.intp)
    category[unit] = code
    return np.bincount(unit, right) / sizes, sizes, category


def _gap(rates: Floats, sizes: Floats, code: Codes, k: int) -> tuple[float, int, int]:
    mean = np.bincount(code, rates * sizes, k) / np.bincount(code, sizes, k)
    return float(np.ptp(mean)), int(mean.argmax()), int(mean.argmin())


def _dealt(rates: Floats, sizes: Floats, code: Codes, k: int, gap: float, rng: np.random.Generator) -> float:
    """Share of random deals of the prompts whose gap is as wide."""
    if len(rates) <= MANY:
        wide = [_gap(rates, sizes, rng.permutation(code), k)[0] for _ in range(ROUNDS)]
    else:
        residual = (rates - np.average(rates, weights=sizes)) * sizes
        error = np.sqrt(np.mean(residual**2) * np.bincount(code, minlength=k)) / np.bincount(code, sizes, k)
        wide = np.ptp(rng.normal(size=(ROUNDS, k)) * error, axis=1).tolist()
    return (1 + sum(one >= gap - 1e-12 for one in wide)) / (ROUNDS + 1)
