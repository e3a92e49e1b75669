"""The page of a ranking in a real browser: drawn, told on hover, on narrow screens. Skipped where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_report_browser import CHROMIUM, DRAWN, OVERLAPS, Browser, opened, show

from whetstone.app.report.leaderboard import write_leaderboard
from whetstone.app.verbs.rank import rank

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name in ("battles.csv", "scores.csv", "winless.csv"):
        made[name] = folder / f"{name}.html"
        write_leaderboard(*rank(EXAMPLES / name), made[name])
    return made


@pytest.fixture(scope="module")
def browser(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(pages["battles.csv"], tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (400, False), (400, True)])
def test_every_picture_is_drawn_and_told(browser: Browser, pages: dict[str, Path], width: int, dark: bool) -> None:
    for name, page in pages.items():
        show(browser, page, width=width, dark=dark)
        plots = browser.run(DRAWN)
        assert len(plots) == (4 if name == "scores.csv" else 2)
        assert all(plot["marks"] >= 6 and plot["told"] == plot["marks"] for plot in plots)
        assert all(plot["width"] > 250 and plot["height"] > 100 for plot in plots)
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.noise() == []
        assert browser.requests() == [page.as_uri()]


def test_hovering_tells_n_and_the_interval(browser: Browser, pages: dict[str, Path]) -> None:
    show(browser, pages["battles.csv"])
    said = browser.run("[...document.querySelectorAll('.mark')].map(mark => mark.getAttribute('aria-label'))")
    assert len(said) == 6 + 30
    assert all("\nn = " in text and "[" in text and "]" in text for text in said)
    browser.run("document.querySelector('.mark').dispatchEvent(new PointerEvent('pointerenter'))")
    assert browser.run("document.getElementById('tip').textContent") == said[0]


def test_no_text_of_a_row_covers_another(browser: Browser, pages: dict[str, Path]) -> None:
    """Names, marks and the columns at the right keep apart, at the larger type of a narrow screen too."""
    for page in pages.values():
        for width in (400, 1200):
            show(browser, page, width=width)
            assert sum(browser.run(OVERLAPS)) == 0
