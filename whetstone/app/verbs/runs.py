"""Stored runs: list, show, diff, export, delete, merge or resume them."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from whetstone.app import cli
from whetstone.app.console import Console, count, emit, money_text
from whetstone.app.flags import add_limits, add_store, limit_flags
from whetstone.app.prices import price_of
from whetstone.core.errors import ConfigError
from whetstone.store.runs import Run
from whetstone.store.store import Account, Store, open_store

ACTIONS = {
    "list": (0, "all runs, the newest first"),
    "show": (1, "ID: settings, versions, findings, how much it recorded"),
    "diff": (2, "ID ID: what differs between two runs"),
    "export": (2, "ID TARGET: as a .jsonl file or a folder of them"),
    "delete": (1, "ID: its records; replies stay, other runs may share them"),
    "merge": (1, "FOLDER: take over the runs of another store"),
    "resume": (1, "ID: go on where it stopped; nothing is asked twice"),
}


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "actions:\n" + "\n".join(f"  {name:8} {text}" for name, (_, text) in ACTIONS.items())
    parser.add_argument("action", nargs="?", default="list", choices=tuple(ACTIONS))
    parser.add_argument("names", nargs="*", metavar="ID", help="run ids; `last` is the newest")
    add_limits(parser.add_argument_group("resume with other limits"))
    add_store(parser)


def main(args: argparse.Namespace) -> int:
    wanted, text = ACTIONS[args.action]
    if len(args.names) != wanted:
        raise ConfigError(f"whetstone runs {args.action} takes {wanted or 'no'} name{'s' * (wanted != 1)}: {text}")
    if limit_flags(args) and args.action != "resume":
        raise ConfigError(f"--max-tokens and --max-cost belong to whetstone runs resume, not to {args.action}")
    folder = Path(args.store)
    if not (folder / "store.db").exists():
        raise ConfigError(f"--store {folder}: no runs are stored there; run a verb first or name another folder")
    with open_store(folder) as store:
        if args.action != "resume":
            act(store, args.action, args.names, as_json=args.json)
            return 0
        again = resume_arguments(store.show(args.names[0]).run, folder)
    again += limit_flags(args)
    return cli.run([*again, "--json"] if args.json and "--json" not in again else again)


def resume_arguments(run: Run, folder: Path) -> list[str]:
    """The command line of a run with `--resume` set. Raises ConfigError for a run begun from Python."""
    argv = run.params.get("argv")
    if not isinstance(argv, list):
        raise ConfigError(f"run {run.id} was begun from Python; call {run.command}(..., resume={run.id!r}) there")
    return [run.command, *map(str, argv), "--resume", run.id, "--store", str(folder)]


def act(store: Store, action: str, names: Sequence[str], *, as_json: bool) -> None:
    """Do one action and print what came of it."""
    console = Console()
    if action == "list":
        runs = store.list()
        if as_json:
            emit([head(run) for run in runs])
        elif runs:
            rows = [
                [run.id, run.command, str(run.params.get("task", "")), str(run.params.get("model", "")), state(run)]
                for run in runs
            ]
            console.table(["run", "command", "task", "model", "state"], rows)
        else:
            console.say("No runs yet. Begin with: whetstone improve ledger --model grit")
    elif action == "show":
        shown = store.show(names[0])
        paid = store.accounts(shown.run.id)
        if as_json:
            emit({**head(shown.run), "records": shown.counts, "findings": shown.findings, "asked": paid})
            return
        console.table(["setting", "value"], [[k, str(v)] for k, v in head(shown.run).items()])
        console.table(["records", "n"], [[kind, str(n)] for kind, n in shown.counts.items()])
        if paid:
            console.table(
                ["model", "role", "asked", "read", "written", "cost", "from the store"], [asked(a) for a in paid]
            )
        failures = Counter(brief(value) for _, value in shown.run.read("failure"))
        if failures:
            console.table(["failures", "n"], [[what, str(n)] for what, n in failures.most_common(10)])
        if shown.findings:
            console.table(["finding", "value"], [[name, brief(value)] for name, value in shown.findings.items()])
    elif action == "diff":
        diff = store.diff(names[0], names[1])
        if as_json:
            emit(diff)
            return
        parts = {"setting": diff.params, "version": diff.versions, "finding": diff.findings}
        for part, pairs in parts.items():
            rows = [[name, brief(left), brief(right)] for name, (left, right) in pairs.items()]
            if rows:
                console.table([part, names[0], names[1]], rows)
        if not any(parts.values()):
            console.say("The two runs have the same settings and versions, and no findings.")
    elif action == "export":
        target = store.export(names[0], Path(names[1]))
        emit({"exported": str(target)}) if as_json else console.say(f"Written: {target}")
    elif action == "merge":
        merged = store.merge(Path(names[0]))
        if as_json:
            emit(merged)
        else:
            console.say(f"Taken over: {merged.runs} runs, {merged.records} records, {merged.replies} replies.")
    else:
        store.delete(names[0])
        emit({"deleted": names[0]}) if as_json else console.say(f"Deleted: {names[0]}")


def head(run: Run) -> dict[str, object]:
    """A run's settings without its records."""
    return {
        "id": run.id,
        "command": run.command,
        "seed": run.seed,
        **{name: value for name, value in run.params.items() if name != "argv"},
        "versions": run.versions,
        "started": run.started,
        "finished": run.finished,
    }


def asked(account: Account) -> list[str]:
    """A row of the table of requests."""
    price = price_of(account.model)
    cost = money_text(price.of(account.prompt, account.completion), price.currency) if price else "–"
    numbers = (count(n) for n in (account.asked, account.prompt, account.completion))
    return [account.model, account.role, *numbers, cost, count(account.stored)]


def state(run: Run) -> str:
    """Finished at, or how to go on."""
    return f"finished {run.finished[:16]}" if run.finished else "unfinished"


def brief(value: object) -> str:
    """One line for a finding, a failure or any other JSON value."""
    if isinstance(value, dict) and "error" in value:
        return f"{value['error']}: {value['message']}"
    if isinstance(value, dict) and "verdict" in value:
        estimate = value.get("estimate")
        return f"{estimate:.3f}: {value['verdict']}" if isinstance(estimate, float) else str(value["verdict"])
    return "–" if value is None else str(value)
