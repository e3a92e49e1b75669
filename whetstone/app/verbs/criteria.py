"""Assertions that grade a file of outputs as you do: a model suggests criteria, you grade some outputs, the best stay.

  whetstone criteria outputs.jsonl --model openai/gpt-5-mini --about "Replies to customers of a library"
  whetstone criteria outputs.jsonl --model hf/PATH --grades grades.csv      grades from a file (id, grade)
  whetstone criteria outputs.jsonl --model hf/PATH --ask 0                  the report card alone

At the terminal: g good, b bad, s skip, u grade the one before again, c show the criteria, + NAME: TEXT add or edit one,
- NAME drop one, q stop. Everything goes into a log in --out at once; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from whetstone.app.console import Console, emit, interval, number
from whetstone.app.criteria import CARD, Card, Criteria, Output, card, order, outputs_of, read_grades, write_card
from whetstone.app.flags import add_common, pairs, positive, run_settings
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.outputs import read_outputs
from whetstone.app.workbench import Workbench, workbench
from whetstone.audits.suggesting import holds, suggest_assertions, suggest_criteria
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, gather
from whetstone.core.types import Model
from whetstone.models.load import load_model

HELP = "g good, b bad, s skip, u the one before again, c criteria, + NAME: TEXT, - NAME, q stop"
SHOWN = 5  # outputs that the model sees when it suggests criteria


def criteria(
    *files: str | Path,
    model: Model | str,
    about: str = "",
    grades: Mapping[str, bool] | None = None,
    reply: Callable[[str], str] | None = None,
    ask: int = 20,
    suggest: int = 5,
    false_failures: float = 0.2,
    out: str | Path = "criteria",
    columns: Mapping[str, str] | None = None,
    n: int | None = None,
    seed: int = 0,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    store: str | Path = "runs",
    resume: str | None = None,
    device: str = "auto",
    argv: list[str] | None = None,
    console: Console | None = None,
) -> Card:
    """Criteria, assertions and their report card for the outputs of files.

    Args:
        files, columns, n: as in `read_outputs`. Labels in a file count as grades.
        about: what the outputs are, for the model.
        grades: of outputs, by id.
        reply: asks the person and returns what was typed; None grades nobody.
        ask: outputs to grade at most.
        suggest: criteria to suggest.
        false_failures: an assertion that fails more of the good outputs than this is not kept.
        out: folder of the log and the report card.

    Raises:
        ConfigError: grades of outputs that are not there.
        TaskError: a row that cannot be used.
    """
    outputs, given = outputs_of(read_outputs(files, columns=columns, limit=n))
    model = load_model(model, device=device) if isinstance(model, str) else model
    state, console = Criteria.open(Path(out)), console or Console(quiet=True)
    about = about or "A language model wrote outputs for this: " + outputs[0].question
    params = {"files": [str(file) for file in files], "model": model.name, "argv": argv}
    with workbench(
        "criteria",
        params,
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
        console=console,
    ) as bench:
        suggested(bench, state, about, outputs, suggest)
        _take_grades(state, outputs, {**given, **(grades or {})})
        results = checked(bench, state, about, outputs)
        if reply is not None and grade(state, outputs, results, reply, console, ask):
            suggested(bench, state, about, outputs, suggest)
            results = checked(bench, state, about, outputs)
        found = card(state, outputs, results, false_failures=false_failures, seed=seed)
        bench.run.add_many("finding", ((finding.name, finding) for finding in found.findings))
    write_card(found, Path(out) / CARD)
    return found


def suggested(bench: Workbench, state: Criteria, about: str, outputs: Sequence[Output], suggest: int) -> None:
    """Let the model suggest criteria where there are none, and assertions for criteria that have none."""
    if not state.criteria:
        asked = suggest_criteria(about, [one.text for one in outputs[:SHOWN]], n=suggest)
        for criterion in bench("suggest criteria", {"criteria": asked}).results["criteria"]:
            state.log("criterion", name=criterion.name, text=criterion.text)
    wanted = {one.name: suggest_assertions(about, one) for one in state.unchecked()}
    lost = 0
    for found, unusable in (bench("suggest assertions", wanted).results if wanted else {}).values():
        lost += unusable
        for assertion in found:
            state.add(assertion)
    if lost:
        bench.console.say(f"{lost} suggested assertions could not be used.")


def checked(bench: Workbench, state: Criteria, about: str, outputs: Sequence[Output]) -> dict[str, list[bool | None]]:
    """What each assertion says of each output."""

    def row(name: str) -> Flow[list[bool | None]]:
        return (yield from gather(holds(about, state.assertions[name], one.text) for one in outputs))

    return bench("assertions", {name: row(name) for name in state.assertions}).results


def grade(
    state: Criteria,
    outputs: Sequence[Output],
    results: Mapping[str, Sequence[bool | None]],
    reply: Callable[[str], str],
    console: Console,
    ask: int,
) -> bool:
    """Let a person grade outputs; true when the criteria have changed."""
    known = {name: [bool(value) for value in row] for name, row in results.items()}
    waiting = order(outputs, known, state.grades)[:ask]
    before, at, shown = len(state.changes), 0, -1
    while at < len(waiting):
        one = waiting[at]
        if shown != at:
            console.say(f"\n[{at + 1} of {len(waiting)}] {one.question}\n\n{one.text}\n")
            shown = at
        try:
            word = reply("good or bad? ").strip()
        except EOFError:
            break
        if word == "q":
            break
        if word in ("g", "b"):
            state.log("grade", id=one.id, good=word == "g")
            at += 1
        elif word == "s":
            at += 1
        elif word == "u" and at:
            at -= 1
        elif word == "c":
            for criterion in state.criteria.values():
                console.say(f"{criterion.name}: {criterion.text}")
        elif word[:1] in ("+", "-") and edit(state, word):
            console.say("Noted; its assertions are written when you stop grading.")
        else:
            console.say(HELP)
    return len(state.changes) > before or bool(state.unchecked())


def edit(state: Criteria, word: str) -> bool:
    """Add, edit or drop a criterion as typed; false when it cannot be understood."""
    name, colon, text = (part.strip() for part in word[1:].partition(":"))
    if word[0] == "-":
        if name not in state.criteria:
            return False
        state.log("drop", name=name)
        return True
    if name and colon and text:
        state.log("criterion", name=name, text=text)
        return True
    return False


def _take_grades(state: Criteria, outputs: Sequence[Output], grades: Mapping[str, bool]) -> None:
    """Log grades that are new or have changed."""
    known = {one.id for one in outputs}
    strange = [name for name in grades if name not in known]
    if strange:
        raise ConfigError(f"{len(strange)} grades are of outputs that are not there, such as {strange[0]!r}")
    for name, good in grades.items():
        if state.grades.get(name) != good:
            state.log("grade", id=name, good=good)


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="outputs: .jsonl, .csv, .tsv, .parquet")
    parser.add_argument("--about", default="", help="what the outputs are, for the model that suggests criteria")
    parser.add_argument("--grades", metavar="FILE", help="grades from a file with columns id and grade")
    parser.add_argument("--ask", type=int, default=20, help="outputs to grade at the terminal (default 20; 0: none)")
    parser.add_argument("--suggest", type=positive, default=5, help="criteria to suggest (default 5)")
    parser.add_argument(
        "--false-failures",
        type=float,
        default=0.2,
        help="share of good outputs that a kept assertion may fail (default .2)",
    )
    parser.add_argument("--out", default="criteria", help="folder of the log and the report card (default criteria)")
    parser.add_argument("--columns", metavar="ROLE=NAME,...", help="such as question=ask,output=said")
    parser.add_argument("--limit", type=positive, help="the first so many questions (default all)")
    add_common(parser, task=False, limit=None)


def main(args: argparse.Namespace) -> None:
    console = Console(sys.stderr if args.json else sys.stdout)
    person = args.ask > 0 and not args.grades and sys.stdin.isatty()
    found = criteria(
        *args.files,
        model=args.model,
        about=args.about,
        grades=read_grades(Path(args.grades)) if args.grades else None,
        reply=input if person else None,
        ask=args.ask,
        suggest=args.suggest,
        false_failures=args.false_failures,
        out=args.out,
        columns=pairs(args.columns),
        n=args.limit,
        device=args.device,
        argv=args.argv,
        **run_settings(args, console),
    )
    emit(found) if args.json else show(console, found, Path(args.out))


def show(console: Console, found: Card, out: Path) -> None:
    """Print the report card: every assertion, the kept set, and every change of mind."""
    whole = [f for f in found.findings if not f.name.startswith("coverage ")]
    rows = [
        [
            f.name.removeprefix("coverage "),
            interval(f.estimate, f.interval),
            number(value if isinstance(value := f.detail.get("false_failure"), float) else None),
            f.verdict,
        ]
        for f in found.findings
        if f not in whole
    ]
    if rows:
        console.table(["assertion", "coverage", "false failures", ""], rows)
        cells = [[f.name, str(f.n), interval(f.estimate, f.interval), f.verdict] for f in whole]
        console.table(["held out", "n", "estimate", ""], cells)
    for assertion in found.kept:
        console.say(f"{assertion.criterion} ({assertion.kind}): {assertion.text}")
    if found.left_out:
        console.say(f"Left out, since the judge could not be read: {', '.join(found.left_out)}.")
    for change in found.changes:
        console.say(f"Drift: {change}.")
    if found.regraded:
        console.say(f"Drift: {len(found.regraded)} outputs graded again.")
    if found.note:
        console.say(f"{found.graded} graded: {found.note}.")
    console.say(f"Written: {out / CARD}, and the log beside it. Run the same command again to go on.")
