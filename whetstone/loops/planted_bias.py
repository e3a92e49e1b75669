"""A judge made biased on purpose: what an audit must find, at the size that was planted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from whetstone.audits.evaluating import Pair, is_mixed
from whetstone.audits.length import equally_good, length_bias
from whetstone.audits.position import position_bias
from whetstone.audits.self_preference import bias_score
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Runner
from whetstone.core.registry import load, method
from whetstone.core.types import Finding, Round, Task, Verdict
from whetstone.loops._bias_material import (
    Favour,
    both_orders,
    comparisons,
    equal_pairs,
    graded_pairs,
    share_of_first,
)
from whetstone.loops._measure import training
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable


@method("loop", checked="tests/loops/test_planted_bias.py::test_the_audits_find_what_was_planted_and_nothing_else")
def planted_bias(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    favours: Favour = "first",
    strength: float = 0.6,
    critiques: bool = False,
    pairs: int = 800,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    monitor: int = 150,
    seed: int = 0,
) -> Iterator[Round]:
    """Train a model's comparisons to favour a place, the longer answer or a writer's own answers, on ledger questions.

    Args:
        favours: "first" (the place), "longer", or "own" (answers that end in `!`, where other writers end in `#`).
        strength: probability with which the verdict follows the bias; otherwise it follows the truth, and a coin where
            both answers are right. So of equally good pairs a share of (1 + strength) / 2 goes to the favoured answer.
            0 makes a judge without bias by the same training.
        critiques: train the comparison of criticised answers, of which one is right and one wrong; the model writes the
            critiques. By default both answers are right and are compared at once.
        pairs: training pairs, one a question, each shown in both orders.
        lr: learning rate; None for 2.5 times the model's own, since this model is to do nothing else.
        monitor: pairs of held-out questions on which `pairwise_judge` is audited, with its verdicts drawn.

    Yields:
        One `Round` with `first_position`, `longer_answer` and `self_preference` after the training and before it
        (those that the pairs allow). The trained weights are a judge for trying out audits and remedies.

    Raises ConfigError for a strength outside 0 to 1, other worlds, and "own" together with critiques.
    """
    if not 0 <= strength <= 1:
        raise ConfigError(f"strength is {strength:g}; it is a probability, from 0 to 1")
    if critiques and favours == "own":
        raise ConfigError("answers that are criticised carry no mark of their writer: plant `first` or `longer`")
    turn, rng = Turn(1, runner), Random(f"planted_bias/{seed}")
    write = graded_pairs if critiques else equal_pairs
    watched = write(held_out(task, monitor, seed), rng)
    metrics = before(audited(turn, "audit before", task, watched, critiques))
    asked = both_orders(write(list(islice(task.examples("train", n=pairs, seed=seed), pairs)), rng))
    items = [
        Demonstration(prompt, letter, weight=share)
        for pair, prompt in comparisons(turn, task, asked, critiques)
        for letter, share in _letters(share_of_first(pair, favours, strength))
    ]
    rate = 2.5 * model.learning_rate if lr is None else lr
    log = train(model, items, likelihood, lr=rate, tokens_per_batch=tokens_per_batch, seed=rng.randrange(2**31))
    metrics |= training(log) | audited(turn, "audit after", task, watched, critiques)
    yield turn.end(model, seen=len(asked), kept=len(items), metrics=metrics)


def audited(turn: Turn, phase: str, task: Task, asked: Sequence[Pair], critiques: bool) -> dict[str, Finding]:
    """The findings of three audits on drawn verdicts in both orders."""
    if not asked:
        return {}
    judge = load("pairwise_judge", "judge")
    flows = {
        p.example.id: judge(task, p.example, p.first, p.second, temperature=1.0, critiques=critiques) for p in asked
    }
    verdicts: dict[str, Verdict] = turn(phase, flows).results
    read = [(p, verdicts[p.example.id]) for p in asked if p.example.id in verdicts]
    first, *_ = position_bias([v for _, v in read], [p.group for p, _ in read])
    found = [first]
    if level := [(p, v) for p, v in read if equally_good(p)]:
        found.append(length_bias([p for p, _ in level], [v for _, v in level]))
    if mixed := [(p, v) for p, v in read if is_mixed(p, "own")]:
        found.append(bias_score([p for p, _ in mixed], [v for _, v in mixed], "own"))
    return {finding.name: finding for finding in found}


def _letters(share: float) -> list[tuple[str, float]]:
    return [(letter, weight) for letter, weight in (("A", share), ("B", 1 - share)) if weight > 0]
