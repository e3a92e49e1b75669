"""Preference pairs from rewards, how far two rankings agree, and how far a ranking agrees with gold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import scipy.stats

from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding
from whetstone.loops._measure import Values
from whetstone.loops._rollout import Group
from whetstone.loops.objectives import Preference
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion

Label = Literal["hard", "consistency", "soft"]


def reward_pairs(
    groups: Sequence[Group],
    *,
    pairs: Literal["extreme", "ranked"] = "extreme",
    label: Label = "hard",
    consistency: float | None = None,
) -> list[Preference]:
    """Pairs of answers with different texts and rewards.

    Args:
        pairs: "extreme" pairs the best answer with the worst, "ranked" every answer with the next one in rank.
        label: "hard" 1; "consistency" the value of `consistency` (1 while it is unknown); "soft" the probability that
            the rewards, read as probabilities of being right, give to the chosen answer being the right one of two.

    Raises:
        ConfigError: "soft" with rewards outside 0 to 1.
    """
    out = []
    for group in groups:
        best: dict[str, float] = {}
        for candidate, value in zip(group.candidates, group.rewards, strict=True):
            if value is not None:
                best.setdefault(candidate.text, value)
        order = sorted(best, key=lambda text: -best[text])
        couples = list(pairwise(order)) if pairs == "ranked" else [(order[0], order[-1])] if order else []
        for chosen, rejected in couples:
            if best[chosen] > best[rejected]:
                q = 1.0 if label == "hard" or consistency is None else consistency
                if label == "soft":
                    q = strength(best[chosen], best[rejected])
                out.append(Preference(group.example.prompt, chosen, rejected, label=q))
    return out


def strength(chosen: float, rejected: float) -> float:
    """P(the first is right | one of two is), from the probabilities that each is right."""
    if not (0 <= rejected <= 1 and 0 <= chosen <= 1):
        raise ConfigError("soft labels need rewards that are probabilities: use signal=p_true, or label=hard")
    right, wrong = chosen * (1 - rejected), rejected * (1 - chosen)
    return right / (right + wrong) if right + wrong else 0.5


def rank_consistency(current: Sequence[Group], previous: Sequence[Group]) -> Finding | None:
    """Mean over questions of (tau + 1) / 2, tau being Kendall's between two rewards of the same answers.

    Questions with fewer than two scored answers, or with equal rewards throughout, say nothing and are left out; None
    when no question is left.

    Source: "CREAM: Consistency Regularized Self-Rewarding Language Models", the data-set mean C.
    """
    values = []
    for now, then in zip(current, previous, strict=True):
        both = [(a, b) for a, b in zip(now.rewards, then.rewards, strict=True) if a is not None and b is not None]
        if len({a for a, _ in both}) > 1 and len({b for _, b in both}) > 1:
            values.append((float(scipy.stats.kendalltau(*np.array(both).T).statistic) + 1) / 2)
    values = [min(1.0, max(0.0, value)) for value in values if not math.isnan(value)]
    return finding("consistency", proportion(values)) if values else None


def ranking_accuracy(groups: Sequence[Group], values: Values) -> Finding | None:
    """How often a right answer is rewarded above a wrong one to the same question (ties half); None without such."""
    out, questions = [], []
    for g, (group, verdicts) in enumerate(zip(groups, values, strict=True)):
        known = [(v, r) for v, r in zip(verdicts, group.rewards, strict=True) if v is not None and r is not None]
        for right in (r for v, r in known if v == 1):
            for wrong in (r for v, r in known if v == 0):
                out.append(1.0 if right > wrong else 0.5 if right == wrong else 0.0)
                questions.append(g)
    return finding("ranking_accuracy", proportion(out, groups=questions)) if out else None


def win_rate(after: Values, before: Values) -> Finding:
    """Probability that a sample after beats one before by gold (ties half), over the same questions in order."""

    def accuracy(row: Sequence[float | None]) -> float:
        known = [value for value in row if value is not None]
        return sum(known) / len(known)

    pairs = zip(after, before, strict=True)
    both = [pair for pair in pairs if all(any(v is not None for v in row) for row in pair)]
    return finding("win_rate", proportion([(1 + accuracy(new) - accuracy(old)) / 2 for new, old in both]))
