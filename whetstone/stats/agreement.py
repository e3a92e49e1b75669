"""Do raters agree beyond chance? Kappa of two raters, alpha and AC1 of any number, with intervals over items.

`intraclass_correlation` and `fleiss_kappa` are in `raters`, correlations in `correlation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whetstone.stats._arrays import Codes, Floats, Groups, same_length
from whetstone.stats._totals import bootstrap_totals
from whetstone.stats.estimate import Estimate

Scale = Literal["nominal", "ordinal", "interval", "ratio"]
DISTINCT = 64  # values of a scale that is handled as a table


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    labels: Sequence[Any] | None = None,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Agreement of two raters on labels, beyond what their own frequencies of labels would give.

    Args:
        first, second: [n] labels of the same items.
        weights: None counts every disagreement alike; "linear" and "quadratic" by how many labels lie between.
        labels: all labels in order; None takes those that occur, sorted, which shortens a scale with unused labels.
        groups: [n] cluster of each item, resampled whole.
        rounds, level, seed: of the bootstrap.

    Unknown when chance alone would agree always (both raters use one and the same label). Raises ValueError for
    lengths that differ and labels that are not among `labels`.

    Source: Cohen, "A coefficient of agreement for nominal scales" (1960) and "Weighted kappa" (1968).
    """
    a, b = np.asarray(first), np.asarray(second)
    same_length(first=a, second=b)
    known, codes = coded(np.stack([a, b], axis=1), labels)
    if (codes < 0).any():
        raise ValueError("kappa of two raters needs both labels of every item: leave the others out")
    k = len(known)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(float)
    cost = {"linear": apart, "quadratic": apart**2}.get(weights or "", (apart > 0).astype(float))

    def statistic(totals: Floats) -> Floats:
        table = totals.reshape(-1, k, k)
        rows, columns = table.sum(axis=2), table.sum(axis=1)
        expected = ((rows @ cost) * columns).sum(axis=1) / rows.sum(axis=1)
        return 1 - quotient((table * cost).sum(axis=(1, 2)), expected)

    name = f"cohen kappa{f', {weights}' if weights else ''}"
    which = codes[:, 0] * k + codes[:, 1]
    return bootstrap_totals(
        statistic, np.eye(k * k), which, name=name, groups=groups, rounds=rounds, level=level, seed=seed
    )


def krippendorff_alpha(
    ratings: ArrayLike,
    *,
    scale: Scale = "nominal",
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Agreement of any number of raters, on any scale, with ratings missing.

    Args:
        ratings: [items, raters] labels or numbers; NaN or None where a rating is missing.
        scale: how far apart two ratings are: "nominal" (differ or not), "ordinal" (ranks between them), "interval"
            (squared difference), "ratio" (difference as a share of the sum, squared).
        groups: [items] cluster of each item, resampled whole.
        rounds, level, seed: of the bootstrap over items, which redoes expected disagreement in each resample.

    Items with fewer than two ratings say nothing and are left out; the note counts them. Unknown when all ratings are
    equal. Raises ValueError for a scale of labels that are not numbers, and for more than 64 distinct values on the
    ordinal and the ratio scale.

    Source: Krippendorff, "Computing Krippendorff's alpha-reliability" (2011).
    """
    if scale not in ("nominal", "ordinal", "interval", "ratio"):
        raise ValueError(f"scale is {scale!r}; it can be nominal, ordinal, interval or ratio")
    values, codes = coded(_table(ratings))
    if scale != "nominal" and values.dtype.kind not in "biuf":
        raise ValueError(f"{scale} ratings must be numbers")
    kept = (codes >= 0).sum(axis=1) >= 2
    patterns, which = patterns_of(codes[kept])
    k = len(values)
    features = (
        _moments(patterns, values.astype(float))
        if scale == "interval"
        else _coincidences(patterns, k, f"{scale} alpha")
    )

    def statistic(totals: Floats) -> Floats:
        if scale == "interval":
            n, total, squares, within = totals.T
            expected = 2 * (n * squares - total**2)
            expected[expected <= 1e-12 * n * squares] = 0
            return 1 - quotient((n - 1) * within, expected)
        table = totals.reshape(-1, k, k)
        margin = table.sum(axis=2)
        far = _distances(scale, values, margin)
        expected = (margin[:, :, None] * margin[:, None, :] * far).sum(axis=(1, 2))
        return 1 - quotient((margin.sum(axis=1) - 1) * (table * far).sum(axis=(1, 2)), expected)

    where = None if groups is None else [group for group, keep in zip(groups, kept, strict=True) if keep]
    found = bootstrap_totals(
        statistic,
        features,
        which,
        name=f"krippendorff alpha, {scale}",
        groups=where,
        rounds=rounds,
        level=level,
        seed=seed,
    )
    return _noted(found, int((~kept).sum()))


def gwet_ac1(
    ratings: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Agreement of any number of raters on labels; unlike kappa it does not collapse when one label is rare.

    Args:
        ratings: [items, raters] labels; NaN or None where one is missing.
        labels: all labels; None takes those that occur.
        groups, rounds, level, seed: as in `krippendorff_alpha`.

    Items with one rating count in the frequencies of labels only. Unknown when only one label is known.

    Source: Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement" (2008).
    """
    known, codes = coded(_table(ratings), labels)
    kept = (codes >= 0).sum(axis=1) >= 1
    patterns, which = patterns_of(codes[kept])
    counts = counts_of(patterns, len(known))
    m = counts.sum(axis=1)
    pairs = np.maximum(m * (m - 1), 1)
    agree = (counts * (counts - 1)).sum(axis=1) / pairs
    features = np.column_stack([agree, m >= 2, np.ones(len(m)), counts / m[:, None]])

    def statistic(totals: Floats) -> Floats:
        observed = quotient(totals[:, 0], totals[:, 1])
        share = totals[:, 3:] / totals[:, 2:3]
        chance = (share * (1 - share)).sum(axis=1) / max(len(known) - 1, 1)
        return quotient(observed - chance, 1 - chance) if len(known) > 1 else np.full(len(totals), np.nan)

    where = None if groups is None else [group for group, keep in zip(groups, kept, strict=True) if keep]
    found = bootstrap_totals(
        statistic, features, which, name="gwet AC1", groups=where, rounds=rounds, level=level, seed=seed
    )
    return _noted(found, int((~kept).sum()))


def _table(ratings: ArrayLike) -> NDArray[Any]:
    table = np.asarray(ratings)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"ratings must be [items, raters] with two raters or more, not of shape {table.shape}")
    return table


