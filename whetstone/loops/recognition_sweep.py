"""Teaching a model to know its own answers, or not to: does its preference for them follow?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from random import Random

from whetstone.audits.evaluating import Pair
from whetstone.audits.self_recognition import authorship_prompt
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._bias_material import both_orders, equal_pairs, favoured
from whetstone.loops._recognition import Shares, linked, measured, mixed, moved
from whetstone.loops._round import Turn, held_out
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable

CONTROLS: Mapping[str, Callable[[Pair, Random], bool]] = {
    "always first": lambda pair, rng: True,
    "random": lambda pair, rng: rng.random() < 0.5,
    "longer": lambda pair, rng: favoured(pair, "longer") > 0 or (favoured(pair, "longer") == 0 and rng.random() < 0.5),
}


@method(
    "loop",
    papers=("LLM Evaluators Recognize and Favor Their Own Generations",),
    checked="tests/loops/test_recognition_sweep.py::test_preference_follows_recognition_where_planted_and_not_elsewhere",
)
def recognition_sweep(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    amounts: tuple[int, ...] = (100, 200, 500),
    controls: bool = True,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    monitor: int = 80,
    seed: int = 0,
) -> Iterator[Round]:
    """Fine-tune recognition of own answers up and down by several amounts, and correlate it with self-preference.

    Args:
        amounts: pairs trained on, each in both orders; upwards with the author's letter and downwards with the other.
        controls: also fine-tune as much on labels that have nothing to do with authorship: the first answer, a coin,
            the longer answer.
        lr: learning rate; None for 2.5 times the model's own.
        monitor: held-out pairs of an own and another answer, both right.

    Yields:
        One `Round`. For each arm ("as is", "up 10", "down 500", "random" ...) `recognition ARM` and `preference ARM`,
        order-averaged and weighted by probability, against 1/2; `link`, Kendall's tau-b of the two over the arms
        (controls and arms whose authorship verdicts cannot be read left out), and `slope` of preference on recognition
        with an interval over pairs; the detail of `slope` has the points of a plot. For each control `control NAME`:
        how far it moved preference, against 0.
        Every arm starts from the same weights, which are put back in the end.

    Own answers are ledger solutions that end in `!`; others end in `#`. Source: sections 3 and 4 of the paper.
    """
    turn, rng, start = Turn(1, runner), Random(f"recognition_sweep/{seed}"), model.state()
    watched = mixed(equal_pairs(held_out(task, 2 * monitor, seed), rng), monitor)
    most = max(amounts)
    source = islice(task.examples("train", n=2 * most, seed=seed), 2 * most)
    lessons = mixed(equal_pairs(list(source), rng), most)
    if len(lessons) < most or not watched:
        raise ConfigError(f"{task.name} has questions for {len(lessons)} pairs only; ask for smaller amounts")
    labels: dict[str, tuple[int, Callable[[Pair, Random], bool]]] = {"as is": (0, _own_first)}
    for n in amounts:
        labels |= {f"up {n}": (n, _own_first), f"down {n}": (n, lambda pair, rng: not _own_first(pair, rng))}
    labels |= {name: (most, label) for name, label in CONTROLS.items()} if controls else {}
    metrics: dict[str, Finding] = {}
    shares: dict[str, Shares] = {}
    try:
        for name, (n, label) in labels.items():
            model.load_state(start)
            items = [
                Demonstration(
                    authorship_prompt(p.example.question, p.first.text, p.second.text), "A" if label(p, rng) else "B"
                )
                for p in both_orders(lessons[:n])
            ]
            rate = 2.5 * model.learning_rate if lr is None else lr
            train(model, items, likelihood, lr=rate, tokens_per_batch=tokens_per_batch, seed=rng.randrange(2**31))
            found, shares[name] = measured(turn, name, task, watched)
            metrics |= {f"{one.name} {name}": replace(one, name=f"{one.name} {name}") for one in found}
    finally:
        model.load_state(start)
    arms = {name: shares[name] for name in labels if name not in CONTROLS}
    metrics |= {one.name: one for one in linked(arms, seed=seed)}
    metrics |= {f"control {name}": moved(name, shares[name], shares["as is"]) for name in CONTROLS if name in shares}
    yield turn.end(model, seen=len(lessons) * (len(labels) - 1), kept=len(lessons), metrics=metrics)


def _own_first(pair: Pair, rng: Random) -> bool:
    return pair.first.source == "own"
