"""Multitask training of a judge on many data sets of judgments, mixed by what each does for a target.

First a part of the training on all data sets in proportion to their size; from there a short patch of training on each
data set alone, rated by the change on the target ("tail patch"); then training on the mixture that the ratings give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from whetstone.audits.evaluating import named
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judging import Judged, gain, measure
from whetstone.loops._lessons import by_name, examined
from whetstone.loops._measure import training
from whetstone.loops._mixture import SHARES, data_sets, drawn, rated, saving, share
from whetstone.loops._round import Turn, before
from whetstone.loops._train import TrainLog, train
from whetstone.loops.objectives import likelihood
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Foundational Autoraters: Taming Large Language Models for Better Automatic Evaluation",),
    checked="tests/loops/test_judge_mixture.py::test_tail_patches_leave_out_what_harms_and_save_data",
)
def judge_mixture(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    target: str = "",
    unseen: str = "",
    warm: int = 400,
    patch: int = 200,
    lessons: int = 1200,
    checks: int = 4,
    monitor: int = 200,
    max_tokens: int = 64,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Train one judge on many data sets, mixed by tail-patch ratings, and count the data that this saves.

    Args:
        target: data sets (by commas) whose held-out items the mixture is chosen for; "" for all.
        unseen: data sets that are never trained on, only judged.
        warm: lessons before the patches, from all data sets in proportion to their size.
        patch: lessons of each patch.
        lessons: lessons of the last phase, and of the proportional mixture that it is compared with.
        checks: how often within a phase both are looked at, to see when they reach an accuracy.
        monitor: held-out items of each data set; one half rates the patches, the other is reported.
        max_tokens: length limit of a judgment.
        lr, tokens_per_batch: learning rate (None for the model's own) and batch size.

    The task's examples are judgments with `meta["dataset"]`, as `loops/judgments.py` makes them of files.

    Yields:
        Round 1 after the warm part; round 2 with `patch/DATASET` (change of the target's accuracy) and `share/DATASET`;
        round 3 after the mixture, with `accuracy/DATASET`, `gain` over the untrained judge, `gain/proportional`, and
        `data_saving`: lessons that the proportional mixture needed for the best target accuracy that it reached,
        over those that the chosen one needed for as much (None: not reached).
    """
    rng, rate = Random(seed), model.learning_rate if lr is None else lr
    if not 1 <= checks <= lessons:
        raise ConfigError(f"checks is {checks}; it is 1 or more, and at most as many as lessons")
    pool, held = data_sets(task, "train"), data_sets(task, "dev")
    for name in named(unseen, {**pool, **held}, "data set"):
        pool.pop(name, None)
    if len(pool) < 2:
        raise TaskError(
            f"{task.name} has {len(pool)} data sets to train on; rows need a `dataset`, of two names or more"
        )
    wanted = named(target, {**pool, **held}, "data set") or list(pool)
    if missing := [name for name in wanted if name not in held]:
        raise TaskError(f"{task.name} has no held-out items of {', '.join(missing)}")
    rating = [lesson for name in wanted for lesson in held[name][:monitor:2]]
    watched = [lesson for name in held for lesson in held[name][1:monitor:2]]
    names = [lesson.dataset for lesson in watched]
    if not set(names) & set(wanted):
        raise TaskError(f"{task.name}: one held-out item is too few for {', '.join(wanted)}; monitor is 2 or more")

    def learn(shares: Mapping[str, float], n: int) -> TrainLog:
        items = [lesson.demonstration for lesson in drawn(pool, shares, n, rng)]
        return train(model, items, likelihood, lr=rate, tokens_per_batch=tokens_per_batch, seed=rng.randrange(2**31))

    turn = Turn(1, runner)
    untrained = examined(turn, "before", watched, max_tokens=max_tokens)
    sizes = {name: float(len(rows)) for name, rows in pool.items()}
    log = learn(sizes, warm)
    start, now = model.state(), examined(turn, "after", watched, max_tokens=max_tokens)
    metrics = before({**measure(untrained), **by_name(untrained, names)})
    metrics |= {**training(log), **measure(now), **by_name(now, names), "gain": gain("gain", now, untrained)}
    yield turn.end(model, seen=warm, kept=warm, metrics=metrics)

    turn, metrics, shares = Turn(2, runner), {}, {}
    base = examined(turn, "unpatched", rating, max_tokens=max_tokens)
    for name in pool:
        learn({name: 1.0}, patch)
        change = gain(f"patch/{name}", examined(turn, f"patch/{name}", rating, max_tokens=max_tokens), base)
        told = rated(change)
        shares[name] = SHARES[told] * sizes[name]
        metrics[change.name] = replace(change, verdict=told)
        model.load_state(start)
    whole = sum(shares.values())
    if not whole:  # nothing helps: all the same
        shares, whole = dict(sizes), sum(sizes.values())
    metrics |= {f"share/{n}": Finding(f"share/{n}", value / whole, None, len(pool[n])) for n, value in shares.items()}
    yield turn.end(model, seen=patch * len(pool), kept=0, metrics=metrics)

    turn, ends = Turn(3, runner), dict[str, list[Judged]]()
    curves: dict[str, list[float]] = {"proportional": [], "mixture": []}
    for arm, mixture in (("proportional", sizes), ("mixture", shares)):
        model.load_state(start)
        for i in range(checks):
            log = learn(mixture, lessons // checks)
            ends[arm] = examined(turn, f"{arm}/{i}", watched, max_tokens=max_tokens)
            curves[arm].append(share(ends[arm], wanted, names))
    now = ends["mixture"]
    metrics = {**training(log), **measure(now), **by_name(now, names), "gain": gain("gain", now, untrained)}
    chosen = [i for i, name in enumerate(names) if name in wanted]
    arms = [[ends[arm][i] for i in chosen] for arm in ("mixture", "proportional")]
    metrics["gain/proportional"] = gain("gain/proportional", *arms)
    metrics["data_saving"] = saving(curves["mixture"], curves["proportional"], lessons // checks)
    yield turn.end(model, seen=lessons, kept=lessons, metrics=metrics)
