"""The page of an audit in a real browser: drawn, told on hover, on narrow screens, and safe from what judges write."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_report_browser import CHROMIUM, DRAWN, OVERLAPS, Browser, opened, show

from whetstone.app.auditing import Audited, gated
from whetstone.app.report.audited import picture, render, write_audit
from whetstone.app.verbs.audit import audit_file

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"
browsing = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def rows(judge: str, n: int = 240, *, right: float = 0.8, first: float = 0.2, seed: int = 0) -> list[dict[str, Any]]:
    """Verdicts with everything that a page can draw."""
    rng = Random(f"{judge}{seed}")
    swap = {"first": "second", "second": "first", "tie": "tie"}
    found = []
    for i in range(n):
        label = rng.choice(["first", "second", "tie"])
        said = label if rng.random() < right else rng.choice(["first", "second", None])
        for swapped in (False, True):
            verdict = said if said is None else swap[said] if swapped else said
            verdict = "first" if rng.random() < first else verdict
            names = ("b", "a") if swapped else ("a", HOSTILE)
            found.append(
                {
                    "judge": judge,
                    "prompt": f"p{i}",
                    "pair": f"{i}",
                    "swapped": swapped,
                    "first": names[0],
                    "second": names[1],
                    "first_length": 10 + (i * 7 + swapped) % 23,
                    "second_length": 10 + (i * 5) % 19,
                    "verdict": verdict,
                    "probability": rng.random() if verdict else None,
                    "label": swap[label] if swapped else label,
                    "category": ["10", "9", "a long name of a kind of question"][i % 3],
                }
            )
    return found


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audited]:
    """One judge, three in detail, and many."""
    folder = tmp_path_factory.mktemp("verdicts")
    found = {}
    for name, judges in {"one": [HOSTILE], "three": ["a", "b", "c"], "many": [f"judge {i}" for i in range(30)]}.items():
        path = folder / f"{name}.jsonl"
        n = 240 if name == "one" else 60
        text = "".join(json.dumps(r) + "\n" for i, j in enumerate(judges) for r in rows(j, n, right=1 - 0.03 * i))
        path.write_text(text)
        found[name] = audit_file(path)
    return found


@pytest.fixture(scope="module")
def pages(audits: dict[str, Audited], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, found in audits.items():
        made[name] = folder / f"{name}.html"
        write_audit(found, made[name])
    return made


@pytest.fixture(scope="module")
def browser(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(pages["one"], tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@browsing
@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (400, False), (400, True)])
def test_every_picture_is_drawn_and_told(browser: Browser, pages: dict[str, Path], width: int, dark: bool) -> None:
    for name, page in pages.items():
        show(browser, page, width=width, dark=dark)
        plots = browser.run(DRAWN)
        assert len(plots) == {"one": 6, "three": 19, "many": 1}[name]
        assert all(plot["marks"] >= 3 and plot["told"] == plot["marks"] for plot in plots)
        assert all(plot["width"] > 250 and plot["height"] > 60 for plot in plots)
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.noise() == []
        assert browser.requests() == [page.as_uri()]


@browsing
def test_hovering_tells_n_and_the_interval(browser: Browser, pages: dict[str, Path]) -> None:
    show(browser, pages["one"])
    said = browser.run("[...document.querySelectorAll('.mark')].map(mark => mark.getAttribute('aria-label'))")
    forests = [text for text in said if " of " not in text]
    assert all("\nn = " in text for text in forests)
    assert sum("[" in text for text in forests) > 15
    browser.run("document.querySelector('.mark').dispatchEvent(new PointerEvent('pointerenter'))")
    assert browser.run("document.getElementById('tip').textContent") == said[0]


@browsing
def test_no_text_of_a_row_covers_another(browser: Browser, pages: dict[str, Path]) -> None:
    for page in pages.values():
        for width in (400, 1200):
            show(browser, page, width=width)
            assert sum(browser.run(OVERLAPS)) == 0


@browsing
def test_the_drawing_opens_by_itself(browser: Browser, audits: dict[str, Audited], tmp_path: Path) -> None:
    write_audit(audits["one"], tmp_path / "audit.svg")
    show(browser, tmp_path / "audit.svg", width=800)
    assert browser.run("document.querySelectorAll('.mark').length") > 20
    assert browser.run("getComputedStyle(document.querySelector('.dot')).fill") != "rgb(0, 0, 0)"
    assert browser.noise() == []


def test_what_a_judge_is_called_runs_nothing(audits: dict[str, Audited]) -> None:
    for text in (render(audits["one"]), picture(audits["one"])):
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\u202e" not in text
    ElementTree.fromstring(picture(audits["one"]))


def test_the_page_says_what_the_table_says(audits: dict[str, Audited]) -> None:
    page = render(gated(audits["three"], "ranking"))
    assert "Gate failed: ranking" in page or "Gate passed: ranking" in page
    for judge in audits["three"].judges:
        assert judge.trust.sentence in page
    assert "of 30 may be trusted for ranking" in render(audits["many"])
