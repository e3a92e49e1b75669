"""The report as a real browser sees it: headless Chromium over its debugging pipe. Skipped where there is none."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from whetstone.app.report import write_report
from whetstone.app.report.compared import write_comparison
from whetstone.app.result import Result
from whetstone.app.verbs.compare import compare

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe"
)
LOUD = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine (Debian: apt-get install chromium)"
)


class Browser:
    """A minimal client of the DevTools protocol: JSON messages, each ended by a zero byte, over two pipes."""

    def __init__(self, profile: Path) -> None:
        read_there, self.write_here = os.pipe()
        self.read_here, write_there = os.pipe()

        # The browser reads descriptor 3 and writes 4. Ours may have these numbers already, so copy high first.
        command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"]
        shell = f'exec 10<&{read_there} 11>&{write_there}; exec 3<&10 4>&11 10<&- 11>&-; exec "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *map(str, command)],
            pass_fds=(read_there, write_there),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_there)
        os.close(write_there)
        self.buffer, self.number = b"", 0
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        """Send a command and wait for its answer; events that come meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session and not method.startswith("Target."):
            message["sessionId"] = self.session
        os.write(self.write_here, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.read()
            if reply.get("id") == self.number:
                assert "error" not in reply, reply["error"]
                return reply["result"]
            self.events.append(reply)

    def read(self, patience: float = 60.0) -> dict[str, Any]:
        """The next message."""
        until = time.monotonic() + patience
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_here], [], [], max(0.0, until - time.monotonic()))
            assert ready, "chromium does not answer"
            chunk = os.read(self.read_here, 1 << 20)
            assert chunk, "chromium has ended"
            self.buffer += chunk
        message, _, self.buffer = self.buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    def key(self, name: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode=9 if name == "Tab" else 0,
            )

    def screenshot(self, path: Path, *, full: bool = True) -> None:
        """A picture of the page."""
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(image))

    def noise(self) -> list[dict[str, Any]]:
        """Errors, console messages and log entries so far."""
        return [event["params"] for event in self.events if event.get("method") in LOUD]

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        sent = (e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent")
        return [url for url in sent if not url.startswith("data:")]

    def close(self) -> None:
        """End the process that was started."""
        os.close(self.write_here)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_here)


@contextmanager
def opened(file: Path, profile: Path, *, width: int = 1280, dark: bool = False) -> Iterator[Browser]:
    """A browser with the file open in a window of this width."""
    browser = Browser(profile)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.call(f"{domain}.enable")
        show(browser, file, width=width, dark=dark)
        yield browser
    finally:
        browser.close()


def show(browser: Browser, file: Path, *, width: int = 1280, dark: bool = False) -> None:
    """Open a file at a width, light or dark, and forget earlier events."""
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.call("Emulation.setEmulatedMedia", features=scheme)
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.events.clear()
    browser.call("Page.navigate", url=file.as_uri())
    while not any(event.get("method") == "Page.loadEventFired" for event in browser.events):
        browser.events.append(browser.read())


