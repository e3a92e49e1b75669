"""One judge of what world models generate, tuned for three formats of questions, by three ways of tuning."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from torch import Tensor

from whetstone.audits.evaluating import named
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judging import Judged, gain, measure
from whetstone.loops._lessons import by_name, examined
from whetstone.loops._measure import training
from whetstone.loops._rollout_lessons import FORMATS, lessons_of
from whetstone.loops._round import Turn, before
from whetstone.loops._train import train
from whetstone.loops._tuning import Scope, tuned
from whetstone.loops.objectives import likelihood
from whetstone.loops.trainable import Trainable

SCOPES: tuple[Scope, ...] = ("full", "partial", "low_rank")


@method(
    "loop",
    papers=("Adapting Vision-Language Models for Evaluating World Models",),
    checked="tests/loops/test_rollout_judge.py::test_one_judge_learns_three_formats_and_the_ways_of_tuning_are_compared",
)
def rollout_judge(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    scopes: str = "full,partial,low_rank",
    formats: str = "binary,choice,open",
    last: int = 0,
    rollouts: int = 1000,
    monitor: int = 60,
    share: float = 0.5,
    rank: int = 8,
    lr: float | None = None,
    adapter_lr: float | None = None,
    epochs: int = 1,
    max_tokens: int = 32,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Tune one judge on rollouts in binary, multiple-choice and open questions; compare ways of tuning it.

    Args:
        scopes: ways of tuning, each from the same weights: all weights, the last ones, matrices of low rank. The model
            keeps the weights of the way whose held-out accuracy is best.
        formats: formats that are taught; all three are judged.
        last: how many of a rollout's last frames are shown; 0 shows all.
        rollouts, monitor: rollouts of the train split that are taught, and of the dev split that are judged.
        share, rank: of "partial", how large a part of the weight tensors; of "low_rank", the rank.
        lr, adapter_lr: learning rates of "full" and of the other two; None for the model's own, and half of `lr`.
        epochs, max_tokens, tokens_per_batch: of training, and the length limit of a judgment.

    Examples are rollouts, see `loops/_rollout_lessons.py`. Frames that are images are shown as they are.

    Yields:
        A round a way of tuning, in the order named above: `accuracy/KIND/FORMAT`, `accuracy/FORMAT`, `gain` over the
        untuned judge, `gain/SCOPE` over the ways before it, and `weights`, the number of weights that it may change.
    """
    chosen, wanted = named(scopes, SCOPES, "scope"), named(formats, FORMATS, "format")
    if not chosen or not wanted:
        raise ConfigError(f"scopes are {', '.join(SCOPES)} and formats {', '.join(FORMATS)}; name one of each or more")
    taught = [o for e in task.examples("train", n=rollouts, seed=seed) for o in lessons_of(e, seed=seed, last=last)]
    taught = [lesson for lesson in taught if lesson.dataset.rpartition("/")[2] in wanted]
    watched = [o for e in task.examples("dev", n=monitor, seed=seed) for o in lessons_of(e, seed=seed, last=last)]
    if not taught or not watched:
        raise TaskError(f"{task.name}: no rollouts to train on, or none held out; raise rollouts and monitor")
    names = [lesson.dataset for lesson in watched]
    styles = [name.rpartition("/")[2] for name in names]
    start, rng = model.state(), Random(seed)
    order, rate = rng.randrange(2**31), model.learning_rate if lr is None else lr
    rivals: dict[str, list[Judged]] = {}
    best: tuple[float, str] = (-1.0, "")
    ends: dict[str, dict[str, Tensor]] = {}
    for index, scope in enumerate(chosen, 1):
        turn, metrics = Turn(index, runner), dict[str, Finding]()
        if index == 1:
            rivals["gain"] = examined(turn, "before", watched, max_tokens=max_tokens)
            metrics = before({**measure(rivals["gain"]), **by_name(rivals["gain"], names)})
        model.load_state(start)
        learner = tuned(model, scope, share=share, rank=rank)
        own = rate if scope == "full" else rate / 2 if adapter_lr is None else adapter_lr
        items = [lesson.demonstration for lesson in taught]
        settings = {"epochs": epochs, "tokens_per_batch": tokens_per_batch, "seed": order}
        metrics |= training(train(learner, items, likelihood, lr=own, **settings))
        now = examined(turn, scope, watched, max_tokens=max_tokens)
        metrics |= {**measure(now), **by_name(now, names), **by_name(now, styles)}
        metrics |= {name: gain(name, now, then) for name, then in rivals.items()}
        rivals[f"gain/{scope}"] = now
        free = sum(p.numel() for p in learner.parameters())
        if scope == "low_rank":
            free = sum(rank * sum(p.shape) for p in learner.parameters())
        metrics["weights"] = Finding("weights", float(free), None, len(learner.parameters()), verdict=scope)
        ends[scope] = model.state()
        best = max(best, (metrics["accuracy"].estimate or 0.0, scope))
        if index == len(chosen):
            model.load_state(ends[best[1]])
        yield turn.end(model, seen=len(taught), kept=len(taught), metrics=metrics)
