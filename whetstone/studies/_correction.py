"""The arithmetic of two-turn logs: transitions, CL, CS, RSS.

A log is a list of questions, each a list of trials (right before, right after).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from whetstone.core.types import Finding
from whetstone.stats.bootstrap import bootstrap
from whetstone.stats.estimate import Estimate, finding
from whetstone.stats.paired import paired_permutation

Log = Sequence[Sequence[tuple[bool, bool]]]
Floats = NDArray[np.float64]


def decompose(name: str, log: Log, *, groups: Sequence[str] | None = None, seed: int = 0) -> list[Finding]:
    """Change in accuracy, CL, CS, RSS and the oracle's gain of a two-turn log.

    CL = P(right after | right before) and CS = P(right after | wrong before), pooled over trials;
    RSS = (Acc2 - Acc1^2) / (2 Acc1 (1 - Acc1)), which is 0.5 for no change. Intervals by bootstrap over questions (over
    `groups`, where given).

    Source: "Confidence v.s. Critique: A Decomposition of Self-Correction Capability for LLMs" and its
    `analysis_sampling.py`, with the same number of trials for every question.
    """
    # per question: trials, right before, right both times, set right, set wrong
    n = np.array([len(trials) for trials in log], dtype=float)
    first = np.array([sum(a for a, _ in trials) for trials in log], dtype=float)
    both = np.array([sum(a and b for a, b in trials) for trials in log], dtype=float)
    mended = np.array([sum(b and not a for a, b in trials) for trials in log], dtype=float)

    def resampled(statistic: Callable[[Floats], Floats]) -> Estimate:
        return bootstrap(statistic, len(log), groups=groups, seed=seed)

    def share(above: Floats, below: Floats, w: Floats) -> Floats:
        total = w @ below
        out: Floats = np.divide(w @ above, total, out=np.full(len(w), np.nan), where=total > 0)
        return out

    def relative(w: Floats) -> Floats:
        acc1, acc2 = share(first, n, w), share(both + mended, n, w)
        spread = 2 * acc1 * (1 - acc1)
        out: Floats = np.divide(acc2 - acc1**2, spread, out=np.full(len(w), np.nan), where=spread > 0)
        return out

    change = paired_permutation((both + mended) / n, first / n, groups=groups, seed=seed)
    broken = float((first - both).sum())
    table = {
        "right_right": float(both.sum()),
        "right_wrong": broken,
        "wrong_right": float(mended.sum()),
        "wrong_wrong": float((n - first - mended).sum()),
    }
    interval = change.effect.interval
    sure = interval is not None and (interval[0] > 0 or interval[1] < 0)
    effect = change.effect.value or 0.0
    verdict = f"{name} {'helps' if effect > 0 else 'hurts'}" if sure else f"{name} changes nothing for sure"
    verdict += f": {table['wrong_right']:.0f} mended, {broken:.0f} broken of {n.sum():.0f}"
    return [
        finding(f"change by {name}", change, verdict=verdict, **table),
        finding(f"CL of {name}", bootstrap(lambda w: share(both, first, w), len(log), groups=groups, seed=seed)),
        finding(f"CS of {name}", bootstrap(lambda w: share(mended, n - first, w), len(log), groups=groups, seed=seed)),
        against_half(f"RSS of {name}", finding("", bootstrap(relative, len(log), groups=groups, seed=seed))),
        finding(
            f"oracle gap of {name}",
            paired_permutation((first + mended) / n, (both + mended) / n, groups=groups, seed=seed),
            verdict="what is lost because nobody says when to stop",
        ),
    ]


def against_half(name: str, result: Finding) -> Finding:
    """A finding whose null value is one half."""
    return Finding(name, result.estimate, result.interval, result.n, 0.5, None, "0.5 is no change", result.detail)
