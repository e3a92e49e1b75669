"""Recorded scores of single answers, by column, and every audit of them that needs no model.

A row is one score that a judge gave: `score` (null where it could not be read), `system`, `prompt`, `label` (by people
or a verifier, on any scale), `length`, `judge`, `category`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.recorded import Codes, Floats, Verdicts, length
from whetstone.audits.recorded_groups import accuracy_gaps
from whetstone.audits.verdict_columns import Judged, numbers, rows_by_judge
from whetstone.core.types import Finding
from whetstone.ranking.tables import Column
from whetstone.stats import auroc_test, brier, ece_test, finding, proportion
from whetstone.stats.correlation import kendall, pearson, spearman

SPACES: Mapping[str, str] = {
    name: name for name in ("score", "label", "prompt", "system", "length", "judge", "category")
}


@dataclass(frozen=True, eq=False)
class Scores:
    """One judge's scores.

    Attributes:
        value: [n] NaN where a score could not be read.
        label: [n] on any scale, NaN where unknown; None without labels.
        prompt: [n] what was answered: the cluster of intervals.
        lengths: [n] of the answers.
        system: [n] who answered, indices of `names`.
        category: [n] indices of `categories`, -1 where a row has none.
    """

    value: Floats
    prompt: Codes
    label: Floats | None = None
    lengths: Floats | None = None
    system: Codes | None = None
    names: tuple[str, ...] = ()
    category: Codes | None = None
    categories: tuple[str, ...] = ()

    @property
    def binary(self) -> bool:
        """Are all labels 0 or 1?"""
        return self.label is not None and bool(np.isin(self.label[~np.isnan(self.label)], (0.0, 1.0)).all())


def scored(table: Mapping[str, Column]) -> dict[str, Scores]:
    """Each judge's scores; rows without a judge are one judge's, named "judge".

    Raises TaskError for a value that is not a number, by row and field.
    """
    if not table:
        return {}
    n = len(next(iter(table.values())).codes)
    value, label, sizes = (numbers(table, name, _number) for name in ("score", "label", "length"))
    codes = {name: column.codes.astype(np.intp) for name, column in table.items()}
    found = {}
    for name, own in rows_by_judge(table, n).items():
        prompt = codes["prompt"][own] if "prompt" in codes else np.arange(len(own))
        prompt = np.where(prompt >= 0, prompt, int(prompt.max(initial=0)) + 1 + np.arange(len(own)))
        known = label is not None and not np.isnan(label[own]).all()
        there = sizes is not None and not np.isnan(sizes[own]).any()
        found[name] = Scores(
            np.full(len(own), np.nan) if value is None else value[own],
            prompt,
            label[own] if known and label is not None else None,
            sizes[own] if there and sizes is not None else None,
            codes["system"][own] if "system" in codes else None,
            tuple(map(str, table["system"].labels)) if "system" in table else (),
            codes["category"][own] if "category" in codes else None,
            tuple(map(str, table["category"].labels)) if "category" in table else (),
        )
    return found


def audit_scores(scores: Scores, *, seed: int = 0) -> list[Finding]:
    """All audits that the columns allow.

    Returns:
        `unreadable`; with labels of right and wrong `auroc` and, of scores between 0 and 1, `ece` and `brier`; with
        labels of degrees `rank_correlation`, `kendall` and `pearson`; on neighbouring answers to one prompt what
        `recorded.length` finds of preferences by score, and gaps between categories.
    """
    unread = np.isnan(scores.value)
    found = [finding("unreadable", proportion(unread.astype(float), groups=scores.prompt))]
    if scores.label is not None:
        known = ~unread & ~np.isnan(scores.label)
        value, label, groups = scores.value[known], scores.label[known], scores.prompt[known]
        found += _binary(value, label, groups, seed) if scores.binary else _graded(value, label, groups, seed)
    preferred = preferences(scores)
    if preferred is not None:
        found += length(preferred.verdicts)
        found += accuracy_gaps(_decided(preferred), seed=seed)
    return found


def preferences(scores: Scores) -> Judged | None:
    """What the higher score prefers between each answer and the next one to the same prompt; None without pairs."""
    order = np.argsort(scores.prompt, kind="stable")
    here, after = order[:-1], order[1:]
    same = scores.prompt[here] == scores.prompt[after]
    here, after = here[same], after[same]
    if not here.size:
        return None
    lead = np.sign(scores.value[here] - scores.value[after])
    gold = None if scores.label is None else np.sign(scores.label[here] - scores.label[after])
    verdicts = Verdicts(
        (lead + 1) / 2,
        gold=None if gold is None or np.isnan(gold).all() else (gold + 1) / 2,
        lengths=None if scores.lengths is None else np.column_stack([scores.lengths[here], scores.lengths[after]]),
        group=scores.prompt[here],
    )
    category = None if scores.category is None else scores.category[here]
    return Judged(verdicts, category, scores.categories)


def _decided(preferred: Judged) -> Judged:
    """Without labels where both answers are as good: whoever prefers one of them does not err."""
    verdicts = preferred.verdicts
    if verdicts.gold is None:
        return preferred
    return replace(preferred, verdicts=replace(verdicts, gold=np.where(verdicts.gold == 0.5, np.nan, verdicts.gold)))


def _binary(value: Floats, label: Floats, groups: NDArray[np.intp], seed: int) -> list[Finding]:
    ranked = auroc_test(value, label, groups=groups)
    area, sure = ranked.effect.value or 0.5, ranked.p is not None and ranked.p < 0.05
    told = ("separates right from wrong" if area > 0.5 else "is higher on wrong answers") if sure else ""
    found = [finding("auroc", ranked, verdict=told or "does not separate right from wrong")]
    if value.size and value.min() >= 0 and value.max() <= 1:
        error = ece_test(value, label, groups=groups, seed=seed)
        off = error.p is not None and error.p < 0.05
        told = "is not calibrated" if off else "is calibrated, as far as can be told"
        found += [finding("ece", error, verdict=told), finding("brier", brier(value, label, groups=groups, seed=seed))]
    return found


def _graded(value: Floats, label: Floats, groups: NDArray[np.intp], seed: int) -> list[Finding]:
    tests = (("rank_correlation", spearman), ("kendall", kendall), ("pearson", pearson))
    found = []
    for name, correlation in tests:
        one = finding(name, correlation(value, label, groups=groups, seed=seed))
        low = one.interval[0] if one.interval else 0.0
        told = "follows the labels" if low > 0 else "is not shown to follow the labels"
        found.append(Finding(name, one.estimate, one.interval, one.n, 0.0, None, told, one.detail))
    return found


def _number(value: Any) -> float | None:
    """Also of what a verifier says, true or false."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
