"""HTML built from values: every string is escaped unless it is already `Markup`, so model text cannot get out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

LIMIT = 400
VOID = {"meta", "br", "line", "path", "circle", "rect", "polyline", "polygon"}
# C0 and C1 controls, bidirectional overrides, line separators, byte order mark and lone surrogates
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def visible(text: str, limit: int = LIMIT) -> str:
    """Text with unseen characters made visible (escape becomes ␛), cut at `limit` with a note of how much is left."""
    cut = text[:limit]
    shown = UNSEEN.sub(_name, cut.replace("\r\n", "\n"))
    return shown if len(text) <= limit else f"{shown} … [{len(text) - limit:,} more characters]"


def brief(text: str, limit: int) -> str:
    """A name for a narrow place: `visible`, but cut with an ellipsis alone."""
    return visible(text if len(text) <= limit else f"{text[: limit - 1]}…", limit)


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def escape(text: str, limit: int = LIMIT) -> Markup:
    """Text as HTML that shows it."""
    return Markup(html.escape(visible(text, limit)))


def join(children: Iterable[Child]) -> Markup:
    """Children side by side; strings are escaped, None is left out."""
    return Markup("".join(map(_render, children)))


def _render(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int):
        return escape(str(child))
    return join(child)


def h(tag: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element: `h("p", "a < b", cls="lead")`. Underscores become dashes, None and False leave an attribute out."""
    parts = [tag]
    for key, value in attributes.items():
        name = {"cls": "class", "view_box": "viewBox"}.get(key, key.rstrip("_").replace("_", "-"))
        if value is True:
            parts.append(name)
        elif value is not None and value is not False:
            text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
            parts.append(f'{name}="{value if isinstance(value, Markup) else escape(text)}"')
    opening = " ".join(parts)
    return Markup(f"<{opening}/>" if tag in VOID else f"<{opening}>{join(children)}</{tag}>")


def table(head: Iterable[Child], rows: Iterable[Iterable[Child]], *, label: str, limit: int = 200) -> Markup:
    """A table that scrolls by itself on a narrow screen; the first column is the row's header."""
    body = [list(row) for row in rows]
    lines = [h("tr", h("th", row[0], scope="row"), *(h("td", cell) for cell in row[1:])) for row in body[:limit] if row]
    note = f"{len(body) - limit:,} more rows are in result.json." if len(body) > limit else None
    return join(
        [
            h(
                "div",
                h(
                    "table",
                    h("thead", h("tr", *(h("th", cell, scope="col") for cell in head))),
                    h("tbody", *lines),
                ),
                cls="scroll",
                role="region",
                aria_label=label,
                tabindex="0",
            ),
            h("p", note, cls="note") if note else None,
        ]
    )


def fold(summary: str, *children: Child) -> Markup:
    """Content behind a line that opens it."""
    return h("details", h("summary", summary), *children)


def embed_json(value: Any, name: str) -> Markup:
    """A JSON value as an inert script element: ASCII only, with every `<`, `>` and `&` as an escape."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{html.escape(name)}">{text}</script>')
