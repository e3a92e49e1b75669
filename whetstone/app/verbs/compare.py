"""Two or many systems on the same items: stored runs, score files, or strategies asked now; every pair, paired.

A system is a score file (.jsonl, .csv, .tsv, .parquet; a row an item, with columns id, score and, where items come in
clusters, group), a run (its id, ID/STRATEGY, or a folder of runs), or with --task a strategy. NAME=SYSTEM calls it
something else. One file may hold several systems, told apart by a column (system, model) or as a score column each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from whetstone.app.cli import EXIT_GATE
from whetstone.app.comparison import Comparison, Rule, build, gated
from whetstone.app.comparison_text import CORRECTIONS, amount, digits, headline, letter, remarks
from whetstone.app.console import Console, emit, p_value
from whetstone.app.flags import add_limits, add_store, parts, positive, run_settings, split_method, wrong
from whetstone.app.grading import Graded
from whetstone.app.report.compared import rank_text, ranked, write_comparison
from whetstone.app.result import decode
from whetstone.app.scores import USUAL, Columns, Scores, align, read_scores, shuffled
from whetstone.app.verbs.solve import run as solve_on
from whetstone.app.workbench import workbench
from whetstone.core.errors import ConfigError
from whetstone.models.load import load_model
from whetstone.stats.systems import Correction, Test
from whetstone.store.store import Store, open_store
from whetstone.tasks.load import load_task
from whetstone.tasks.readers import file_format

PRINTED = 10  # pairs that a terminal shows; the rest are in the picture and in --json


def compare(
    *systems: str | Path,
    store: str | Path = "runs",
    columns: Columns = USUAL,
    test: Test = "auto",
    correction: Correction = "holm",
    only_first: bool = False,
    margin: float | None = None,
    bounds: tuple[float, float] | None = None,
    shuffle: bool = False,
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare systems on the items that all of them have.

    Args:
        systems: score files, folders of runs, or run ids (`ID/STRATEGY` where a run holds several), each also as
            `NAME=SYSTEM`. Differences are later minus earlier.
        store: folder of the run database that ids are looked up in.
        columns: of score files, where they differ from the usual ones.
        test: "auto" is McNemar's for right/wrong scores without clusters, else (clustered) t.
        correction: for the number of pairs.
        only_first: compare with the first system only, not all pairs.
        margin: the largest difference that does not matter; adds equivalence tests.
        bounds: least and greatest possible score, for the test "anytime" where it is not 0 and 1.
        shuffle: put the items in random order first. The test "anytime" needs such an order: rows as they came in are
            in one if the items were asked in random order; a finished list has to be shuffled.
        rounds: of the bootstrap or of random sign patterns.
        level: confidence level.
        seed: same seed, same result.

    Raises:
        ConfigError: an unknown run or column, fewer than two systems, or no item in common.
        TaskError: a file or a row that cannot be used, by line and column.
    """
    found = [scores for text in systems for scores in load(str(text), Path(store), columns)]
    if len(found) > len(systems) > 1:
        found = [scores for text in systems for scores in load(str(text), Path(store), columns, prefix=True)]
    aligned = align(found)
    return build(
        shuffled(aligned, seed) if shuffle else aligned,
        test=test,
        correction=correction,
        only_first=only_first,
        margin=margin,
        bounds=bounds,
        rounds=rounds,
        level=level,
        seed=seed,
    )


def load(text: str, store: Path, columns: Columns, *, prefix: bool = False) -> list[Scores]:
    """The systems that an argument names; with `prefix`, those of a file with several carry the file's name."""
    name, equals, rest = text.partition("=")
    named = bool(equals) and not Path(text).exists() and "/" not in name
    path = Path(rest if named else text)
    if file_format(path) is not None and not path.is_dir():
        found = read_scores(path, columns, name=name if named else "")
        if len(found) > 1 and (prefix or named):
            for scores in found:
                scores.name = f"{name if named else path.name.split('.')[0]}/{scores.name}"
        return found
    scores = stored_scores(path, store)
    scores.name = name if named else scores.name
    return [scores]


def stored_scores(path: Path, store: Path) -> Scores:
    """The outcomes of a stored run: a folder with one such run, FOLDER/ID, ID, each also with /STRATEGY."""
    for depth, folder in enumerate((path, *path.parents)):
        if depth <= 2 and (folder / "store.db").exists() and folder != Path():
            with open_store(folder) as opened:
                wanted = "/".join(path.parts[len(folder.parts) :]) or only_run(opened, folder)
                return of_outcomes(outcomes(opened, wanted), wanted, str(path))
    if not (store / "store.db").exists():
        raise ConfigError(
            f"{path}: no such file, and no runs are stored in --store {store}; name a score file (.jsonl, .csv, "
            ".parquet), run whetstone solve first, or give --task"
        )
    with open_store(store) as opened:
        return of_outcomes(outcomes(opened, str(path)), str(path), f"{store}/{path}")


