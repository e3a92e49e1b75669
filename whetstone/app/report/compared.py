"""The page of a comparison: sentence, forests, matrix, profiles and tables in one self-contained file."""

from __future__ import annotations

from pathlib import Path

import whetstone.app.report.figures as f
from whetstone.app.comparison import Comparison, Curve, Paired, Slice, System
from whetstone.app.comparison_text import CORRECTIONS, alpha, amount, digits, headline, items, letter, remarks
from whetstone.app.console import number
from whetstone.app.report.forest import Cell, Line, forest, matrix
from whetstone.app.report.html import Markup, brief, embed_json, h, join, table
from whetstone.app.report.page import document, save
from whetstone.app.report.plots import (
    Axis,
    Marker,
    Point,
    Row,
    Series,
    chart,
    grid,
    number_axis,
    percent_axis,
)
from whetstone.app.result import encode
from whetstone.stats.estimate import Estimate

FEW = 4  # systems up to which the forest shows all pairs
CURVES = 6
MOST = 60  # rows of a forest
MARKERS: tuple[Marker, ...] = ("circle", "square", "triangle", "diamond")
DIRECTIONS = {1: "after", -1: "worse", 0: "off"}


def write_comparison(found: Comparison, path: Path) -> None:
    """Write the comparison as one HTML file that opens without network.

    Raises:
        StoreError: the file cannot be written.
    """
    save(render(found), path, "--picture")


def render(found: Comparison) -> str:
    """The page as text."""
    names = [system.name for system in found.systems]
    title = f"{' and '.join(brief(name, 40) for name in names)}" if len(names) == 2 else f"{len(names)} systems"
    figures = [means(found), differences(found), win_matrix(found), profiles(found), slices(found)]
    top = h(
        "header",
        h("p", "Whetstone comparison", cls="eyebrow"),
        h("h1", title, h("span", " on ", cls="on"), f"the same {items(found)}"),
        _verdict(found),
        h("p", headline(found), cls="lead"),
    )
    said = h("ul", *(h("li", text) for text in remarks(found)), cls="limits")
    main = h(
        "main",
        said,
        grid(*figures),
        h("section", h("h2", "Systems"), _systems(found)),
        h("section", h("h2", "Pairs"), _pairs(found)),
        h("section", h("h2", "By level"), _slices(found)) if found.slices else None,
    )
    foot = h("footer", h("p", f"Intervals are {100 * found.level:g} %. This file needs no network."))
    return document(f"Whetstone: {title}", top, main, foot, data=embed_json(encode(found), "result"))


def _verdict(found: Comparison) -> Markup | None:
    if found.gate is None:
        return None
    word = "passed" if found.gate.passed else "failed"
    return h("span", f"Gate {word}: {found.gate.rule}", cls=f"verdict {'good' if found.gate.passed else 'bad'}")


def ranked(found: Comparison) -> list[System]:
    """The systems, the best mean first."""
    return sorted(found.systems, key=lambda system: -(system.mean.value or 0.0))


def means(found: Comparison) -> Markup:
    """Each system's mean, with the tie groups beside them."""
    systems = ranked(found)[:MOST]
    place = {system.name: i for i, system in enumerate(systems)}
    tied = {letter(i): [place[n] for n in group if n in place] for i, group in enumerate(found.ties, 1)}
    tied = {name: group for name, group in tied.items() if len(group) > 1}
    shown = [s.mean for s in systems]
    unit = _unit(found)
    axis = _share_axis(shown) if unit else _axis("mean score", shown)
    decimals = digits(shown)
    lines = [
        Line(Row(s.name, s.mean.value or 0.0, _tip(s.name, s.mean, decimals), "after", s.mean.interval))
        for s in systems
    ]
    note = "Systems that share a bar at the right cannot be told apart." if tied else ""
    note += _cut(found.systems, systems)
    return forest("Mean score", lines, axis, groups=list(tied.values()), names=list(tied), note=note)


def differences(found: Comparison) -> Markup:
    """Paired differences: all pairs of few systems, else each system and the first."""
    first = found.systems[0].name
    every = len(found.systems) <= FEW
    pairs = [p for p in found.pairs if every or first in (p.treatment, p.baseline)]
    pairs = sorted(pairs, key=lambda p: -(p.difference.value or 0.0))[:MOST]
    decimals, unit = digits([p.difference for p in pairs]), _unit(found)
    shown = [p.difference for p in pairs if p.difference.value is not None]
    axis = _axis("percentage points" if unit else "difference of scores", shown, zero=True, scale=100 if unit else 1)
    lines = [
        Line(_difference_row(pair, decimals), f"− {brief(pair.baseline, 22)}" if every else "")
        for pair in pairs
        if pair.difference.value is not None
    ]
    adjusted = CORRECTIONS[found.correction] if len(found.pairs) > 1 else "one pair"
    note = f"Filled: told apart at {alpha(found)} ({adjusted}). Each interval is its own pair's."
    title = "Paired differences" if every else f"Difference to {brief(first, 30)}, item by item"
    return forest(title, lines, axis, rule=0.0, note=note)


