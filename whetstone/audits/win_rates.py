"""One win rate, by every remedy against a judge's errors: what each changes, and what people's labels say of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.evaluating import in_words, mean_test
from whetstone.audits.recorded import Verdicts
from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding
from whetstone.ranking.judge_error import corrected_rate, prediction_powered_rate
from whetstone.stats import Estimate, finding, proportion
from whetstone.stats.length_control import length_controlled_win_rate

Floats = NDArray[np.float64]


def win_rates(verdicts: Verdicts) -> list[Finding]:
    """Win rate of each pair's first answer, which should be one system's throughout, against the second.

    Args:
        verdicts: with `gold` for the pairs that people labelled, a random part of all (NaN for the others).

    Returns:
        As far as the columns allow: `one order` (as first shown), `both orders` (their mean), `length controlled`
        (both orders, at equal length); with labels `human` (labelled pairs alone), `prediction-powered` (people's
        labels sharpened by the judge's verdicts) and `corrected` (one order, by the judge's sensitivity and
        specificity): both carry the judge's error in their interval. `error of one order` and `error of both orders`
        are the judge's mean share minus the people's on the labelled pairs, against 0.

    Raises ConfigError without a pair that has a readable verdict.
    """
    once, both, gold, gap, groups = _by_pair(verdicts)
    found = [finding("one order", proportion(once[~np.isnan(once)], groups=groups[~np.isnan(once)]))]
    read = ~np.isnan(both)
    if read.any():
        found.append(finding("both orders", proportion(both[read], groups=groups[read])))
    if gap is not None and read.sum() > 2:
        found.append(
            finding("length controlled", length_controlled_win_rate(both[read], *gap[read].T, groups=groups[read]))
        )
    known = ~np.isnan(gold)
    if not known.any():
        return found
    found.append(finding("human", proportion(gold[known], groups=groups[known])))
    judge = both if read.sum() >= np.count_nonzero(~np.isnan(once)) / 2 else once
    there = ~np.isnan(judge)
    powered = prediction_powered_rate(gold[known & there], judge[known & there], judge[~known & there])
    found.append(finding("prediction-powered", powered))
    if np.isin(once[~np.isnan(once)], (0.0, 1.0)).all() and np.isin(gold[known], (0.0, 1.0)).all():
        found.append(finding("corrected", _corrected(once, gold)))
    for name, said in (("one order", once), ("both orders", both)):
        rows = known & ~np.isnan(said)
        if rows.sum() < 2:
            continue
        test = mean_test((said - gold)[rows].tolist(), groups[rows].tolist())
        told = in_words(test, ("too high", "too low", "no error of the rate found"))
        found.append(finding(f"error of {name}", test, verdict=told))
    return found


def _corrected(once: Floats, gold: Floats) -> Estimate:
    known = ~np.isnan(gold) & ~np.isnan(once)
    more = once[np.isnan(gold) & ~np.isnan(once)]
    won, lost = once[known & (gold == 1)], once[known & (gold == 0)]
    right = (int(won.sum()), won.size), (int((1 - lost).sum()), lost.size)
    return corrected_rate(int(more.sum()), more.size, sensitivity=right[0], specificity=right[1])


def _by_pair(verdicts: Verdicts) -> tuple[Floats, Floats, Floats, Floats | None, NDArray[np.intp]]:
    """Of each pair: share of its first answer when shown first, over both orders, by label; lengths; cluster."""
    share = np.where(verdicts.swapped, 1 - verdicts.chosen, verdicts.chosen)
    _, first, code = np.unique(verdicts.pair, return_index=True, return_inverse=True)
    if np.isnan(share).all():
        raise ConfigError("no verdict could be read")

    def mean(values: Floats, rows: NDArray[np.bool_]) -> Floats:
        rows = rows & ~np.isnan(values)
        total, n = np.bincount(code[rows], values[rows], len(first)), np.bincount(code[rows], minlength=len(first))
        out = np.full(len(first), np.nan)
        np.divide(total, n, out=out, where=n > 0)
        return out

    ahead, behind = mean(share, ~verdicts.swapped), mean(share, verdicts.swapped)
    gold = np.full(len(first), np.nan)
    if verdicts.gold is not None:
        gold = mean(np.where(verdicts.swapped, 1 - verdicts.gold, verdicts.gold), np.ones(len(code), bool))
    lengths = None
    if verdicts.lengths is not None:
        own = np.where(verdicts.swapped[:, None], verdicts.lengths[:, ::-1], verdicts.lengths)
        lengths = own[first]
    return ahead, (ahead + behind) / 2, gold, lengths, verdicts.groups[first]
