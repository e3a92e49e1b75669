"""Drawings of comparisons: values with intervals line by line, with tie groups beside them, and a matrix of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.app.report.html import Markup, brief, h
from whetstone.app.report.plots import Axis, Frame, Row, dot, figure, line

WIDTH = 460
CHARACTER = 8.0  # of a name, in drawing units, at the larger type of narrow screens
LONGEST = 24


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a forest: its mark, and a second line of its name."""

    row: Row
    under: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a matrix: what it shows, what hovering says, its colour's class and how strong it is (0 to 1)."""

    text: str
    tip: str
    style: str
    strength: float


def forest(
    title: str,
    lines: Sequence[Line],
    axis: Axis,
    *,
    rule: float | None = None,
    groups: Sequence[Sequence[int]] = (),
    names: Sequence[str] = (),
    note: str = "",
) -> Markup:
    """Values with intervals, one under the other.

    Args:
        title: says what is shown.
        lines: from top to bottom.
        axis: of the values.
        rule: draw a vertical line at this value (no difference).
        groups: sets of row numbers that are tied, each drawn as a bar at the right.
        names: of the groups, printed under their bars.
        note: one sentence under the plot.
    """
    step, top, foot = 34 if any(item.under for item in lines) else 26, 8 + 12 * bool(groups), 42
    height = top + step * len(lines) + foot
    longest = max((min(len(text), LONGEST) for item in lines for text in (item.row.name, item.under)), default=0)
    left, right = 14 + CHARACTER * longest, 16 + 13.0 * len(groups)
    frame = Frame(axis, Axis("", 0, 1, ()), WIDTH, height, left, right, top, foot)
    parts: list[Markup] = []
    for value, text in axis.ticks:
        x, _ = frame.at(value, 0)
        parts.append(line((x, top), (x, height - foot), "grid"))
        parts.append(h("text", text, x=x, y=height - 25.0, cls="tick middle"))
    parts.append(h("text", axis.label, x=(left + WIDTH - right) / 2, y=height - 6.0, cls="label middle"))
    if rule is not None:
        x, _ = frame.at(rule, 0)
        parts.append(line((x, top), (x, height - foot), "reference"))
    for i, item in enumerate(lines):
        y = top + step * (i + 0.5)
        up = 4 if item.under else 0
        parts.append(h("text", brief(item.row.name, LONGEST), x=left - 10, y=y + 4 - up, cls="tick name end"))
        if item.under:
            parts.append(h("text", brief(item.under, LONGEST), x=left - 10, y=y + 13.0, cls="tick end"))
        parts.append(dot(frame, item.row, y))
    for g, group in enumerate(groups):
        x = WIDTH - right + 14 + 13.0 * g
        ends = (top + step * (min(group) + 0.22), top + step * (max(group) + 0.78))
        parts.append(h("text", names[g], x=x, y=top - 3.0, cls="tick middle"))
        parts.append(h("g", line((x, ends[0]), (x, ends[1]), "stroke"), cls="k5"))
        parts += [_member(x, top + step * (i + 0.5)) for i in group if len(group) < max(group) - min(group) + 1]
    return figure(title, parts, WIDTH, height, None, note)


def _member(x: float, y: float) -> Markup:
    """A dot that says which rows a bar with gaps is about."""
    return h("g", h("circle", cx=x, cy=y, r=3, cls="dot"), cls="k5")


def matrix(title: str, names: Sequence[str], cells: Sequence[Sequence[Cell | None]], *, note: str = "") -> Markup:
    """A square of pairs: row against column. Columns carry the rows' numbers, so that long names fit."""
    k = len(names)
    left = 34 + CHARACTER * max(min(len(name), 20) for name in names)
    size = min(58.0, (WIDTH - left - 4) / k)
    top, height = 22, round(26 + size * k)
    parts: list[Markup] = []
    for i, name in enumerate(names):
        middle = top + size * (i + 0.5) + 4
        parts.append(h("text", f"{brief(name, 20)} {i + 1}", x=left - 8, y=middle, cls="tick name end"))
        parts.append(h("text", str(i + 1), x=left + size * (i + 0.5), y=15.0, cls="tick middle"))
        parts += [_cell(cell, left + size * j, top + size * i, size) for j, cell in enumerate(cells[i]) if cell]
    return figure(title, parts, WIDTH, height, None, note)


def _cell(cell: Cell, x: float, y: float, size: float) -> Markup:
    gap = min(2.0, size * 0.08)
    return h(
        "g",
        h("title", cell.tip),
        h(
            "rect",
            x=x + gap / 2,
            y=y + gap / 2,
            width=size - gap,
            height=size - gap,
            rx=min(3.0, size / 8),
            cls="fill",
            fill_opacity=0.1 + 0.75 * cell.strength,
        ),
        h("text", cell.text, x=x + size / 2, y=y + size / 2 + 4, cls="tick name middle") if size >= 25 else None,
        cls=f"mark {cell.style}",
        role="img",
    )