def _difference_row(pair: Paired, decimals: int) -> Row:
    text = (
        f"{pair.treatment} − {pair.baseline}\n{_amount(pair.difference, decimals, signed=True)}\n"
        f"p = {f.p_value(pair.p)}, corrected {f.p_value(pair.adjusted)}\n"
        f"better on {pair.wins}, worse on {pair.losses}, same on {pair.ties}\nn = {pair.difference.n}"
    )
    style = DIRECTIONS[pair.direction]
    value = pair.difference.value or 0.0
    return Row(pair.treatment, value, text, style, pair.difference.interval, hollow=not pair.separated)


def win_matrix(found: Comparison) -> Markup | None:
    """How often the row's system scores higher than the column's on the same item."""
    systems = ranked(found)
    if len(systems) < 3 or not found.ties:
        return None
    known = {(p.treatment, p.baseline): p for p in found.pairs}

    def cell(row: str, column: str) -> Cell | None:
        pair, sign = known.get((row, column)), 1
        if pair is None:
            pair, sign = known.get((column, row)), -1
        if pair is None or pair.improvement.value is None:
            return None
        share = pair.improvement.value if sign > 0 else 1 - pair.improvement.value
        wins, losses = (pair.wins, pair.losses) if sign > 0 else (pair.losses, pair.wins)
        mark = "" if pair.separated else "\u202f·"
        text = (
            f"{row} against {column}\nhigher on {wins}, lower on {losses}, same on {pair.ties}\n"
            f"probability of improvement {share:.3f} (ties half), n = {pair.improvement.n}\n"
            f"{'told apart' if pair.separated else 'not told apart'}, p = {f.p_value(pair.adjusted)}"
        )
        direction = sign * pair.direction
        return Cell(f"{100 * share:.0f}{mark}", text, DIRECTIONS[direction], min(1.0, 4 * abs(share - 0.5)))

    names = [system.name for system in systems]
    cells = [[None if a == b else cell(a, b) for b in names] for a in names]
    note = (
        "Percent of items on which the row scores higher than the column (ties half). Grey with a dot: not told apart."
    )
    return matrix("Row against column", names, cells, note=note)


def profiles(found: Comparison) -> Markup | None:
    """Performance profiles of the best systems."""
    order = {system.name: i for i, system in enumerate(ranked(found))}
    curves = sorted(found.curves, key=lambda curve: order[curve.name])[:CURVES]
    if not curves:
        return None
    series = [_profile(i, curve) for i, curve in enumerate(curves)]
    thresholds = curves[0].thresholds
    axis = number_axis("score", thresholds)
    note = "Share of items that score above each threshold, with a pointwise band; a curve above another is better."
    return chart(
        "Performance profiles",
        series,
        axis,
        percent_axis("items above, %"),
        note=note + (f" The {CURVES} best of {len(found.curves)} systems." if len(found.curves) > CURVES else ""),
    )


def _profile(i: int, curve: Curve) -> Series:
    points = tuple(
        Point(
            threshold,
            share,
            f"{curve.name}\n{100 * share:.1f} % above {threshold:.4g}",
            None if low is None or high is None else (low, high),
        )
        for threshold, share, low, high in zip(curve.thresholds, curve.share, curve.low, curve.high, strict=True)
    )
    return Series(
        curve.name,
        points,
        f"k{i}",
        MARKERS[i % len(MARKERS)],
        "dashed" if i % 2 else "solid",
        band=True,
        light=True,
    )


def slices(found: Comparison) -> Markup | None:
    """Difference of two systems by level; of more, the table alone tells."""
    shown = [s for s in found.slices if s.difference.value is not None and len(found.systems) == 2][:MOST]
    if not shown:
        return None
    decimals, unit = digits([s.difference for s in shown]), _unit(found)
    axis = _axis(
        "percentage points" if unit else "difference of scores",
        [s.difference for s in shown],
        zero=True,
        scale=100 if unit else 1,
    )
    lines = [Line(_slice_row(one, decimals, 1 - found.level)) for one in shown]
    note = f"Filled: told apart at {alpha(found)} (Holm over all levels)."
    title = f"Difference to {brief(found.systems[0].name, 30)}, by level"
    return forest(title, lines, axis, rule=0.0, note=note)


