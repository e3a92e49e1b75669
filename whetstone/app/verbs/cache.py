"""The stored replies: how many and how large, how often they saved a call, and as files to take elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whetstone.app.console import Console, bytes_text, count, emit
from whetstone.app.flags import add_store
from whetstone.core.errors import ConfigError
from whetstone.store.store import Store, open_store

ACTIONS = {
    "show": (0, "size, hit rate and tokens by model"),
    "export": (1, "FILE: all replies as JSON lines (.jsonl, or .jsonl.gz); --model NAME for one model's"),
    "import": (1, "FILE: add the replies of such a file; those that are here already stay"),
}


@dataclass(frozen=True)
class Kept:
    """One model's replies and requests.

    Attributes:
        replies, bytes: stored now, with their requests.
        asked, stored: requests answered by the model and by the store, over all runs.
        hit_rate: stored / (asked + stored), None before the first request.
        prompt, completion: tokens that the model was asked for.
    """

    model: str
    replies: int
    bytes: int
    asked: int
    stored: int
    hit_rate: float | None
    prompt: int
    completion: int


@dataclass(frozen=True)
class Cache:
    """All models' replies; `bytes` is the file's size on disk, runs and their records included."""

    folder: str
    bytes: int
    models: tuple[Kept, ...]
    total: Kept


def look(store: Store) -> Cache:
    """What a store holds and how often it helped."""
    held = {one.model: one for one in store.sizes()}
    accounts = store.accounts()
    names = dict.fromkeys([*held, *(a.model for a in accounts)])

    def kept(name: str, models: Sequence[str]) -> Kept:
        mine = [a for a in accounts if a.model in models]
        asked, stored = sum(a.asked for a in mine), sum(a.stored for a in mine)
        return Kept(
            name,
            sum(held[m].replies for m in models if m in held),
            sum(held[m].bytes for m in models if m in held),
            asked,
            stored,
            stored / (asked + stored) if asked + stored else None,
            sum(a.prompt for a in mine),
            sum(a.completion for a in mine),
        )

    rows = tuple(kept(name, [name]) for name in names)
    return Cache(str(store.folder), store.size, rows, kept("all", list(names)))


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.epilog = "actions:\n" + "\n".join(f"  {name:8} {text}" for name, (_, text) in ACTIONS.items())
    parser.add_argument("action", nargs="?", default="show", choices=tuple(ACTIONS))
    parser.add_argument("files", nargs="*", metavar="FILE", help="of an export or import")
    parser.add_argument("--model", metavar="NAME", help="export only this model's replies, named as the table shows it")
    add_store(parser)


def main(args: argparse.Namespace) -> None:
    wanted, text = ACTIONS[args.action]
    if len(args.files) != wanted:
        raise ConfigError(f"whetstone cache {args.action} takes {wanted or 'no'} file: {text}")
    if args.model and args.action != "export":
        raise ConfigError(f"--model belongs to whetstone cache export, not to {args.action}")
    folder, console = Path(args.store), Console()
    if args.action != "import" and not (folder / "store.db").exists():
        raise ConfigError(f"--store {folder}: no replies are stored there; run a verb first or name another folder")
    with open_store(folder) as store:
        if args.action == "show":
            found = look(store)
            emit(found) if args.json else show(console, found)
        elif args.action == "export":
            names = [one.model for one in store.sizes()]
            if args.model and args.model not in names:
                raise ConfigError(f"--model {args.model!r}: no replies of it; there are: {', '.join(names)}")
            n = store.export_replies(Path(args.files[0]), args.model)
            emit({"exported": args.files[0], "replies": n}) if args.json else console.say(
                f"Written: {args.files[0]}, {n} replies"
            )
        else:
            done = store.import_replies(Path(args.files[0]))
            emit(done) if args.json else console.say(f"Added: {done.new} replies; {done.known} were here already.")


def show(console: Console, found: Cache) -> None:
    """Print one row a model and what it comes to."""
    columns = ["model", "replies", "size", "asked", "from the store", "hit rate", "tokens read", "tokens written"]
    rows = [*found.models, *([found.total] if len(found.models) > 1 else [])]
    console.table(columns, [cells(row) for row in rows])
    console.say(f"{found.folder}: {bytes_text(found.bytes)} on disk, runs included.")


def cells(row: Kept) -> list[str]:
    """A row of the table."""
    rate = "–" if row.hit_rate is None else f"{row.hit_rate:.1%}"
    numbers = [count(row.asked), count(row.stored), rate, count(row.prompt), count(row.completion)]
    return [row.model or "not noted", count(row.replies), bytes_text(row.bytes), *numbers]
