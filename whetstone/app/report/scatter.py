"""Named points of a finding as a drawing of its own, such as recognition against preference over training arms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from whetstone.app.console import interval, number
from whetstone.app.report.drawing import drawing, figure_of
from whetstone.app.report.html import h
from whetstone.app.report.page import save
from whetstone.app.report.plots import Point, Series, chart, number_axis
from whetstone.core.types import Finding

ABOVE = 58


def has_points(finding: Finding) -> bool:
    """Does the detail have named points?"""
    return isinstance(finding.detail.get("points"), Mapping) and isinstance(finding.detail.get("axes"), list | tuple)


def write_scatter(finding: Finding, path: Path, *, title: str = "") -> None:
    """Write the points of a finding as SVG. Raises StoreError when the file cannot be written."""
    save(scatter(finding, title=title), path, "--out")


def scatter(finding: Finding, *, title: str = "") -> str:
    """The drawing: one labelled mark a point, and what the finding says above them."""
    points: Mapping[str, tuple[float, float]] = finding.detail["points"]  # type: ignore[assignment]
    axes: tuple[str, str] = finding.detail["axes"]  # type: ignore[assignment]
    across, up = axes
    tips = {name: f"{name}: {across} {number(a, 3)}, {up} {number(b, 3)}" for name, (a, b) in points.items()}
    marks = tuple(Point(a, b, tips[name], label=name) for name, (a, b) in points.items())
    x, y = (number_axis(label, [pair[i] for pair in points.values()]) for i, label in enumerate(axes))
    figure = figure_of(chart(title, [Series(finding.name, marks, "k0", line="none")], x, y))
    if figure is None:
        raise AssertionError("a chart is a drawing")
    said = f"{finding.name} {interval(finding.estimate, finding.interval)}, n = {finding.n}: {finding.verdict}"
    parts = (
        h("text", title, x=10, y=24, cls="name", font_weight="600"),
        h("text", said, x=10, y=44),
        h("g", figure.body, transform=f"translate(0 {ABOVE})"),
    )
    return drawing(parts, figure.width, figure.height + ABOVE, title)
