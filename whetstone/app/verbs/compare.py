"""Two stored runs, or two strategies asked now, on the same questions: the paired difference with its interval."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit, interval, p_value
from whetstone.app.flags import add_store, positive, split_method
from whetstone.app.grading import Graded
from whetstone.app.measure import matched, paired, paired_levels, with_crossed
from whetstone.app.result import Paired, decode
from whetstone.app.steps.verdict import difference
from whetstone.app.verbs.solve import run as solve_on
from whetstone.app.workbench import workbench
from whetstone.core.errors import ConfigError
from whetstone.models.load import load_model
from whetstone.store.store import Store, open_store
from whetstone.tasks.load import load_task


@dataclass(frozen=True)
class Comparison:
    """`right` minus `left` on the questions that both answered; `unmatched` were answered by one side only."""

    left: str
    right: str
    overall: Paired
    levels: tuple[Paired, ...]
    unmatched: int


def compare(left: str, right: str, *, store: str | Path = "runs") -> Comparison:
    """Compare the outcomes of two stored runs.

    Args:
        left, right: run ids, or `ID/STRATEGY` where a run holds several strategies.
        store: folder of the run database.

    Raises:
        ConfigError: an unknown run, one without outcomes, or two without a question in common.
    """
    with open_store(Path(store)) as opened:
        return between(left, outcomes(opened, left), right, outcomes(opened, right))


def between(left: str, first: Sequence[Graded], right: str, second: Sequence[Graded]) -> Comparison:
    """Compare two sets of graded answers."""
    pairs = matched(first, second)
    if not pairs:
        raise ConfigError(f"{left} and {right} have no question in common; run both on the same --task and --seed")
    levels = tuple(dict.fromkeys(b.level for b, _ in pairs if b.level))
    levels = tuple(sorted(levels, key=lambda level: (len(level), level)))
    overall = paired(first, second)
    unmatched = len(first) + len(second) - 2 * len(pairs)
    return Comparison(left, right, with_crossed(overall, overall.p), paired_levels(first, second, levels), unmatched)


def outcomes(store: Store, name: str) -> list[Graded]:
    """The graded answers that a run recorded, of one strategy."""
    run_id, _, wanted = name.partition("/")
    by_strategy: dict[str, list[Graded]] = {}
    for key, value in store.show(run_id).run.read("outcome"):
        by_strategy.setdefault(key.split("/")[0], []).append(decode(Graded, value, key))
    if not by_strategy:
        raise ConfigError(f"run {run_id} has no outcomes; compare runs of whetstone solve")
    if not wanted and len(by_strategy) == 1:
        wanted = next(iter(by_strategy))
    if wanted not in by_strategy:
        raise ConfigError(f"run {run_id} holds {', '.join(by_strategy)}; write {run_id}/NAME")
    return by_strategy[wanted]


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("left", help="a run id (or ID/STRATEGY), or with --task a strategy such as greedy")
    parser.add_argument("right", help="the same, compared against left")
    parser.add_argument("--task", help="ask both strategies now, on this task")
    parser.add_argument("--model", help="with --task: the model to ask")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    parser.add_argument("--limit", type=positive, default=200, help="with --task: questions (default 200)")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="test", help="default test")
    parser.add_argument("--seed", type=int, default=0, help="run seed (default 0)")
    parser.add_argument("--tokens", type=positive, help="cap on a question's tokens, the same for both")
    parser.add_argument("--budget", type=positive, help="cap on all tokens")
    parser.add_argument("--resume", metavar="RUN", help="go on with a stored run of the same settings")
    parser.add_argument("--gate", action="store_true", help="exit with status 3 unless right beats left")
    add_store(parser)


def main(args: argparse.Namespace) -> int:
    console = Console(sys.stderr if args.json else sys.stdout)
    if bool(args.task) != bool(args.model):
        raise ConfigError("whetstone compare needs --task and --model together to ask strategies, or two run ids")
    found = asked(args, console) if args.task else compare(args.left, args.right, store=stored(args.store))
    if args.json:
        emit(found)
    else:
        show(console, found)
    return EXIT_GATE if args.gate and not found.overall.crossed else 0


def stored(folder: str) -> str:
    """The store's folder. Raises ConfigError when nothing is stored there."""
    if not (Path(folder) / "store.db").exists():
        raise ConfigError(f"--store {folder}: no runs are stored there; run whetstone solve first, or give --task")
    return folder


def asked(args: argparse.Namespace, console: Console) -> Comparison:
    """Ask both strategies on the same questions now."""
    sides = [split_method(text, "strategy") for text in (args.left, args.right)]
    task, model = load_task(args.task), load_model(args.model, device=args.device)
    params = {"task": task.name, "model": model.name, "left": args.left, "right": args.right, "argv": args.argv}
    with workbench(
        "compare",
        params,
        model=model,
        seed=args.seed,
        budget=args.budget,
        store=args.store,
        resume=args.resume,
        console=console,
    ) as bench:
        answers = [
            solve_on(bench, task, known.name, options, n=args.limit, split=args.split, tokens=args.tokens).answers
            for known, options in sides
        ]
    return between(args.left, answers[0], args.right, answers[1])


def show(console: Console, found: Comparison) -> None:
    """Print the table and what it comes to."""
    rows = [
        [
            pair.level or "all",
            str(pair.difference.n),
            interval(pair.before.value, pair.before.interval),
            interval(pair.after.value, pair.after.interval),
            interval(pair.difference.value, pair.difference.interval),
            p_value(pair.p),
            str(pair.fixed),
            str(pair.broken),
        ]
        for pair in (*found.levels, found.overall)
    ]
    console.table(["level", "n", found.left, found.right, "difference", "p", "fixed", "broken"], rows)
    word = "better than" if found.overall.crossed else "not shown to be better than"
    console.say(f"{found.right} is {word} {found.left}: {difference(found.overall)}.")
    if found.unmatched:
        console.say(f"{found.unmatched} answers have no counterpart or no grade and are left out.")
