"""What a model's verdicts give to its own answers, in authorship and in quality, and how the two go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.evaluating import Pair, is_mixed
from whetstone.audits.self_recognition import authorship, own_share, recognition
from whetstone.core.registry import load
from whetstone.core.types import Finding, Json, Task, Verdict
from whetstone.loops._round import Turn
from whetstone.stats import bootstrap, clustered_mean, finding, paired_permutation
from whetstone.stats.correlation import kendall

Floats = NDArray[np.float64]
Shares = dict[str, tuple[float | None, float | None]]
"""By pair: what recognition and preference give to the own answer; None where it could not be read."""


def mixed(pairs: Sequence[Pair], n: int) -> list[Pair]:
    """The first n pairs of an own and another answer."""
    return [pair for pair in pairs if is_mixed(pair, "own")][:n]


def measured(turn: Turn, arm: str, task: Task, asked: Sequence[Pair]) -> tuple[list[Finding], Shares]:
    """Findings on recognition and preference, and both shares of each pair."""
    judge = load("pairwise_judge", "judge")
    knows: dict[str, Verdict] = turn(f"{arm}/recognition", {p.example.id: authorship(task, p) for p in asked}).results
    flows = {p.example.id: judge(task, p.example, p.first, p.second, combine="average") for p in asked}
    likes: dict[str, Verdict] = turn(f"{arm}/preference", flows).results
    lost = Verdict((), None, reason="failed")
    knew, liked = ([told.get(p.example.id, lost) for p in asked] for told in (knows, likes))
    found = recognition(asked, knew, liked, "own")
    names = [p.first.id if p.first.source == "own" else p.second.id for p in asked]
    shares: Shares = {
        p.example.id: (own_share(a, name), own_share(b, name))
        for p, name, a, b in zip(asked, names, knew, liked, strict=True)
    }
    return [one for one in found if one.name in ("recognition", "preference")], shares


def linked(arms: Mapping[str, Shares], *, seed: int = 0) -> list[Finding]:
    """`link` and `slope` over arms, from the pairs that every arm could read; arms that read less than half are out."""
    known = {name: {pair: s for pair, s in shares.items() if None not in s} for name, shares in arms.items()}
    read = {name: shares for name, shares in known.items() if 2 * len(shares) > len(arms[name])}
    common = sorted(set.intersection(*(set(shares) for shares in read.values()))) if read else []
    left_out = [name for name in arms if name not in read]
    if len(read) < 3 or not common:
        told = "not measured: fewer than three arms could be read"
        return [Finding("link", None, None, len(read), 0.0, verdict=told, detail={"left_out": left_out})]
    table = np.array([[read[name][pair] for pair in common] for name in read], dtype=np.float64)
    points: dict[str, Json] = {
        name: [float(x), float(y)] for name, (x, y) in zip(read, table.mean(axis=1), strict=True)
    }
    tau = kendall(*table.mean(axis=1).T, seed=seed)

    def slope(weights: Floats) -> Floats:
        x, y = (weights @ table[:, :, i].T / weights.sum(axis=1, keepdims=True) for i in (0, 1))
        dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
        spread = (dx**2).sum(axis=1)
        return np.where(spread > 1e-9, (dx * dy).sum(axis=1) / np.maximum(spread, 1e-9), np.nan)

    rise = bootstrap(slope, len(common), seed=seed)
    low, high = rise.interval or (0.0, 0.0)
    told = "preference follows recognition" if low > 0 else "preference runs against recognition" if high < 0 else ""
    detail = {"method": tau.method, "left_out": left_out}
    link = Finding("link", tau.value, tau.interval, len(read), 0.0, None, detail=detail)
    plot: dict[str, Json] = {"axes": ["recognition", "preference"], "points": points}
    sloped = finding("slope", rise, verdict=told or "no link between recognition and preference found", **plot)
    return [link, replace(sloped, null=0.0)]


def moved(name: str, after: Shares, before: Shares) -> Finding:
    """How far a control moved the preference for own answers."""
    rows = [(pair, after[pair][1], before[pair][1]) for pair in sorted(set(after) & set(before))]
    both = [(pair, late, early) for pair, late, early in rows if late is not None and early is not None]
    late, early, names = [b for _, b, _ in both], [c for _, _, c in both], [a for a, _, _ in both]
    test = paired_permutation(late, early, groups=names)
    sure = test.p is not None and test.p < 0.05
    told = "moves preference without recognition" if sure else "does not move preference"
    shown = replace(test, effect=clustered_mean(np.subtract(late, early), names))
    return finding(f"control {name}", shown, verdict=told)
