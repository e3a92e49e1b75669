"""Named points of a finding as a drawing of its own, such as recognition against preference over training arms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from whetstone.app.console import interval, number
from whetstone.app.report.html import Markup, h
from whetstone.app.report.page import style
from whetstone.app.report.plots import Point, Series, chart, number_axis
from whetstone.core.errors import StoreError
from whetstone.core.types import Finding

DRAWN = re.compile(r'<svg viewBox="0 0 (\d+) (\d+)".*?>(.*)</svg>', re.DOTALL)
ABOVE = 58


def has_points(finding: Finding) -> bool:
    """Does the detail have named points?"""
    return isinstance(finding.detail.get("points"), Mapping) and isinstance(finding.detail.get("axes"), list | tuple)


def write_scatter(finding: Finding, path: Path, *, title: str = "") -> None:
    """Write the points of a finding as SVG. Raises StoreError when the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scatter(finding, title=title), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot write the picture: {error.strerror}") from error


def scatter(finding: Finding, *, title: str = "") -> str:
    """The drawing: one labelled mark a point, and what the finding says above them."""
    points: Mapping[str, tuple[float, float]] = finding.detail["points"]  # type: ignore[assignment]
    axes: tuple[str, str] = finding.detail["axes"]  # type: ignore[assignment]
    across, up = axes
    tips = {name: f"{name}: {across} {number(a, 3)}, {up} {number(b, 3)}" for name, (a, b) in points.items()}
    marks = tuple(Point(a, b, tips[name], label=name) for name, (a, b) in points.items())
    x, y = (number_axis(label, [pair[i] for pair in points.values()]) for i, label in enumerate(axes))
    figure = chart(title, [Series(finding.name, marks, "k0", line="none")], x, y)
    match = DRAWN.search(figure)
    if match is None:
        raise AssertionError("a chart is a drawing")
    width, height = int(match[1]), int(match[2]) + ABOVE
    said = f"{finding.name} {interval(finding.estimate, finding.interval)}, n = {finding.n}: {finding.verdict}"
    drawing = h(
        "svg",
        h("style", Markup(style())),
        h("rect", x=0, y=0, width=width, height=height, fill="var(--paper)"),
        h("text", title, x=10, y=24, cls="name", font_weight="600"),
        h("text", said, x=10, y=44),
        h("g", Markup(match[3]), transform=f"translate(0 {ABOVE})"),
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {width} {height}",
        width=width * 1.5,
        cls="plot",
        role="img",
        aria_label=title,
    )
    return f"{drawing}\n"
