"""What people and programs see: tables and sentences for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from whetstone.core.flow import Ledger

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but for tab and newline, and halves of characters: a model may have written any of them."""


def emit(value: Any) -> None:
    """Print a result as JSON on stdout. Raises ValueError for NaN: an undefined number is None."""
    from whetstone.app.result import encode

    text = json.dumps(encode(value), ensure_ascii=False, indent=1, allow_nan=False)
    print(text.encode("utf-8", "backslashreplace").decode())


def number(value: float | None, digits: int = 2) -> str:
    """A number for a table: `.63`, `1.00`, `-.05`; unknown is a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def interval(value: float | None, bounds: tuple[float, float] | None, digits: int = 2) -> str:
    """An estimate with its interval: `.63 [.55, .70]`."""
    if value is None or bounds is None:
        return number(value, digits)
    return f"{number(value, digits)} [{number(bounds[0], digits)}, {number(bounds[1], digits)}]"


def p_value(p: float | None) -> str:
    """A p-value for a table."""
    return "–" if p is None else "<.001" if p < 0.001 else number(p, 3)


def count(value: float | None) -> str:
    """A large count in thousands or millions: `412`, `18.3k`, `2.1M`."""
    if value is None:
        return "–"
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e6 if unit == 'M' else 1e3):.1f}{unit}"
    return f"{value:.0f}"


def bytes_text(value: int) -> str:
    """A size: `812 B`, `3.4 kB`, `1.2 GB`."""
    size, unit = float(value), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def money_text(value: float, currency: str) -> str:
    """Money with two digits after the point, more where it is little: `12.30 USD`, `0.0042 USD`."""
    text = f"{value:.2f}" if value >= 1 or value == 0 else f"{value:.2g}" if value < 0.0001 else f"{value:.4f}"
    return f"{text} {currency}"


def harmless(text: str) -> str:
    """Text with what a terminal would obey, or no stream takes, as its escape."""
    return UNSHOWN.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


class Console:
    """Prints for people on one stream; `quiet` prints nothing.

    Tests and `--json` hand in stderr (or nothing) so that stdout stays a program's.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self.stream, self.quiet = stream or sys.stdout, quiet

    def heading(self, text: str) -> None:
        """A step's title."""
        if not self.quiet:
            self._rich().print(f"\n[bold]{text}[/bold]", highlight=False)

    def say(self, text: str) -> None:
        """A sentence a person can act on."""
        if not self.quiet:
            self._rich().print(harmless(text), markup=False, highlight=False)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> None:
        """A short table; numbers are aligned to the right, words and the first column to the left."""
        if self.quiet:
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE, pad_edge=False, caption=caption or None, caption_justify="left")
        for i, column in enumerate(columns):
            words = i == 0 or any(row[i][:1].isalpha() for row in rows)
            table.add_column(column, justify="left" if words else "right", overflow="fold")
        for row in rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        self._rich().print(table)

    @contextmanager
    def progress(
        self, label: str, note: Callable[[], str] = lambda: ""
    ) -> Iterator[Callable[[int, int, Ledger], None]]:
        """A progress bar on stderr while a phase runs; yields the driver's progress callback.

        Behind it stand the phase's tokens, their rate, and what `note` says at the time.
        """
        if self.quiet or not sys.stderr.isatty():
            yield lambda done, started, ledger: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        tokens = TextColumn("{task.fields[tokens]}")
        with Progress(*columns, tokens, console=RichConsole(stderr=True), transient=True) as bar:
            task, began = bar.add_task(label, total=None, tokens=""), time.monotonic()

            def update(done: int, started: int, ledger: Ledger) -> None:
                rate = ledger.total / max(time.monotonic() - began, 0.1)
                said = f"{count(ledger.total)} tokens · {count(rate)}/s" + (f" · {note()}" if note() else "")
                bar.update(task, completed=done, total=max(started, 1), tokens=said)

            yield update

    def _rich(self) -> Any:
        from rich.console import Console as RichConsole

        width = None if self.stream.isatty() else 120
        return RichConsole(file=self.stream, width=width)
