"""List the methods by kind, or show one: what it does, its papers, its flags."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from textwrap import indent, shorten
from typing import Any

from whetstone.app.console import emit
from whetstone.app.flags import find_method, flag_of
from whetstone.core.errors import ConfigError
from whetstone.core.registry import FOLDERS, Method, load, methods, options


def describe(method: Method) -> dict[str, Any]:
    """What a program needs to know of a method: name, kind, papers (exact titles), file, summary."""
    return {
        "name": method.name,
        "kind": method.kind,
        "papers": list(method.all_papers),
        "file": method.file,
        "summary": method.summary,
        "checked": method.checked or None,
        "presets": {name: dict(preset.options) for name, preset in method.presets.items()},
    }


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    if parser.get_default("verb") == "show":
        parser.add_argument("name", help="a method's name; whetstone list knows them")
    else:
        parser.add_argument("kind", nargs="?", help=f"only this kind: {', '.join(FOLDERS)}")


def main(args: argparse.Namespace) -> None:
    if args.verb == "show":
        show(args.name, as_json=args.json)
    else:
        list_methods(args.kind, as_json=args.json)


def list_methods(kind: str | None, *, as_json: bool) -> None:
    """Print the methods of one kind or of every kind."""
    if kind not in (None, *FOLDERS):
        raise ConfigError(f"no kind of method is called {kind!r}; kinds: {', '.join(FOLDERS)}")
    found = methods(kind)
    if as_json:
        emit([describe(method) for method in found])
        return
    width = max((len(method.name) for method in found), default=0)
    for group in dict.fromkeys(method.kind for method in found):
        print(f"\n{group}")
        for method in found:
            if method.kind == group:
                print(f"  {method.name:{width}}  {shorten(method.summary, 115 - width, placeholder=' …')}")
    papers = {title for method in found for title in method.all_papers}
    print(f"\n{len(found)} methods from {len(papers)} papers. Next: whetstone show NAME")


def show(name: str, *, as_json: bool) -> None:
    """Print all that is known of one method."""
    known = find_method(name)
    function = load(known.name, known.kind)
    flags = [
        {"flag": flag_of(p.name, known), "type": inspect.formatannotation(p.annotation), "default": p.default}
        for p in options(function).values()
    ]
    text = inspect.getdoc(function) or ""
    if as_json:
        emit({**describe(known), "doc": text, "flags": flags})
        return
    print(f"{known.name} ({known.kind}, {known.file})\n")
    print(indent(text, "  "))
    for title in known.all_papers:
        print(f"\n  paper: {title}")
    for preset_name, preset in known.presets.items():
        settings = ", ".join(f"{key}={value!r}" for key, value in preset.options.items())
        print(f"\n  preset {preset_name}: {settings} ({preset.paper})")
    if known.checked:
        print(f"\n  checked by {known.checked}")
    if flags:
        print("\n  flags:")
        width = max(len(str(flag["flag"])) for flag in flags)
        for flag in flags:
            print(f"    {flag['flag']:{width}}  {flag['type']}, default {flag['default']!r}")
    if known.kind in ("ranking", "table"):
        print(f"\n  from {known.module} import {known.name}")
    else:
        print(f"\n  whetstone run {known.name} --task ledger --model grit")