def _slice_row(one: Slice, decimals: int, error: float) -> Row:
    apart = one.adjusted is not None and one.adjusted < error
    value = one.difference.value or 0.0
    text = (
        f"{one.level}: {one.treatment} − {one.baseline}\n{_amount(one.difference, decimals, signed=True)}\n"
        f"p = {f.p_value(one.p)}, corrected {f.p_value(one.adjusted)}\nn = {one.difference.n}"
    )
    style = ("after" if value > 0 else "worse") if apart else "off"
    return Row(one.level, value, text, style, one.difference.interval, hollow=not apart)


def _systems(found: Comparison) -> Markup:
    systems, decimals = ranked(found), digits([s.mean for s in found.systems])
    middle = any(s.middle for s in systems)
    head = ["system", "n", "mean"] + ["middle half"] * middle + (["rank", "ties"] if found.ties else [])
    rows = [
        [
            _name(s.name),
            f.count(s.mean.n),
            _amount(s.mean, decimals),
            *([_amount(s.middle, decimals)] if s.middle else [f.DASH] if middle else []),
            *([rank_text(s), " ".join(map(letter, s.ties))] if found.ties else []),
        ]
        for s in systems
    ]
    return table(head, rows, label="Systems")


def rank_text(system: System) -> str:
    """`1` or `2–4`."""
    if system.rank is None:
        return f.DASH
    low, high = system.rank
    return str(low) if low == high else f"{low}–{high}"


def _pairs(found: Comparison) -> Markup:
    decimals = digits([p.difference for p in found.pairs])
    head = ["pair", "n", "difference", "p", f"p, {CORRECTIONS[found.correction]}", "better on", "worse on", "same on"]
    head += ["higher score, probability", "detectable"]
    if found.margin is not None:
        head.append(f"within {found.margin:g}")
    rows = [
        [
            _name(f"{p.treatment} − {p.baseline}"),
            f.count(p.difference.n),
            _amount(p.difference, decimals, signed=True),
            f.p_value(p.p),
            f.p_value(p.adjusted),
            f.count(p.wins),
            f.count(p.losses),
            f.count(p.ties),
            _amount(p.improvement, 3),
            number(p.detectable, decimals),
            *([_equivalent(p)] if found.margin is not None else []),
        ]
        for p in found.pairs
    ]
    methods = ", ".join(dict.fromkeys(p.method for p in found.pairs))
    return join([table(head, rows, label="Pairs"), h("p", f"Test: {methods}.", cls="note")])


def _equivalent(pair: Paired) -> str:
    tested = pair.equivalence
    if tested is None or tested.p is None:
        return f.DASH
    return f"{'yes' if tested.equivalent else 'not shown'}, p {f.p_value(tested.p)}"


def _slices(found: Comparison) -> Markup:
    decimals = digits([s.difference for s in found.slices])
    rows = [
        [
            _name(f"{s.level}: {s.treatment} − {s.baseline}"),
            f.count(s.difference.n),
            _amount(s.difference, decimals, signed=True),
            f.p_value(s.p),
            f.p_value(s.adjusted),
        ]
        for s in found.slices
    ]
    return table(["level", "n", "difference", "p", "p, Holm"], rows, label="By level")


def _unit(found: Comparison) -> bool:
    """Are all means shares between 0 and 1?"""
    return all(s.mean.method.endswith(("wilson", "effective n")) for s in found.systems)


def _axis(label: str, shown: list[Estimate], *, zero: bool = False, scale: float = 1.0) -> Axis:
    values = [x for e in shown for x in (e.value, *(e.interval or ())) if x is not None]
    return number_axis(label, values, zero=zero, scale=scale)


def _share_axis(shown: list[Estimate]) -> Axis:
    """Percent, zoomed in where all intervals lie close together."""
    zoomed = _axis("%", shown, scale=100)
    return percent_axis("%") if zoomed.high - zoomed.low > 0.5 else zoomed


def _amount(estimate: Estimate, decimals: int, *, signed: bool = False) -> str:
    return amount(estimate, decimals, signed=signed).replace("-", f.MINUS)


def _name(text: str) -> Markup:
    """A row's header that does not break."""
    return h("span", text, cls="keep")


def _tip(name: str, estimate: Estimate, decimals: int) -> str:
    return f"{name}\n{_amount(estimate, decimals)}\nn = {estimate.n}"


def _cut(every: tuple[System, ...], shown: list[System]) -> str:
    return f" The {len(shown)} best of {len(every)}." if len(shown) < len(every) else ""
