"""Expert iteration that leaves out accepted samples far from what a few labelled ones look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from whetstone.core.errors import TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._measure import describe, training
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, demonstrations, select
from whetstone.loops._train import log_likelihoods, train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import mean

LARGEST = 5.0


@method(
    "loop",
    papers=("Importance Weighting Can Help Large Language Models Self-Improve",),
    checked="tests/loops/test_importance_weighting.py::test_planted_off_distribution_samples_rank_highest",
)
def importance_weighting(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 2,
    questions: int = 400,
    k: int = 8,
    temperature: float = 0.7,
    votes: float = 0.5,
    keep: float = 0.8,
    labelled: int = 16,
    width: int = 4,
    probe: int = 16,
    floor: float = 0.1,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Majority filter, then the share of accepted samples whose distribution shift is smallest.

    Args:
        rounds, questions, k, temperature, votes, width, probe, floor: as in `expert_iteration`.
        keep: share of accepted samples that is kept.
        labelled: dev questions with gold labels; right samples of theirs are the validation set.
        lr: learning rate; None for the model's own.
        monitor, audited: as in `expert_iteration`.

    Yields:
        A `Round` after each round of training, with the mean shift of what was kept and of what was left out.

    Raises:
        TaskError: no sample of the labelled questions is right.
    """
    rate, pool = model.learning_rate if lr is None else lr, Questions(task, seed=seed)
    sampler = Sampler(task, Rule("majority", votes=votes), k, temperature)
    gold = Sampler(task, Rule("gold"), k, temperature)
    dev = held_out(task, monitor + labelled, seed)
    watched, known = dev[:monitor], dev[monitor:]
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics = before(sampler.monitor(turn, "before", watched, audited=audited)) if index == 1 else {}
        valid_groups = gold.sample(turn, "valid", known)
        valid = demonstrations(valid_groups, select(valid_groups, task, gold.rule))
        if not valid:
            raise TaskError(f"not one sample of {len(known)} labelled questions is right; take more or easier ones")
        harvest = sampler.explore(turn, pool, questions, probe=probe, width=width, floor=floor)
        metrics |= {f"train/{name}": f for name, f in describe(harvest.groups, harvest.kept).items()}
        accepted = demonstrations(harvest.groups, harvest.kept, levels=harvest.levels)
        if not accepted:
            alarm = Alarm("stop_rule", "no level can be labelled by agreement: nothing to train on", stop=True)
            yield turn.end(model, seen=harvest.seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        shifts = distribution_shift(mean_losses(model, accepted), average(mean_losses(model, valid), valid))
        items = least_shifted(accepted, shifts, keep)
        metrics |= shift_findings(accepted, items, shifts)
        order = rng.randrange(2**31)
        log = train(model, items, likelihood, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log) | sampler.monitor(turn, "after", watched, audited=audited)
        yield turn.end(model, seen=harvest.seen, kept=round(sum(i.weight for i in items)), metrics=metrics)


def mean_losses(model: Trainable, items: Sequence[Demonstration]) -> list[float]:
    """Mean negative log-likelihood per token of each item under the model as it is."""
    found = log_likelihoods(model, [(item.prompt, item.completion) for item in items])
    return [-total / count for total, count in found]


def average(losses: Sequence[float], items: Sequence[Demonstration]) -> float:
    """Weighted mean of losses."""
    weights = [item.weight for item in items]
    return sum(loss * w for loss, w in zip(losses, weights, strict=True)) / sum(weights)


def distribution_shift(losses: Sequence[float], valid_loss: float) -> list[float]:
    """How far each sample is from the validation set: w = valid_loss / loss, or 1/w (at most 5) where w is below 1.

    1 is no shift; both much likelier and much unlikelier samples are far away. As in the authors' code, w is cut at 2.
    """
    ratios = [min(2.0, valid_loss / max(loss, 1e-12)) for loss in losses]
    return [ratio if ratio > 1 else min(1 / max(ratio, 1e-12), LARGEST) for ratio in ratios]


def least_shifted(items: Sequence[Demonstration], shifts: Sequence[float], keep: float) -> list[Demonstration]:
    """The items that hold the `keep` share of all weight with the smallest shift; the last one in part."""
    left, out = keep * sum(item.weight for item in items), []
    for i in sorted(range(len(items)), key=lambda i: shifts[i]):
        if left <= 1e-9:
            break
        out.append(replace(items[i], weight=min(left, items[i].weight)))
        left -= items[i].weight
    return out


def shift_findings(
    items: Sequence[Demonstration], kept: Sequence[Demonstration], shifts: Sequence[float]
) -> dict[str, Finding]:
    """Mean shift of kept items and of those left out."""
    chosen = {(item.prompt, item.completion) for item in kept}
    inside = [(item.prompt, item.completion) in chosen for item in items]
    out = {}
    for name, want in (("shift/kept", True), ("shift/left_out", False)):
        out[name] = finding(name, mean([shift for shift, hit in zip(shifts, inside, strict=True) if hit is want]))
    return out
