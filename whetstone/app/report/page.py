"""The page: one self-contained HTML file. Nothing is loaded from anywhere, and a content policy forbids it."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import whetstone.app.report.sections as sections
from whetstone.app.report.html import Markup, brief, embed_json, h
from whetstone.app.result import Result, encode
from whetstone.core.errors import StoreError

EMBEDDED = 1_000_000  # bytes of result.json up to which the page carries it


def write_report(result: Result, path: Path) -> None:
    """Write the report as one HTML file under 3 MB that opens without network.

    Args:
        result: what `improve` found; steps that were not run are left out and named.
        path: the file to write; its folder must exist.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        path.write_text(render(result), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write the report to {path}: {error.strerror}; choose another folder") from None


def save(text: str, path: Path, flag: str) -> None:
    """Write a page or a drawing, with the folders above it; `flag` is what named the path.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write the picture to {path}: {error.strerror}; choose another {flag}") from None


def render(result: Result) -> str:
    """The page as text. Every string of the result is escaped; control characters are shown by name."""
    return document(
        f"Whetstone: {brief(result.model.name, 80)} on {brief(result.task.name, 80)}",
        sections.top(result),
        h("main", *(part(result) for part in sections.PARTS)),
        _footer(result),
        data=_data(result),
    )


def document(title: str, *body: Markup, data: Markup | None = None, style: str = "", script: str = "") -> str:
    """A page with the shared style and script, and a policy that lets nothing else in.

    `data` is an inert JSON element with the id `result`, which the page offers to save. `style` and `script` are added
    to the shared ones; a page that has them is served, and may ask its own server for data, images and sounds.
    """
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=Markup(policy(style, script))),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", title),
        h("style", Markup(_with("style.css", style))),
    )
    content = h(
        "body",
        *body,
        h("div", id="tip", role="status", hidden=True),
        data,
        h("script", Markup(_with("page.js", script))),
    )
    return f"<!doctype html>\n{h('html', head, content, lang='en')}\n"


def policy(style: str = "", script: str = "") -> str:
    """The content policy of a page of `document`: its own style and script, by their hashes, and nothing else."""
    served = " img-src 'self'; media-src 'self'; connect-src 'self';" if script else " img-src data:;"
    return (
        f"default-src 'none'; style-src '{_digest(_with('style.css', style))}'; "
        f"script-src '{_digest(_with('page.js', script))}';{served} base-uri 'none'; form-action 'none'"
    )


def _footer(result: Result) -> Markup:
    started = f" · {result.run.started}" if result.run.started else ""
    return h(
        "footer",
        h(
            "p",
            f"Whetstone {result.run.version} · run {result.run.id}{started}. ",
            "Intervals are 95 %. This file needs no network.",
        ),
    )


def _data(result: Result) -> Markup:
    data = encode(result)
    element = embed_json(data, "result") if _weight(data) <= EMBEDDED else Markup("")
    if not 0 < len(element) <= 2 * EMBEDDED:
        return h("footer", h("p", "The data are too large for this page to carry; they are in result.json."))
    return element


def _weight(data: Any) -> int:
    """About how many bytes of JSON."""
    if isinstance(data, dict):
        return sum(len(key) + 4 + _weight(value) for key, value in data.items())
    if isinstance(data, list):
        return sum(map(_weight, data))
    return len(data.encode(errors="replace")) if isinstance(data, str) else 8


def style() -> str:
    """The style sheet that pages and drawings share."""
    return _asset("style.css")


def _asset(name: str) -> str:
    return files("whetstone.app.report").joinpath(name).read_text(encoding="utf-8").strip()


def _with(name: str, more: str) -> str:
    return f"{_asset(name)}\n{more}" if more else _asset(name)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