def coded(table: NDArray[Any], labels: Sequence[Any] | None = None) -> tuple[NDArray[Any], Codes]:
    """The labels in order, and [items, raters] which of them each rating is; -1 where missing."""
    if table.dtype == object:
        there = np.array([value is not None and value == value for value in table.ravel()], bool).reshape(table.shape)
    else:
        there = ~np.isnan(table) if table.dtype.kind == "f" else np.ones(table.shape, bool)
    seen = table[there]
    if table.dtype == object and all(isinstance(value, (bool, int, float)) for value in seen):
        seen = seen.astype(float)
    values, found = np.unique(seen, return_inverse=True)
    if labels is not None:
        order = np.asarray(labels)
        if not set(values.tolist()) <= set(order.tolist()):
            raise ValueError(f"not all ratings are among the labels {list(labels)}")
        place = {label: i for i, label in enumerate(order.tolist())}
        found, values = np.array([place[value] for value in values.tolist()], np.intp)[found], order
    codes = np.full(table.shape, -1, np.intp)
    codes[there] = found
    return values, codes


def patterns_of(codes: Codes) -> tuple[Codes, Codes]:
    """Distinct items as far as agreement can tell (the order of raters does not matter), and which each item is."""
    ordered = np.sort(codes, axis=1)
    base, raters = int(ordered.max(initial=0)) + 2, ordered.shape[1]
    if base**raters < 2**62:
        keys = (ordered + 1) @ (base ** np.arange(raters, dtype=np.int64))
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    else:
        _, first, which = np.unique(ordered, axis=0, return_index=True, return_inverse=True)
    return ordered[first], which.ravel()


def counts_of(patterns: Codes, k: int) -> Floats:
    """How many raters gave each label: [P, k]."""
    return np.stack([(patterns == label).sum(axis=1) for label in range(k)], axis=1).astype(float)


def _coincidences(patterns: Codes, k: int, name: str) -> Floats:
    """Each pattern's table of ordered pairs of ratings, weighted to its number of ratings: [P, k * k]."""
    if k > DISTINCT:
        raise ValueError(f"{name} of more than {DISTINCT} distinct values: round them, or use the interval scale")
    counts = counts_of(patterns, k)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(k), np.arange(k)] -= counts
    return np.asarray((pairs / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(patterns), k * k))


def _moments(patterns: Codes, values: Floats) -> Floats:
    """Number, sum and squares of each pattern's ratings, and their squared differences within it: [P, 4]."""
    there = patterns >= 0
    x = np.where(there, (values - (values.mean() if values.size else 0.0))[np.maximum(patterns, 0)], 0.0)
    m, total, squares = there.sum(axis=1), x.sum(axis=1), (x**2).sum(axis=1)
    return np.column_stack([m, total, squares, 2 * (m * squares - total**2) / (m - 1)])


def _distances(scale: Scale, values: NDArray[Any], margin: Floats) -> Floats:
    """Squared distances between labels, [rounds or 1, k, k]; ordinal ones depend on how often labels occur."""
    if scale == "nominal":
        return (1 - np.eye(len(values)))[None]
    if scale == "ordinal":
        rank = margin.cumsum(axis=1) - margin / 2
        return np.asarray((rank[:, :, None] - rank[:, None, :]) ** 2)
    x = values.astype(float)
    total = np.add.outer(x, x)
    return (quotient(np.subtract.outer(x, x), np.where(total == 0, 1.0, total)) ** 2)[None]


def quotient(above: Floats, below: Floats) -> Floats:
    """Quotient, NaN where the denominator is 0."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def _noted(found: Estimate, left_out: int) -> Estimate:
    """The estimate, with a note of how many items had too few ratings."""
    if not left_out:
        return found
    note = "; ".join(filter(None, (f"{left_out} items with too few ratings left out", found.note)))
    return Estimate(found.value, found.interval, found.n, found.stderr, found.method, note)
