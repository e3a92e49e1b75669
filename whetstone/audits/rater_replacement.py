"""May a judge stand in for one of several human raters, or join them?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from whetstone.audits.evaluating import in_words
from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import Estimate, HypothesisTest, finding
from whetstone.stats.agreement import Scale, krippendorff_alpha
from whetstone.stats.correlation import spearman
from whetstone.stats.jackknife import jackknife

Floats = NDArray[np.float64]


@method(
    "table",
    papers=("ACORN: Aspect-wise Commonsense Reasoning Explanation Evaluation",),
    checked="tests/audits/test_rater_replacement.py::test_a_noisy_judge_lowers_agreement_and_one_as_good_as_people_does_not",
)
def rater_replacement(humans: ArrayLike, judge: ArrayLike, *, scale: Scale = "ordinal", seed: int = 0) -> list[Finding]:
    """Change in the raters' agreement when a judge replaces one of them or joins them, and what a judge adds to few.

    Args:
        humans: [items, raters] ratings, NaN where missing; one table for each aspect that is rated.
        judge: [items] the judge's ratings.
        scale: of the ratings.
        seed: of the intervals.

    Returns:
        `alpha` of the humans; `replace`: alpha with one human replaced minus alpha, averaged over whom, and `add`:
        alpha with the judge added minus alpha, both against 0; `spearman` of the judge with the humans' mean;
        `helps N`: correlation with the held-out humans' mean of N humans and the judge together, minus that of the N
        alone, averaged over who they are, against 0.

    Raises ConfigError unless there are two humans or more and as many ratings by the judge as items.
    """
    people, said = np.asarray(humans, dtype=np.float64), np.asarray(judge, dtype=np.float64)
    if people.ndim != 2 or people.shape[1] < 2 or said.shape != people.shape[:1]:
        raise ConfigError(f"humans must be [items, 2 or more] and judge [items]: {people.shape} and {said.shape}")
    n, raters = people.shape

    def alpha(table: Floats) -> float:
        value = krippendorff_alpha(table, scale=scale, rounds=2).value
        return np.nan if value is None else value

    def replace(items: NDArray[np.intp]) -> float:
        swapped = [np.column_stack([np.delete(people[items], i, axis=1), said[items]]) for i in range(raters)]
        return float(np.mean([alpha(table) for table in swapped])) - alpha(people[items])

    def add(items: NDArray[np.intp]) -> float:
        return alpha(np.column_stack([people[items], said[items]])) - alpha(people[items])

    told = ("raises agreement", "lowers agreement", "no change of agreement found")
    read = ~np.isnan(said) & ~np.isnan(people).all(axis=1)
    mean = np.nanmean(people[read], axis=1)
    found = [
        finding("alpha", krippendorff_alpha(people, scale=scale, seed=seed)),
        against_zero("replace", jackknife(replace, n, seed=seed), told),
        against_zero("add", jackknife(add, n, seed=seed), told),
        finding("spearman", spearman(said[read], mean, seed=seed), left_out=int((~read).sum())),
    ]
    whole = people[read & ~np.isnan(people).any(axis=1)], said[read & ~np.isnan(people).any(axis=1)]
    told = ("helps few people", "harms few people", "no help to few people found")
    for few in range(1, raters):
        if len(whole[0]) > 2:
            found.append(against_zero(f"helps {few}", jackknife(_helps(*whole, few), len(whole[0]), seed=seed), told))
    return found


def _helps(people: Floats, said: Floats, few: int) -> Callable[[NDArray[np.intp]], float]:
    """Gain in rank correlation with held-out people when the judge joins `few` of them."""
    teams = list(combinations(range(people.shape[1]), few))[:20]

    def gain(items: NDArray[np.intp]) -> float:
        table, judged = people[items], said[items]
        rest = np.stack([np.delete(table, team, axis=1).mean(axis=1) for team in teams])
        alone = np.stack([table[:, team].sum(axis=1) for team in teams])
        return float((_rank_correlation(alone + judged, rest) - _rank_correlation(alone, rest)).mean())

    return gain


def _rank_correlation(first: Floats, second: Floats) -> Floats:
    """Spearman's rho of each row."""
    a, b = (scipy.stats.rankdata(rows, axis=1) - (rows.shape[1] + 1) / 2 for rows in (first, second))
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    out = np.full(len(a), np.nan)
    np.divide((a * b).sum(axis=1), spread, out=out, where=spread > 0)
    return out


def against_zero(name: str, effect: Estimate, told: tuple[str, str, str]) -> Finding:
    """An estimate against 0, by the t distribution of its standard error; `told` for above, below and neither."""
    p = None
    if effect.value is not None and effect.stderr:
        p = 2 * float(scipy.special.stdtr(max(1, min(effect.n, 20) - 1), -abs(effect.value) / effect.stderr))
    test = HypothesisTest(effect, p, 0.0, effect.method)
    return finding(name, test, verdict=in_words(test, told))
