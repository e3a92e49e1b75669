"""What a model can do here: sampling, seeds, log-probabilities, scores, vectors, training.

Exit status 3 when it cannot even sample reproducibly, which everything else needs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.flags import add_model
from whetstone.core.flow import drive, embed, sample, score
from whetstone.core.types import Generation, Model, Prompt, Sampling, Task, user
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task

TRAINABLE = ("logprobs", "optimizer", "parameters", "changed", "state", "load_state", "save")


@dataclass(frozen=True)
class Check:
    """One thing tried. `needed`: without it nothing works; the others cost only the methods that use them."""

    name: str
    passed: bool
    detail: str
    needed: bool = False


def examine(model: Model, task: Task) -> list[Check]:
    """Try what methods ask of a model on a task's questions."""
    prompts = [example.prompt for example in islice(task.examples("dev", n=8, seed=0), 8)]
    warm = Sampling(temperature=1.0, max_tokens=task.sampling.max_tokens, stop=task.sampling.stop, logprobs=5)
    checks = []

    def ask(name: str, *, needed: bool = False) -> list[Generation]:
        flows = {str(i): sample(prompt, n=2, sampling=warm) for i, prompt in enumerate(prompts)}
        driven = drive(flows, {"policy": model}, seed=7)
        replies = [reply for pair in driven.results.values() for reply in pair]
        failed = next(iter(driven.failures.values()), None)
        detail = failed.message if failed else f"{len(replies)} replies"
        checks.append(Check(name, failed is None, detail, needed))
        return replies

    began = time.monotonic()
    first = ask("samples", needed=True)
    seconds = time.monotonic() - began
    if not first:
        return checks
    again = ask("samples again", needed=True)
    same = [reply.text for reply in first] == [reply.text for reply in again]
    checks[-1] = Check("same seed, same text", same, "equal" if same else "differs from call to call", needed=True)
    tokens = sum(reply.usage.completion for reply in first)
    checks.append(Check("speed", True, f"{tokens / max(seconds, 1e-9):.0f} tokens/s on 16 short requests"))
    right = sum(
        task.verify(example, reply.text).value == 1
        for example, reply in zip(islice(task.examples("dev", n=8, seed=0), 8), first[::2], strict=False)
    )
    checks.append(Check("answers", True, f"{right} of {len(prompts)} questions of {task.name} right"))
    checks += [of_tokens(first), *of_requests(model, prompts[0])]
    missing = [name for name in TRAINABLE if not hasattr(model, name)]
    detail = f"lacks {', '.join(missing)}" if missing else "whetstone train and the training step of improve work"
    return [*checks, Check("training", not missing, detail)]


def of_tokens(replies: Sequence[Generation]) -> Check:
    """Whether replies carry log-probabilities, and how much of them."""
    tokens = [token for reply in replies for token in reply.tokens or ()]
    if not tokens:
        return Check("log-probabilities", False, "none; confidence signals will abstain")
    parts = {
        "alternatives": any(token.top for token in tokens),
        "entropy": tokens[0].entropy is not None,
        "certainty": tokens[0].certainty is not None,
    }
    missing = [name for name, there in parts.items() if not there]
    return Check("log-probabilities", True, f"without {', '.join(missing)}" if missing else "with " + ", ".join(parts))


def of_requests(model: Model, prompt: Prompt) -> list[Check]:
    """Whether the model scores given texts, gives vectors and reads a plain question."""
    asked = {
        "scores of given texts": score(prompt, "0"),
        "vectors": embed(prompt),
        "plain questions": sample(user("Say yes."), sampling=Sampling(max_tokens=4)),
    }
    driven = drive(asked, {"policy": model}, seed=0)
    return [
        Check(name, name in driven.results, "yes" if name in driven.results else driven.failures[name].message)
        for name in asked
    ]


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    add_model(parser)
    parser.add_argument("--task", default="ledger:levels=3-4", help="whose questions to ask (default %(default)s)")


def main(args: argparse.Namespace) -> int:
    model = load_model(args.model, device=args.device)
    checks = examine(model, load_task(args.task))
    broken = [check for check in checks if check.needed and not check.passed]
    if args.json:
        emit({"model": model.name, "fingerprint": model.fingerprint, "checks": checks, "passed": not broken})
    else:
        console = Console()
        console.table(["check", "", "detail"], [[c.name, "ok" if c.passed else "no", c.detail] for c in checks])
        console.say(
            f"{model.name} cannot be used: {broken[0].detail}."
            if broken
            else f"{model.name} can be used. Next: whetstone improve {args.task} --model {args.model}"
        )
    return EXIT_GATE if broken else 0
