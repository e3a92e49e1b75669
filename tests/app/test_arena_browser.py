"""The arena in a real browser: voting by keys and mouse, ranking by dragging, hostile outputs, narrow and dark."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

sys.path.insert(0, str(Path(__file__).parent))
from test_arena import PNG, WAV
from test_report_browser import CHROMIUM, Browser, opened

from whetstone.app.arena.outputs import Outputs
from whetstone.app.arena.play import Arena
from whetstone.app.arena.site import site
from whetstone.app.verbs.serve_model import listen
from whetstone.core.types import Media

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

HOSTILE = (
    "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script></script>"
    "<style>* { display: none }</style>\u202e" + "long" * 200
)
Serve = Callable[..., tuple[str, Arena]]


def shown(systems: int = 4) -> Outputs:
    """Outputs with everything in them: hostile text, an image, a sound."""
    parts = (HOSTILE, Media("image", "image/png", PNG), Media("audio", "audio/wav", WAV))
    given = {(s, i): (f"made by {s}", *parts) for s in range(systems) for i in range(5)}
    names = tuple(f"<b>system {s}</b>" for s in range(systems))
    return Outputs(names, tuple(f"p{i}" for i in range(5)), ((HOSTILE,),) * 5, given)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    stops: list[Callable[[], None]] = []

    def start(outputs: Outputs | None = None, *, port: int = 0, **options: Any) -> tuple[str, Arena]:
        arena = Arena(outputs or shown(), tmp_path / "votes.jsonl", **options)
        listener = listen(port)
        server = uvicorn.Server(uvicorn.Config(site(arena, title="t", rounds=50), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(20)
            listener.close()
            arena.close()

        stops.append(stop)
        return f"http://127.0.0.1:{listener.getsockname()[1]}", arena

    start.stop = lambda: stops.pop()()  # type: ignore[attr-defined]
    yield start
    while stops:
        stops.pop()()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    blank = tmp_path_factory.mktemp("blank") / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>")
    with opened(blank, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def go(browser: Browser, url: str, *, width: int = 1280, dark: bool = False) -> None:
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.call("Emulation.setEmulatedMedia", features=scheme)
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.events.clear()
    browser.call("Page.navigate", url=url)
    wait(browser, "document.readyState === 'complete'")


def wait(browser: Browser, condition: str, patience: float = 30.0) -> None:
    until = time.monotonic() + patience
    while not browser.run(condition):
        assert time.monotonic() < until, condition
        time.sleep(0.05)


def press(browser: Browser, key: str) -> None:
    """Press a key while nothing has the focus."""
    event = f"new KeyboardEvent('keydown', {{key: {json.dumps(key)}, bubbles: true}})"
    browser.run(f"document.activeElement.blur(), document.body.dispatchEvent({event})")


def ready(browser: Browser) -> None:
    """A match is before the voter, with nothing answered."""
    wait(browser, "document.querySelectorAll('.output').length > 0 && document.getElementById('next').hidden")
    wait(browser, "!document.getElementById('outputs').ariaBusy")


def said(browser: Browser) -> str:
    return str(browser.run("document.getElementById('said').textContent"))


def quiet(browser: Browser, url: str) -> None:
    assert browser.noise() == []
    assert all(address.startswith(url) for address in browser.requests())


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_voting_on_two_by_keys(browser: Browser, serve: Serve, width: int, dark: bool) -> None:
    url, arena = serve()
    go(browser, url, width=width, dark=dark)
    for key, winner in (("1", "model_a"), ("ArrowRight", "model_b"), ("t", "tie"), ("b", "tie (bothbad)"), ("s", None)):
        ready(browser)
        assert "system" not in browser.run("document.getElementById('outputs').textContent").replace("made by", "")
        press(browser, key)
        wait(browser, "!document.getElementById('next').hidden")
        names = browser.run("[...document.querySelectorAll('.output h2')].map(h => h.textContent)")
        record = arena.votes.records[-1]
        assert (record["winner"], names) == (winner, [f"A {record['model_a']}", f"B {record['model_b']}"])
        press(browser, "Enter")
    ready(browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    light = browser.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (sum(light) < 150) == dark
    assert browser.run("document.getElementById('count').textContent").startswith("5 votes, 5 by you")
    quiet(browser, url)


def test_outputs_are_text_images_and_sounds_and_nothing_runs(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    url, _ = serve()
    go(browser, url)
    ready(browser)
    assert browser.run("document.querySelectorAll('.output')[0].querySelector('.text + .text').textContent") == HOSTILE
    wait(browser, "[...document.querySelectorAll('.output img')].every(i => i.complete && i.naturalWidth === 1)")
    assert browser.run("document.querySelectorAll('.output img, .output audio').length") == 4
    assert browser.run(
        "window.hacked === undefined && document.querySelectorAll('#arena script, #arena style').length === 0"
    )
    browser.screenshot(tmp_path / "arena.png")
    assert (tmp_path / "arena.png").stat().st_size > 20_000
    press(browser, "1")
    wait(browser, "!document.getElementById('next').hidden")
    assert "<b>system" in browser.run("document.querySelector('.output h2').textContent")
    quiet(browser, url)


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (400, False)])
def test_ranking_four_by_dragging_and_by_keys(browser: Browser, serve: Serve, width: int, dark: bool) -> None:
    url, arena = serve(size=4)
    go(browser, url, width=width, dark=dark)
    ready(browser)
    for key in ("3", "1", "=", "2", "9"):
        press(browser, key)
    assert said(browser) == "3 > 1 = 2"
    press(browser, "Enter")
    assert arena.votes.records == [], "not all are ranked"
    press(browser, "Backspace")
    assert said(browser) == "3 > 1"
    for key in ("=", "2", "4", "Enter"):
        press(browser, key)
    wait(browser, "!document.getElementById('next').hidden")
    record = arena.votes.records[-1]
    first, second, third, fourth = record["shown"]
    assert record["ranking"] == [[third], [first, second], [fourth]]
    press(browser, "n")
    ready(browser)
    for chip, place in ((2, 1), (4, 2), (1, 3), (3, 2)):
        drag(browser, chip, place)
    assert said(browser) == "2 > 4 = 3 > 1"
    drag(browser, 3, 4)
    assert said(browser) == "2 > 4 > 1 > 3"
    browser.run("document.getElementById('save').click()")
    wait(browser, "!document.getElementById('next').hidden")
    record = arena.votes.records[-1]
    assert record["ranking"] == [[record["shown"][i]] for i in (1, 3, 0, 2)]
    assert browser.run("document.documentElement.scrollWidth") <= width
    quiet(browser, url)


def drag(browser: Browser, chip: int, place: int) -> None:
    """Take a chip with the mouse and drop it on a place."""
    browser.run("document.getElementById('places').scrollIntoView({block: 'center', behavior: 'instant'})")
    middle = "(e => { const b = e.getBoundingClientRect(); return {x: b.x + b.width / 2, y: b.y + b.height / 2}; })"
    start = browser.run(f"{middle}([...document.querySelectorAll('.chip')].find(c => c.textContent === '{chip}'))")
    end = browser.run(f"{middle}(document.querySelectorAll('#places li')[{place}])")
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", **start, **mouse)
    for share in (0.5, 1.0):
        spot = {axis: start[axis] + share * (end[axis] - start[axis]) for axis in "xy"}
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", **spot, **mouse)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", **end, **mouse)


def test_a_vote_that_finds_no_arena_is_sent_when_there_is_one(browser: Browser, serve: Serve) -> None:
    url, _ = serve()
    go(browser, url)
    ready(browser)
    serve.stop()  # type: ignore[attr-defined]
    press(browser, "2")
    wait(browser, "!document.getElementById('trouble').hidden")
    assert "Not saved yet" in browser.run("document.getElementById('trouble').textContent")
    _, again = serve(port=int(url.rpartition(":")[2]))
    wait(browser, "!document.getElementById('next').hidden")
    assert [record["winner"] for record in again.votes.records] == ["model_b"]
    assert browser.run("document.getElementById('trouble').hidden && localStorage.length === 0")


def test_after_a_click_enter_goes_on(browser: Browser, serve: Serve) -> None:
    url, arena = serve()
    go(browser, url)
    for i in range(3):
        ready(browser)
        browser.run("document.querySelector('[data-choice=tie]').click()")
        wait(browser, "!document.getElementById('next').hidden")
        assert browser.run("document.activeElement.id") == "next"
        for kind in ("keyDown", "keyUp"):
            browser.call(
                "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
            )
        wait(browser, f"document.getElementById('count').textContent.startsWith('{i + 1} vote')")
    ready(browser)
    assert [record["winner"] for record in arena.votes.records] == ["tie"] * 3
    quiet(browser, url)


def test_the_leaderboard_is_drawn(browser: Browser, serve: Serve) -> None:
    url, arena = serve()
    for i in range(60):
        arena.vote("ann", arena.match("ann").number, {"choice": ("first", "second", "tie")[i % 3]})
    for width, dark in ((1280, False), (400, True)):
        go(browser, f"{url}/leaderboard", width=width, dark=dark)
        assert browser.run("document.querySelectorAll('svg.plot .mark').length") >= 4
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run("[...document.querySelectorAll('a')].some(a => a.getAttribute('href') === '/')")
        quiet(browser, url)