def only_run(store: Store, folder: Path) -> str:
    """The id of a folder's only run with outcomes."""
    runs = [run.id for run in store.list() if "outcome" in store.show(run.id).counts]
    if len(runs) != 1:
        listed = ", ".join(f"{folder}/{run}" for run in runs[:5])
        raise ConfigError(
            f"{folder} holds {len(runs)} runs with outcomes" + (f"; write one of {listed}" if runs else "")
        )
    return runs[0]


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


def of_outcomes(graded: Sequence[Graded], name: str, source: str) -> Scores:
    """Graded answers as scores; several answers to one question are averaged."""
    scores, times = Scores(name, source), dict[str, int]()
    for answer in graded:
        if answer.correct is None:
            scores.left_out["answers without a grade"] += 1
            continue
        n = times[answer.id] = times.get(answer.id, 0) + 1
        scores.values[answer.id] = scores.values.get(answer.id, 0.0) * (n - 1) / n + answer.correct / n
        scores.groups[answer.id], scores.levels[answer.id] = answer.group, answer.level
    if len(set(scores.groups.values())) == len(scores.groups):
        scores.groups.clear()
    return scores


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("systems", nargs="+", metavar="SYSTEM", help="two or more: files, runs, strategies; see above")
    tests = parser.add_argument_group("the comparison")
    tests.add_argument("--test", choices=get_args(Test), default="auto", help="default auto: McNemar, else t")
    tests.add_argument("--correction", choices=get_args(Correction), default="holm", help="default holm")
    tests.add_argument("--only-first", action="store_true", help="each system against the first, not all pairs")
    tests.add_argument("--margin", type=above_zero, metavar="X", help="equivalence: a difference that does not matter")
    tests.add_argument("--bounds", type=float, nargs=2, metavar=("LOW", "HIGH"), help="possible scores, for anytime")
    tests.add_argument("--shuffle", action="store_true", help="random order of a finished list of items, for anytime")
    tests.add_argument("--rounds", type=positive, default=10_000, help="of bootstrap and permutation (default 10000)")
    tests.add_argument("--level", type=share, default=0.95, help="confidence level (default 0.95)")
    tests.add_argument("--seed", type=int, default=0, help="run seed (default 0)")
    tests.add_argument(
        "--gate",
        nargs="?",
        const="better",
        type=rule,
        metavar="RULE",
        help="exit with status 3 unless all others are, against the first: better (default), not-worse or equivalent "
        "(with --margin), or show no-regression",
    )
    tests.add_argument("--picture", metavar="FILE.html", help="write a page with the pictures and tables")
    files = parser.add_argument_group("score files")
    files.add_argument("--id", type=names, metavar="COLUMN", help="of the item; several joined by commas")
    files.add_argument("--score", type=names, metavar="COLUMN", help="of the score; several: each is a system")
    files.add_argument("--group", metavar="COLUMN", help="of the cluster")
    files.add_argument("--by", metavar="COLUMN", help="that tells systems apart")
    files.add_argument("--repeats", action="store_true", help="average items that stand there several times")
    asking = parser.add_argument_group("strategies asked now")
    asking.add_argument("--task", help="ask the strategies now, on this task")
    asking.add_argument("--model", help="with --task: the model to ask")
    asking.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    asking.add_argument("--limit", type=positive, default=200, help="with --task: questions (default 200)")
    asking.add_argument("--split", choices=("train", "dev", "test"), default="test", help="default test")
    asking.add_argument("--tokens", type=positive, help="cap on a question's tokens, the same for all")
    asking.add_argument("--budget", type=positive, help="cap on all tokens used")
    add_limits(asking)
    asking.add_argument("--resume", metavar="RUN", help="go on with a stored run of the same settings")
    add_store(parser)


