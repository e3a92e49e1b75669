"""Plots as inline SVG. Every mark carries its value, interval and n as a title, which the page's script shows on hover.

Colours and strokes come from the style sheet by class, so that the same drawing serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from whetstone.app.report.html import Markup, brief, h, join

CHARACTER = 7.0  # width of an average character of axis text, in drawing units
MARKERS = {
    "circle": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "square": "M-3.6-3.6h7.2v7.2h-7.2Z",
    "triangle": "M0-4.6L4.6 3.6h-9.2Z",
    "diamond": "M0-5L5 0L0 5L-5 0Z",
    "bar": "M-1.2-5h2.4v10h-2.4Z",
}
Marker = Literal["circle", "square", "triangle", "diamond", "bar"]


@dataclass(frozen=True, slots=True)
class Point:
    """One mark: where it stands, its interval on the y axis, what hovering says, and an optional printed label.

    A label that is not `needed` is left out where it would cover something; hovering still tells it.
    """

    x: float
    y: float
    tip: str
    interval: tuple[float, float] | None = None
    label: str = ""
    needed: bool = True
    ring: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind. `style` is a class of the style sheet; two series of one name share a legend entry.

    `light` is for one of several repetitions: small marks, thin lines, intervals only on hover.
    """

    name: str
    points: tuple[Point, ...]
    style: str
    marker: Marker = "circle"
    line: Literal["solid", "dashed", "none"] = "solid"
    hollow: bool = False
    band: bool = False
    light: bool = False

    @property
    def cls(self) -> str:
        """Classes of its marks and lines."""
        return f"{self.style} light" if self.light else self.style


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high` with labelled ticks."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Position of a value between 0 (low) and 1 (high), kept inside the frame."""
        if self.log:
            part = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part))


def percent_axis(label: str) -> Axis:
    """0 to 100 %."""
    return Axis(label, 0.0, 1.0, tuple((t / 100, f"{t}{'%' if t == 100 else ''}") for t in range(0, 101, 20)))


def category_axis(label: str, names: Sequence[str]) -> Axis:
    """Names side by side at 0, 1, 2 ...; some stay unwritten where there are too many."""
    step = max(1, math.ceil(len(names) * max(3, *(min(len(n), 12) for n in names), 3) / 46)) if names else 1
    ticks = tuple((float(i), brief(name, 12)) for i, name in enumerate(names) if i % step == 0)
    return Axis(label, -0.5, max(0.5, len(names) - 0.5), ticks)


def number_axis(label: str, values: Sequence[float], *, zero: bool = False, scale: float = 1.0) -> Axis:
    """Round ticks around the values; `scale` multiplies what the ticks say (100 for percentage points)."""
    low, high = (
        min([*values, *([0.0] if zero else [])], default=0.0),
        max([*values, *([0.0] if zero else [])], default=1.0),
    )
    if high - low < 1e-9:
        low, high = low - 0.5 / scale, high + 0.5 / scale
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    low, high = (bound and bound + side * 0.04 * (high - low) for bound, side in ((low, -1), (high, 1)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step * scale) + 1e-9) + (1 if abs(step / power - 2.5) < 1e-9 else 0))
    ticks = tuple((i * step, f"{i * step * scale:,.{digits}f}".replace("-", "\u2212")) for i in range(first, last + 1))
    return Axis(label, low, high, ticks)


def log_axis(label: str, values: Sequence[float]) -> Axis:
    """Ticks at 1, 2 and 5 times powers of ten around positive values."""
    low, high = min(values) / 1.25, max(values) * 1.25
    marks = [
        m * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)
    ]
    return Axis(label, low, high, tuple((m, f"{m:,.0f}") for m in marks if low <= m <= high and m >= 1), log=True)


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawing area inside its margins."""

    x: Axis
    y: Axis
    width: int
    height: int
    left: float
    right: float = 19
    top: float = 10
    bottom: float = 44

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Drawing units of a point."""
        across, up = self.width - self.left - self.right, self.height - self.top - self.bottom
        return self.left + self.x.place(x) * across, self.top + (1 - self.y.place(y)) * up


def chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    small: bool = False,
    diagonal: bool = False,
    rule: float | None = None,
    note: str = "",
) -> Markup:
    """A figure with title, legend, axes and marks.

    Args:
        title: says what is shown.
        series: drawn in order, the last on top.
        x, y: the axes.
        small: for small multiples, three side by side.
        diagonal: draw y = x (perfect calibration).
        rule: draw a horizontal line at this y (no difference).
        note: one sentence under the plot.
    """
    width, height = (320, 250) if small else (460, 310)
    left = 30 + CHARACTER * max((len(text) for _, text in y.ticks), default=1)
    frame = Frame(x, y, width, height, left)
    body = [*_axes(frame)]
    if diagonal:
        body.append(line(frame.at(x.low, y.low), frame.at(x.high, y.high), "reference"))
    if rule is not None:
        body.append(line(frame.at(x.low, rule), frame.at(x.high, rule), "reference"))
    body += [_band(frame, s) for s in series if s.band]
    body += [_path(frame, s) for s in series if s.line != "none"]
    body += [_mark(frame, s, p) for s in series for p in s.points]
    body += _labels(frame, series)
    return figure(title, body, width, height, legend(series), note, small=small)


def figure(
    title: str, body: Sequence[Markup], width: int, height: int, key: Markup | None, note: str, *, small: bool = False
) -> Markup:
    """Wrap drawn parts as a figure."""
    drawing = h(
        "svg", *body, view_box=f"0 0 {width} {height}", role="group", aria_label=title, cls="plot", tabindex="0"
    )
    caption = h("figcaption", h("span", title, cls="title"), key)
    return h("figure", caption, drawing, h("p", note, cls="note") if note else None, cls="small" if small else None)


def legend(series: Sequence[Series]) -> Markup | None:
    """Line, marker and name of each kind of series; None where there is only one."""
    kinds = {s.name: s for s in reversed(series)}
    if len(kinds) < 2:
        return None
    return h("ul", *(_key(kinds[name]) for name in dict.fromkeys(s.name for s in series)), cls="legend")


def _key(s: Series) -> Markup:
    stroke = h("line", x1=0, y1=6, x2=24, y2=6, cls=f"stroke {s.line}") if s.line != "none" else None
    dot = h("path", d=MARKERS[s.marker], transform="translate(12 6)", cls="dot hollow" if s.hollow else "dot")
    swatch = h("svg", stroke, dot, view_box="0 0 24 12", width=24, height=12, cls=s.style, aria_hidden="true")
    return h("li", swatch, " ", s.name)


def _axes(frame: Frame) -> list[Markup]:
    x, y = frame.x, frame.y
    floor = frame.height - frame.bottom
    parts = [line(frame.at(x.low, value), frame.at(x.high, value), "grid") for value, _ in y.ticks]
    parts.append(line((frame.left, floor), (frame.width - frame.right, floor), "axis"))
    for value, text in y.ticks:
        _, py = frame.at(x.low, value)
        parts.append(h("text", text, x=frame.left - 7, y=py + 4, cls="tick end"))
    for value, text in x.ticks:
        px, _ = frame.at(value, y.low)
        parts.append(h("text", text, x=px, y=floor + 17, cls="tick middle"))
    parts.append(
        h("text", x.label, x=(frame.left + frame.width - frame.right) / 2, y=frame.height - 6.0, cls="label middle")
    )
    middle = (frame.top + floor) / 2
    parts.append(h("text", y.label, cls="label middle", transform=f"translate(11 {middle:.0f}) rotate(-90)"))
    return parts


def line(start: tuple[float, float], end: tuple[float, float], cls: str) -> Markup:
    """A straight line between two places of the drawing."""
    return h("line", x1=float(start[0]), y1=float(start[1]), x2=float(end[0]), y2=float(end[1]), cls=cls)


def _path(frame: Frame, s: Series) -> Markup:
    places = " ".join("{:.1f},{:.1f}".format(*frame.at(p.x, p.y)) for p in s.points)
    return h("polyline", points=Markup(places), cls=f"stroke {s.line} {s.cls}")


def _band(frame: Frame, s: Series) -> Markup:
    inside = [(p.x, *p.interval) for p in s.points if p.interval]
    edge = [frame.at(x, high) for x, _, high in inside] + [frame.at(x, low) for x, low, _ in reversed(inside)]
    return h("polygon", points=Markup(" ".join(f"{px:.1f},{py:.1f}" for px, py in edge)), cls=f"band {s.style}")


def _mark(frame: Frame, s: Series, p: Point) -> Markup:
    px, py = frame.at(p.x, p.y)
    whisker = None
    if p.interval and not s.band:
        low, high = (frame.at(p.x, bound)[1] - py for bound in p.interval)
        whisker = h("path", d=f"M0 {low:.1f}V{high:.1f}M-3 {low:.1f}h6M-3 {high:.1f}h6", cls="whisker")
    return h(
        "g",
        h("title", p.tip),
        whisker,
        h("circle", r=8, cls="ring") if p.ring else None,
        h("path", d=MARKERS[s.marker], cls="dot hollow" if s.hollow else "dot"),
        h("circle", r=11, cls="hit"),
        transform=f"translate({px:.1f} {py:.1f})",
        cls=f"mark {s.cls}",
        role="img",
    )


def _labels(frame: Frame, series: Sequence[Series]) -> list[Markup]:
    """Printed labels, each at the first of four places where it hides no mark and no other label."""
    spots = [frame.at(p.x, p.y) for s in series for p in s.points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in spots]
    whiskers = [
        (x - 2, frame.at(p.x, p.interval[1])[1], x + 2, frame.at(p.x, p.interval[0])[1])
        for (x, _), p in zip(spots, (p for s in series for p in s.points), strict=True)
        if p.interval
    ]
    parts = []
    labelled = [p for s in series for p in s.points if p.label]
    for p in sorted(labelled, key=lambda p: not p.needed):
        text = brief(p.label, 26)
        px, py = frame.at(p.x, p.y)
        wide, gap = CHARACTER * len(text), 14 if p.ring else 10
        choices = [
            (px + gap, py + 4, "start", px + gap),
            (px - gap, py + 4, "end", px - gap - wide),
            (px, py - 11, "middle", px - wide / 2),
            (px, py + 19, "middle", px - wide / 2),
            (px + 8, py - 9, "start", px + 8),
            (px + 8, py + 16, "start", px + 8),
            (px - 8, py - 9, "end", px - 8 - wide),
            (px - 8, py + 16, "end", px - 8 - wide),
        ]
        scored = []
        for order, (x, y, anchor, left) in enumerate(choices):
            box = (left, y - 10, left + wide, y + 3)
            clashes = sum(_overlap(box, b) for b in taken) + 0.4 * sum(_overlap(box, b) for b in whiskers)
            outside = box[0] < frame.left or box[2] > frame.width or box[1] < 0 or box[3] > frame.height - frame.bottom
            scored.append((clashes + 10 * outside, order, x, y, anchor, box))
        clashes, _, x, y, anchor, box = min(scored)
        if clashes >= 1 and not p.needed:
            continue
        taken.append(box)
        parts.append(h("text", text, x=float(x), y=float(y), cls=f"tick name {anchor}"))
    return parts


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a `rows` plot: a value with its interval, named at the left."""

    name: str
    value: float
    tip: str
    style: str
    interval: tuple[float, float] | None = None
    text: str = ""
    hollow: bool = False
    marker: Marker = "circle"


def rows(
    title: str, items: Sequence[Row], axis: Axis, *, bars: bool = False, rule: float | None = None, note: str = ""
) -> Markup:
    """Values by name, as dots with intervals or as bars from the axis' low end."""
    step, top, width = 26, 8, 460
    height = top + step * len(items) + (12 if bars else 42)
    left = 14 + CHARACTER * max((min(len(item.name), 22) for item in items), default=0)
    right = 76.0 if bars else 16.0
    frame = Frame(axis, Axis("", 0, 1, ()), width, height, left, right, top, 12 if bars else 42)
    parts: list[Markup] = []
    for value, text in () if bars else axis.ticks:
        px, _ = frame.at(value, 0)
        parts.append(line((px, top), (px, height - 42), "grid"))
        parts.append(h("text", text, x=px, y=height - 25.0, cls="tick middle"))
    if not bars:
        parts.append(h("text", axis.label, x=(left + width - right) / 2, y=height - 6.0, cls="label middle"))
    if rule is not None:
        px, _ = frame.at(rule, 0)
        parts.append(line((px, top), (px, height - 42), "reference"))
    for i, item in enumerate(items):
        y = top + step * (i + 0.5)
        parts.append(h("text", brief(item.name, 22), x=left - 10, y=y + 4, cls="tick name end"))
        parts.append(_bar(frame, item, y) if bars else dot(frame, item, y))
    return figure(title, parts, width, height, None, note)


def dot(frame: Frame, item: Row, y: float) -> Markup:
    """A value at height y, with its interval along the x axis."""
    px, _ = frame.at(item.value, 0)
    whisker = None
    if item.interval:
        low, high = (frame.at(bound, 0)[0] - px for bound in item.interval)
        whisker = h("path", d=f"M{low:.1f} 0H{high:.1f}M{low:.1f}-3v6M{high:.1f}-3v6", cls="whisker")
    return h(
        "g",
        h("title", item.tip),
        whisker,
        h("path", d=MARKERS[item.marker], cls="dot hollow" if item.hollow else "dot"),
        h("circle", r=11, cls="hit"),
        transform=f"translate({px:.1f} {y:.1f})",
        cls=f"mark {item.style}",
        role="img",
    )


def _bar(frame: Frame, item: Row, y: float) -> Markup:
    px, _ = frame.at(item.value, 0)
    return h(
        "g",
        h("title", item.tip),
        h("path", d=f"M{frame.left:.1f} {y - 7:.1f}H{max(px, frame.left + 1):.1f}v14H{frame.left:.1f}Z", cls="fill"),
        h("text", item.text, x=max(px, frame.left + 1) + 7, y=y + 4, cls="tick"),
        cls=f"mark {item.style}",
        role="img",
    )


def spread(series: Sequence[Series], width: float = 0.12) -> list[Series]:
    """Shift series that share x positions a little apart, so that their intervals do not cover each other."""
    middle = (len(series) - 1) / 2
    gap = min(width, 0.6 / max(len(series), 1))
    return [
        replace(s, points=tuple(replace(p, x=p.x + (i - middle) * gap) for p in s.points)) for i, s in enumerate(series)
    ]


def grid(*figures: Markup | None) -> Markup | None:
    """Figures side by side, as many as fit."""
    drawn = [f for f in figures if f]
    return h("div", join(drawn), cls="figures") if drawn else None
