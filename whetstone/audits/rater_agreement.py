"""Do judges rate as people do?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import finding
from whetstone.stats.agreement import Scale, cohen_kappa, gwet_ac1, krippendorff_alpha
from whetstone.stats.correlation import kendall, pearson, spearman


@method(
    "table",
    papers=("Potential and Perils of Large Language Models as Judges of Unstructured Textual Data",),
    checked="tests/audits/test_rater_agreement.py::test_tells_a_good_judge_from_a_noisy_and_a_constant_one",
)
def rater_agreement(
    ratings: Mapping[str, Sequence[float | None]],
    *,
    reference: str = "human",
    scale: Scale = "ordinal",
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> list[Finding]:
    """Agreement of each rater's scores with a reference rater's, by every common statistic, with intervals over items.

    Args:
        ratings: for each rater one rating per item, None where missing.
        reference: the rater to agree with.
        scale: "nominal" leaves out weights and correlations, which need an order.
        groups: cluster of each item.
        seed: of the bootstrap.

    Returns:
        For each other rater, on the items that both rated: `kappa RATER` (quadratic weights on an ordered scale),
        `alpha RATER`, `ac1 RATER`, and on an ordered scale `spearman`, `kendall` and `pearson RATER`; then `alpha` of
        all raters. Verdicts come from whether the interval leaves out 0.

    Raises ConfigError for an unknown reference and for ratings of different length.
    """
    if reference not in ratings:
        raise ConfigError(f"no rater is called {reference!r}; raters: {', '.join(ratings)}")
    table = np.array([[np.nan if r is None else float(r) for r in row] for row in _rows(ratings)]).T
    place = {name: i for i, name in enumerate(ratings)}
    found = []
    for name in ratings:
        if name == reference:
            continue
        pair = table[:, [place[reference], place[name]]]
        both = ~np.isnan(pair).any(axis=1)
        gold, said = pair[both].T
        where = None if groups is None else [group for group, there in zip(groups, both, strict=True) if there]
        ordered = scale != "nominal"
        results = {
            "kappa": cohen_kappa(said, gold, weights="quadratic" if ordered else None, groups=where, seed=seed),
            "alpha": krippendorff_alpha(pair[both], scale=scale, groups=where, seed=seed),
            "ac1": gwet_ac1(pair[both], groups=where, seed=seed),
        }
        if ordered:
            results |= {f.__name__: f(said, gold, groups=where, seed=seed) for f in (spearman, kendall, pearson)}
        for statistic, result in results.items():
            low = result.interval[0] if result.interval else None
            told = "agrees beyond chance" if low is not None and low > 0 else "no agreement beyond chance found"
            found.append(finding(f"{statistic} {name}", result, verdict=told, left_out=int((~both).sum())))
    return [*found, finding("alpha", krippendorff_alpha(table, scale=scale, groups=groups, seed=seed))]


def _rows(ratings: Mapping[str, Sequence[float | None]]) -> list[Sequence[float | None]]:
    lengths = {name: len(row) for name, row in ratings.items()}
    if len(set(lengths.values())) != 1:
        raise ConfigError(f"raters rated different numbers of items: {lengths}")
    return list(ratings.values())