@pytest.fixture(scope="module")
def report(synthetic: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(synthetic, path)
    return path


@pytest.fixture(scope="module")
def browser(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(report, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


DRAWN = """[...document.querySelectorAll('svg.plot')].map(plot => {
  const box = plot.getBoundingClientRect();
  const marks = [...plot.querySelectorAll('.mark')].filter(m => m.getBoundingClientRect().width > 0);
  return {title: plot.getAttribute('aria-label'), width: box.width, height: box.height, marks: marks.length,
          told: marks.filter(m => m.getAttribute('aria-label')).length};
})"""
OVERLAPS = """[...document.querySelectorAll('svg.plot')].map(plot => {
  const boxes = [...plot.querySelectorAll('text')].map(t => t.getBoundingClientRect());
  const hit = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
  return boxes.filter((a, i) => boxes.some((b, j) => j > i && hit(a, b))).length;
})"""


def test_every_plot_is_drawn_without_a_word_on_the_console(browser: Browser, report: Path) -> None:
    show(browser, report)
    plots = browser.run(DRAWN)
    titles = {plot["title"] for plot in plots}
    assert titles >= {
        "Held-out accuracy by difficulty",
        "Change on the same questions",
        "Accuracy before any change",
        "How well each signal separates right from wrong",
        "Risk against coverage",
        "Accuracy against tokens",
        "Held-out accuracy by round",
        "Held-out accuracy by difficulty after training",
        "Time by step",
    }
    assert sum(plot["title"].count("ECE") for plot in plots) == 6
    assert [plot["title"] for plot in plots].count("naive_self_reward") == 2
    assert all(plot["marks"] >= 2 and plot["told"] == plot["marks"] for plot in plots)
    assert all(plot["width"] > 250 and plot["height"] > 100 for plot in plots)
    assert browser.noise() == []
    assert browser.requests() == [report.as_uri()]


@pytest.mark.parametrize(("width", "dark"), [(400, False), (400, True), (320, False), (1280, True)])
def test_nothing_overflows(browser: Browser, report: Path, width: int, dark: bool) -> None:
    show(browser, report, width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert browser.run("document.documentElement.scrollWidth") <= width
    stray = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg, #tip') &&
      e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.run(stray) == []
    assert browser.noise() == []


def test_hovering_and_keys_show_value_interval_and_n(browser: Browser, report: Path) -> None:
    show(browser, report)
    spot = browser.run(
        """(() => { const mark = document.querySelectorAll('svg.plot')[0].querySelectorAll('.mark')[3];
        mark.scrollIntoView({block: 'center', behavior: 'instant'});
        const box = mark.querySelector('.dot').getBoundingClientRect();
        return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"""
    )
    tip = "document.getElementById('tip').hidden ? null : document.getElementById('tip').textContent"
    browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert browser.run(tip) is None
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", **spot)
    assert browser.run(tip).splitlines() == ["difficulty 9 · before", "63.0\u202f% [57.4, 68.3]", "n = 300"]
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert browser.run(tip) is None

    browser.run("document.querySelector('svg.plot').focus()")
    browser.key("ArrowRight")
    assert browser.run(tip).startswith("difficulty 6 · before")
    browser.key("End")
    assert browser.run(tip).startswith("difficulty 12 · after")
    browser.key("ArrowRight")
    assert browser.run(tip).startswith("difficulty 6 · before")
    browser.key("Escape")
    assert browser.run(tip) is None


def test_dark_mode_turns_paper_and_ink_around(browser: Browser, report: Path) -> None:
    def light(of: str) -> float:
        color = browser.run(f"getComputedStyle(document.body).{of}")
        return sum(float(part) for part in color[color.index("(") + 1 : -1].split(",")[:3]) / (3 * 255)

    for dark in (False, True):
        show(browser, report, dark=dark)
        paper, ink = light("backgroundColor"), light("color")
        assert (paper < 0.15 and ink > 0.8) if dark else (paper > 0.9 and ink < 0.2)


def test_hostile_text_runs_nothing(browser: Browser, hostile: Result, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    write_report(hostile, path)
    show(browser, path, width=400)
    assert browser.run("window.hacked === undefined && document.querySelectorAll('img, iframe, object').length === 0")
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("document.documentElement.scrollWidth") <= 400
    assert browser.run("JSON.parse(document.getElementById('result').textContent).schema") == "whetstone.result/1"
    assert browser.noise() == []
    assert browser.requests() == [path.as_uri()]


def test_policy_forbids_what_slips_through(browser: Browser, report: Path, tmp_path: Path) -> None:
    path = tmp_path / "breached.html"
    injected = "<script>window.hacked = 1</script><img src='https://example.invalid/x' onerror='window.hacked = 1'>"
    path.write_text(report.read_text(encoding="utf-8").replace("<main>", f"<main>{injected}"), encoding="utf-8")
    show(browser, path)
    assert browser.run("window.hacked === undefined")


def test_paper_shows_what_is_folded(browser: Browser, report: Path) -> None:
    show(browser, report)
    assert browser.run("document.querySelectorAll('details[open]').length") == 0
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('details:not([open])').length") == 0
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.querySelectorAll('details[open]').length") == 0


def test_screenshot_is_not_blank(browser: Browser, report: Path, tmp_path: Path) -> None:
    show(browser, report)
    browser.screenshot(tmp_path / "page.png", full=False)
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (400, False), (400, True), (320, False)])
def test_the_page_of_a_comparison(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    scores = [
        f'{{"id": {i}, "model": "{"a long name of a system " * 2}{m}", "score": {(7 * i + m * (i % 5)) % 11}}}'
        for i in range(80)
        for m in range(5)
    ]
    (tmp_path / "scores.jsonl").write_text("\n".join(scores))
    path = tmp_path / "comparison.html"
    write_comparison(compare(tmp_path / "scores.jsonl", margin=1.0), path)
    show(browser, path, width=width, dark=dark)
    plots = browser.run(DRAWN)
    assert [plot["title"] for plot in plots][-2:] == ["Row against column", "Performance profiles"]
    assert all(plot["marks"] >= 4 and plot["told"] == plot["marks"] for plot in plots)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.noise() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.run("JSON.parse(document.getElementById('result').textContent).schema") == "whetstone.comparison/1"
