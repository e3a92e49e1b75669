"""The papers that Whetstone grew from, by family, with the method or study that implements each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from whetstone.app.console import emit
from whetstone.app.docs import implementations, papers
from whetstone.core.errors import ConfigError


@dataclass(frozen=True)
class Paper:
    """A row of the index: `methods` implement it (`kind name`), `checked` are the tests that show they work.

    `found` is what was measured with them, "" where nothing is noted.
    """

    id: int
    title: str
    name: str
    family: str
    kind: str
    what: str
    done_when: str
    methods: tuple[str, ...]
    files: tuple[str, ...]
    checked: tuple[str, ...]
    found: str

    @property
    def status(self) -> str:
        return ", ".join(self.methods) or "not yet"


def index() -> list[Paper]:
    """All papers in scope, by family and id, joined with the registry."""
    known = implementations()
    found = []
    for row in papers():
        using = known.get(row["title"], [])
        paper = Paper(
            int(row["id"]),
            row["title"],
            row["name"],
            row["family"],
            row["kind"],
            row["what"],
            row["done_when"],
            methods=tuple(f"{m.kind} {m.name}" for m in using),
            files=tuple(m.file for m in using),
            checked=tuple(m.checked for m in using if m.checked),
            found=row["found"],
        )
        found.append(paper)
    return sorted(found, key=lambda paper: (paper.family, paper.id))


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("family", nargs="?", help="only this family")
    parser.add_argument("--done", action="store_true", help="only papers that a method implements")
    parser.add_argument(
        "--search", metavar="WORD", help="only papers that speak of it, with mechanism and test of success"
    )


def main(args: argparse.Namespace) -> None:
    known = index()
    families = list(dict.fromkeys(paper.family for paper in known))
    if args.family not in (None, *families):
        raise ConfigError(f"no family of papers is called {args.family!r}; families: {', '.join(families)}")
    shown = [p for p in known if args.family in (None, p.family) and (p.methods or not args.done)]
    if args.search:
        word = args.search.casefold()
        shown = [p for p in shown if word in f"{p.title} {p.name} {p.what} {p.done_when}".casefold()]
    if args.json:
        emit(shown)
        return
    for family in dict.fromkeys(paper.family for paper in shown):
        print(f"\n{family}")
        for paper in (p for p in shown if p.family == family):
            print(f"  {paper.id:>3}  {shorten(paper.title, 72, placeholder=' …'):72}  {paper.status}")
            if paper.methods:
                print(f"{'':80}checked by {', '.join(paper.checked) or 'nothing yet'}")
            if args.search:
                print(f"       {paper.what}\n       Works when: {paper.done_when}")
            if paper.found:
                print(f"{'':80}found: {paper.found}")
    done, checked = sum(bool(p.methods) for p in shown), sum(bool(p.checked) for p in shown)
    print(f"\n{len(shown)} papers, {done} implemented, {checked} of these checked by a test. Next: whetstone show NAME")