def main(args: argparse.Namespace) -> int:
    console = Console(sys.stderr if args.json else sys.stdout)
    if bool(args.task) != bool(args.model):
        raise ConfigError("whetstone compare needs --task and --model together to ask strategies")
    if args.margin is not None and args.test == "anytime":
        raise ConfigError("--margin adds tests with a fixed number of items; it does not go with --test anytime")
    settings = {
        "test": args.test,
        "correction": args.correction,
        "only_first": args.only_first,
        "margin": args.margin,
        "bounds": tuple(args.bounds) if args.bounds else None,
        "rounds": args.rounds,
        "level": args.level,
        "seed": args.seed,
    }
    if args.task:
        aligned = align(asked(args, console))
        found = build(shuffled(aligned, args.seed) if args.shuffle else aligned, **settings)
    else:
        columns = Columns(args.id, args.score, args.group, args.by, args.repeats)
        found = compare(*args.systems, store=args.store, columns=columns, shuffle=args.shuffle, **settings)
    if args.gate:
        found = gated(found, args.gate)
    if args.picture:
        write_comparison(found, Path(args.picture))
    if args.json:
        emit(found)
    else:
        show(console, found)
    if args.picture:
        console.say(f"Picture: {args.picture}")
    return EXIT_GATE if found.gate and not found.gate.passed else 0


def asked(args: argparse.Namespace, console: Console) -> list[Scores]:
    """Ask the strategies on the same questions now."""
    sides = [split_method(text, "strategy") for text in args.systems]
    task, model = load_task(args.task), load_model(args.model, device=args.device)
    params = {"task": task.name, "model": model.name, "systems": args.systems, "argv": args.argv}
    with workbench("compare", params, model=model, **run_settings(args, console)) as bench:
        return [
            of_outcomes(
                solve_on(bench, task, known.name, options, n=args.limit, split=args.split, tokens=args.tokens).answers,
                text,
                f"run {bench.run.id}",
            )
            for text, (known, options) in zip(args.systems, sides, strict=True)
        ]


def show(console: Console, found: Comparison) -> None:
    """Print the tables and what they come to."""
    decimals = digits([s.mean for s in found.systems])
    ties, middle = bool(found.ties) and len(found.systems) > 2, any(s.middle for s in found.systems)
    console.table(
        ["system", "n", "mean", *(["middle half"] * middle), *(["rank", "ties"] if ties else [])],
        [
            [
                s.name,
                str(s.mean.n),
                amount(s.mean, decimals),
                *([amount(s.middle, decimals)] if s.middle else []),
                *([rank_text(s), " ".join(map(letter, s.ties))] if ties else []),
            ]
            for s in ranked(found)
        ],
    )
    first = found.systems[0].name
    pairs = found.pairs
    if len(pairs) > PRINTED:
        pairs = tuple(pair for pair in pairs if first in (pair.baseline, pair.treatment))
    decimals = digits([pair.difference for pair in pairs])
    corrected = len(found.pairs) > 1
    console.table(
        ["pair", "difference", "p", *([f"p, {CORRECTIONS[found.correction]}"] * corrected), "better", "worse", "same"],
        [
            [
                f"{pair.treatment} − {pair.baseline}",
                amount(pair.difference, decimals, signed=True),
                p_value(pair.p),
                *([p_value(pair.adjusted)] * corrected),
                str(pair.wins),
                str(pair.losses),
                str(pair.ties),
            ]
            for pair in pairs
        ],
    )
    if found.slices and len(found.systems) == 2:
        decimals = digits([one.difference for one in found.slices])
        console.table(
            ["level", "pair", "n", "difference", "p", "p, Holm"],
            [
                [
                    one.level,
                    f"{one.treatment} − {one.baseline}",
                    str(one.difference.n),
                    amount(one.difference, decimals, signed=True),
                    p_value(one.p),
                    p_value(one.adjusted),
                ]
                for one in found.slices
            ],
        )
    if len(pairs) < len(found.pairs):
        console.say(f"{len(found.pairs) - len(pairs)} pairs without {first} are in --json and --picture.")
    if found.slices and len(found.systems) > 2:
        console.say(f"Differences to {first} by level are in --json and --picture.")
    for text in (headline(found), *remarks(found)):
        console.say(text)


def names(text: str) -> tuple[str, ...]:
    """Columns joined by commas."""
    return parts(text) or wrong(f"{text!r} names no column")


def above_zero(text: str) -> float:
    """A number above 0."""
    return checked(text, lambda value: value > 0, "a number above 0")


def share(text: str) -> float:
    """A number between 0 and 1."""
    return checked(text, lambda value: 0 < value < 1, "between 0 and 1, such as 0.95")


def rule(text: str) -> Rule:
    """A gate's rule."""
    known: tuple[Rule, ...] = get_args(Rule)
    for one in known:
        if one == text:
            return one
    return wrong(f"{text!r} is not one of {', '.join(known)}; a bare --gate stands after the systems")


def checked(text: str, fits: Callable[[float], bool], what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    return value if fits(value) else wrong(f"{text!r} is not {what}")
