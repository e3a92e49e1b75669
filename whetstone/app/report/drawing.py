"""Drawings of their own: the pictures of a page as SVG that opens without the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.app.report.html import Markup, h
from whetstone.app.report.page import style

FIGURE = re.compile(r'(?:<span class="title">(.*?)</span>.*?)?<svg viewBox="0 0 (\d+) (\d+)".*?>(.*)</svg>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Figure:
    """The drawing inside a figure of a page, with its title."""

    title: Markup
    width: int
    height: int
    body: Markup


def figure_of(text: str) -> Figure | None:
    """What a figure draws; None for one that draws nothing."""
    match = FIGURE.search(text)
    return match and Figure(Markup(match[1] or ""), int(match[2]), int(match[3]), Markup(match[4]))


def drawing(parts: Sequence[Markup], width: int, height: float, label: str) -> str:
    """An SVG file of these parts, with the style of pages."""
    drawn = h(
        "svg",
        h("style", Markup(style())),
        h("rect", x=0, y=0, width=width, height=height, fill="var(--paper)"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {width} {height:.0f}",
        width=width * 1.5,
        cls="plot",
        role="img",
        aria_label=label,
    )
    return f"{drawn}\n"
