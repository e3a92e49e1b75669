"""J1: a judge taught to look again by its own mended judgments, then by reinforcement with the verdict as reward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from torch import Tensor

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_looks import Looks, advantages, curve, look, reflections, slope_gain, slopes
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.objectives import Demonstration, Item
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion


@method(
    "loop",
    papers=("J1: Exploring Simple Test-Time Scaling for LLM-as-a-Judge",),
    checked="tests/loops/judges/test_j1.py::test_both_phases_make_a_better_judge_and_shuffled_labels_do_not",
)
def j1(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Protocol = "pairwise",
    source: Source = "planted",
    looks: int = 2,
    budget: int = 4,
    questions: int = 150,
    short: float = 0.3,
    steps: int = 4,
    batch: int = 50,
    k: int = 8,
    temperature: float = 0.7,
    rehearse: float = 0.25,
    lr: float | None = None,
    rl_lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 100,
    seed: int = 0,
) -> Iterator[Round]:
    """Reflection by rejection sampling, reinforcement by the verdict, and accuracy against the number of looks.

    Args:
        protocol, source, k, temperature, rehearse, monitor: see `loops/_judge_course.py`, `Course`. The judge should
            explain its verdicts in the protocol already.
        looks: judgments one after the other while training, the later ones behind "wait".
        budget: looks that are forced when measuring, at the temperature of training.
        questions: questions of the first phase.
        short: share of the reflections that keep their first look alone where it was right.
        steps, batch: steps of reinforcement, and questions in each; a look's reward is 1 if its verdict is right, its
            baseline the mean over the `k` looks at the same place.
        lr, rl_lr: learning rates; None for the model's own, and an eighth of `lr` for reinforcement.

    Yields:
        A `Round` after each phase: the findings of `judge_sft`, `looks/1` to `looks/BUDGET` (accuracy, with the tokens
        spent in its detail) and `slope`, what a further look adds; `before/...` for the untrained judge; after the
        second phase also `slope/sft` and `slope/before`, the difference of slopes, paired by item.
    """
    if looks < 1 or budget < 2:
        raise ConfigError("looks is 1 or more, and budget 2 or more, so that there is a further look to measure")
    course = Course(
        model,
        task,
        protocol=protocol,
        source=source,
        k=k,
        temperature=temperature,
        monitor=monitor,
        rehearse=rehearse,
        lr=lr,
        epochs=epochs,
        tokens_per_batch=tokens_per_batch,
        seed=seed,
    )
    turn, rng = Turn(1, runner), Random(f"{seed}/1")
    metrics = course.begin(turn)
    base = ahead(course, turn, "before", budget)
    metrics |= {f"before/{name}": found for name, found in curve(base, budget).items()} if base else {}
    items = course.items(turn, "train", "train", questions, seed * 1000)
    course.rehearse_with(turn, items)
    traces = look(turn, "reflect", items, looks=looks, k=k, temperature=temperature, max_tokens=course.limit)
    data = reflections(traces, rng, short)
    mended = [row.right(looks - 1) * (1 - row.right(0)) for row in traces]
    metrics["train/mended"] = finding("mended", proportion(mended, groups=[row.item.group for row in traces]))
    if not data:
        alarms = nothing("no trace reaches the true verdict: nothing to imitate")
        yield turn.end(model, seen=len(traces), kept=0, metrics=metrics, alarms=alarms)
        return
    metrics |= course.train(data, rng)
    taught = ahead(course, turn, "sft", budget)
    metrics |= (curve(taught, budget) if taught else {}) | course.look(turn, rival="sft")
    yield turn.end(model, seen=len(traces), kept=len(data), metrics=metrics)

    turn, seen, used = Turn(2, runner), 0, 0
    metrics = {}
    for step in range(steps):
        items = course.items(turn, "train", "train", batch, seed * 1000 + 1 + step)
        phase = f"rollout {step}"
        traces = look(turn, phase, items, looks=looks, k=k, temperature=temperature, max_tokens=course.limit)
        rewards = finding("reward", proportion([row.right(looks - 1) for row in traces]))
        metrics[f"train/reward/{step + 1}"] = rewards
        data = advantages(traces)
        seen, used = seen + len(traces), used + len(data)
        rate = (model.learning_rate if lr is None else lr) / 8 if rl_lr is None else rl_lr
        if data:
            metrics |= course.train(data, Random(f"{seed}/{step}"), policy_gradient, lr=rate)
    final = ahead(course, turn, "rl", budget)
    if final:
        metrics |= curve(final, budget)
        metrics["slope/sft"] = slope_gain(final, slopes(taught, budget), budget)
        metrics["slope/before"] = slope_gain(final, slopes(base, budget), budget)
    yield course.end(turn, seen=seen, kept=used, metrics=metrics)


def ahead(course: Course, turn: Turn, phase: str, budget: int) -> list[Looks]:
    """`budget` looks at each held-out item, at the temperature of training."""
    settings = {"looks": budget, "max_tokens": course.limit}
    return look(turn, f"{phase}/looks", course.watched, temperature=course.temperature, **settings)


def policy_gradient(model: Trainable, batch: Sequence[Item]) -> Tensor:
    """Weighted mean of -s log p per token, where s is 1 for a label of 1 and -1 for a label of 0.

    With the size of an advantage as weight and its sign as label this is the gradient of the expected reward (Williams,
    "Simple statistical gradient-following algorithms for connectionist reinforcement learning", 1992); a demonstration
    has the advantage 1. Samples must be the model's own, of now.
    """
    items = [item for item in batch if isinstance(item, Demonstration)]
    logprobs, mask = model.logprobs([(item.prompt, item.completion) for item in items])
    weight = logprobs.new_tensor([item.weight for item in items])
    sign = logprobs.new_tensor([2 * item.label - 1 for item in items])
    losses = -sign * (logprobs * mask).sum(1) / mask.sum(1)
    return (losses * weight).sum() / weight.sum()
