"""Drawings of comparisons: values with intervals line by line, with tie groups beside them, and a matrix of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from whetstone.app.report.html import Markup, brief, h
from whetstone.app.report.plots import Axis, Frame, Row, dot, figure, line

WIDTH = 460
CHARACTER = 8.0  # of a name, in drawing units, at the larger type of narrow screens
LONGEST = 24
MANY = 30  # rows beyond which a forest is drawn closer
NUMBERED = 14  # rows beyond which a matrix carries numbers instead of names


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a forest: its mark, a second line of its name, and what stands in the columns at its right."""

    row: Row
    under: str = ""
    right: tuple[str, ...] = ()


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
    columns: Sequence[str] = (),
    bands: Sequence[int] = (),
    note: str = "",
) -> Markup:
    """Values with intervals, one under the other.

    Args:
        title: says what is shown.
        lines: from top to bottom.
        axis: of the values.
        rule: draw a vertical line at this value (no difference).
        groups: sets of row numbers that are tied, each drawn as a bar at the right.
        names: of the groups, printed over their bars.
        columns: heads of what stands at the right of each line.
        bands: a number for each line; neighbours of one number share a tint.
        note: one sentence under the plot.
    """
    step = 34 if any(item.under for item in lines) else 26 if len(lines) <= MANY else 18
    top, foot = 8 + 12 * bool(groups or columns), 42
    height = top + step * len(lines) + foot
    longest = max((min(len(text), LONGEST) for item in lines for text in (item.row.name, item.under)), default=0)
    widths = [
        12 + CHARACTER * max(map(len, (head, *(item.right[c] for item in lines)))) for c, head in enumerate(columns)
    ]
    left, right = 14 + CHARACTER * longest, 16 + 13.0 * len(groups) + sum(widths)
    frame = Frame(axis, Axis("", 0, 1, ()), WIDTH, height, left, right, top, foot)
    parts = _bands(bands, top, step)
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
    for c, head in enumerate(columns):
        x = WIDTH - sum(widths[c + 1 :]) - 6
        parts.append(h("text", head, x=x, y=top - 5.0, cls="label end"))
        parts += [
            h("text", item.right[c], x=x, y=top + step * (i + 0.5) + 4, cls="tick end") for i, item in enumerate(lines)
        ]
    for g, group in enumerate(groups):
        x = WIDTH - right + 14 + 13.0 * g
        ends = (top + step * (min(group) + 0.22), top + step * (max(group) + 0.78))
        parts.append(h("text", names[g], x=x, y=top - 3.0, cls="tick middle"))
        parts.append(h("g", line((x, ends[0]), (x, ends[1]), "stroke"), cls="k5"))
        parts += [_member(x, top + step * (i + 0.5)) for i in group if len(group) < max(group) - min(group) + 1]
    return figure(title, parts, WIDTH, height, None, note)


def _bands(bands: Sequence[int], top: float, step: float) -> list[Markup]:
    """Every other run of equal numbers, tinted."""
    starts = [i for i in range(len(bands)) if i == 0 or bands[i] != bands[i - 1]]
    runs = list(pairwise([*starts, len(bands)]))
    return [
        h("rect", x=0, y=top + step * start, width=WIDTH, height=step * (end - start), cls="tint")
        for start, end in runs[1::2]
    ]


def _member(x: float, y: float) -> Markup:
    """A dot that says which rows a bar with gaps is about."""
    return h("g", h("circle", cx=x, cy=y, r=3, cls="dot"), cls="k5")


def matrix(
    title: str,
    names: Sequence[str],
    cells: Sequence[Sequence[Cell | None]],
    *,
    columns: Sequence[str] = (),
    note: str = "",
) -> Markup:
    """Rows against columns.

    Args:
        title: says what is shown.
        names: of the rows.
        cells: by row and column.
        columns: their names, written upright; none for a square, whose columns carry the rows' numbers so that long
            names fit, and where there are many only numbers.
        note: one sentence under the plot.
    """
    k, numbered = len(names), not columns and len(names) > NUMBERED
    left = 34 + (0 if numbered else CHARACTER * max(min(len(name), 20) for name in names)) - 16 * bool(columns)
    size = min(58.0, (WIDTH - left - 4) / (len(columns) or k))
    tall = min(26.0, size) if columns else size
    top = 10 + CHARACTER * max(min(len(name), 18) for name in columns) if columns else 22
    height = round(top + 4 + tall * k)
    parts: list[Markup] = []
    for i, name in enumerate(names):
        middle = top + tall * (i + 0.5) + 4
        if not numbered:
            text = brief(name, 20) if columns else f"{brief(name, 20)} {i + 1}"
            parts.append(h("text", text, x=left - 8, y=middle, cls="tick name end"))
        elif i == 0 or (i + 1) % 5 == 0:
            parts.append(h("text", str(i + 1), x=left - 8, y=middle, cls="tick end"))
        if not columns and (not numbered or i == 0 or (i + 1) % 5 == 0):
            parts.append(h("text", str(i + 1), x=left + size * (i + 0.5), y=15.0, cls="tick middle"))
        row = enumerate(cells[i])
        parts += [_cell(cell, left + size * j, top + tall * i, size, tall) for j, cell in row if cell]
    for j, name in enumerate(columns):
        place = f"translate({left + size * (j + 0.5) + 4:.1f} {top - 6:.1f}) rotate(-90)"
        parts.append(h("text", brief(name, 18), transform=place, cls="tick"))
    return figure(title, parts, WIDTH, height, None, note)


def _cell(cell: Cell, x: float, y: float, size: float, tall: float) -> Markup:
    gap, fits = min(2.0, size * 0.08), size >= (25 if len(cell.text) > 2 else 18)
    return h(
        "g",
        h("title", cell.tip),
        h(
            "rect",
            x=x + gap / 2,
            y=y + gap / 2,
            width=size - gap,
            height=tall - gap,
            rx=min(3.0, size / 8),
            cls="fill",
            fill_opacity=0.1 + 0.75 * cell.strength,
        ),
        h("text", cell.text, x=x + size / 2, y=y + tall / 2 + 4, cls="tick name middle") if fits else None,
        cls=f"mark {cell.style}",
        role="img",
    )
