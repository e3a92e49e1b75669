"""What a model can do here, in seconds: does it answer, count tokens, honour seed, stop and length, give
log-probabilities, score given texts, give vectors, see images, can it be trained; and which methods will abstain.

Exit status 3 when it does not answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from whetstone.app.checkup import Check, examine
from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.fitness import Fitness, fitness
from whetstone.app.flags import add_model
from whetstone.app.prices import price_of
from whetstone.core.registry import methods
from whetstone.core.types import Model, Task
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task

WORD = {True: "ok", False: "no", None: "?"}


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    add_model(parser)
    parser.add_argument("--task", default="ledger:levels=3-4", help="whose questions to ask (default %(default)s)")


def main(args: argparse.Namespace) -> int:
    model, task = load_model(args.model, device=args.device), load_task(args.task)
    checks, fit = doctor(model, task)
    broken = [check for check in checks if check.needed and not check.passed]
    if args.json:
        card = {"model": model.name, "fingerprint": model.fingerprint, "passed": not broken}
        emit({**card, "price": price_of(model.name), "checks": checks, "methods": fit})
    else:
        console = Console()
        show(console, model, checks, fit)
        console.say(
            f"{model.name} cannot be used: {broken[0].detail}"
            if broken
            else f"{model.name} can be used. Next: whetstone improve {args.task} --model {args.model}"
        )
    return EXIT_GATE if broken else 0


def doctor(model: Model, task: Task) -> tuple[list[Check], list[Fitness]]:
    """What the model can do, and how every method fares on it (loops by whether it can be trained).

    The second list is empty when the model does not answer.
    """
    found = examine(model, task)
    if not found.answered:
        return found.checks, []
    frozen = next((c.detail for c in found.checks if c.name == "training" and not c.passed), "")
    loops = [Fitness(m.name, m.kind, frozen) for m in methods("loop")]
    return found.checks, [*fitness(model, task, found.answered), *loops]


def show(console: Console, model: Model, checks: Sequence[Check], fit: Sequence[Fitness]) -> None:
    """Print the checks, and the methods that will abstain, by reason."""
    console.table(["check", "", "detail"], [[c.name, WORD[c.passed], c.detail] for c in checks])
    if not fit:
        return
    reasons: dict[str, list[str]] = {}
    for one in fit:
        if one.abstains:
            reasons.setdefault(one.abstains, []).append(one.method + (" (in part)" if one.part else ""))
    if reasons:
        console.table(
            ["will abstain or fail", "because"], [[", ".join(names), reason] for reason, names in reasons.items()]
        )
    price = price_of(model.name)
    if price:
        console.say(f"Price: {price.prompt:g} {price.currency} a million tokens read, {price.completion:g} written.")
    works = sum(not one.abstains and one.tried for one in fit)
    untried = [one.method for one in fit if not one.tried]
    console.say(
        f"{works} of {len(fit)} methods work on {model.name} (signals, judges, strategies, audits, loops)"
        + (f"; not tried: {', '.join(untried)}." if untried else ".")
    )
