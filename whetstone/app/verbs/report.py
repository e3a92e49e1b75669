"""Write the HTML report of an improve run again, from its result.json."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from whetstone.app.console import emit
from whetstone.app.flags import add_store
from whetstone.app.outcome import REPORT, RESULT
from whetstone.app.report import write_report
from whetstone.app.result import Result
from whetstone.core.errors import ConfigError, StoreError
from whetstone.store.store import open_store


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("run", nargs="?", default="last", help="a run id, a folder or a result.json (default: last)")
    parser.add_argument("--out", help="where to write (default: report.html beside the result)")
    add_store(parser)


def main(args: argparse.Namespace) -> None:
    source = locate(args.run, Path(args.store))
    target = Path(args.out) if args.out else source.with_name(REPORT)
    result = Result.from_json(source.read_text(encoding="utf-8"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_report(result, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror}); choose another --out") from error
    if args.json:
        emit({"result": str(source), "report": str(target), "bytes": target.stat().st_size})
    else:
        print(f"Written: {target} ({target.stat().st_size / 1e3:.0f} kB)")


def locate(name: str, store: Path) -> Path:
    """The result.json of a run id, a folder or a path. Raises ConfigError that says what is there."""
    for path in (Path(name), Path(name) / RESULT, store / name / RESULT):
        if path.is_file():
            return path
    if not (store / "store.db").exists():
        raise ConfigError(f"{name}: no result.json there, and no runs are stored in {store}; name a run with --store")
    with open_store(store) as opened:
        runs = [run for run in opened.list() if run.command == "improve" and name in ("last", run.id)]
    for run in runs:
        out = run.params.get("out")
        for folder in (*([Path(str(out))] if out else []), store / run.id):
            if (folder / RESULT).is_file():
                return folder / RESULT
    raise ConfigError(f"{name}: no finished improve run with a result; see whetstone runs --store {store}")
