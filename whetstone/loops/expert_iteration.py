"""Filtered expert iteration: sample, keep what the filter accepts, imitate it, go on to harder levels.

Left out against "Large Language Models Can Self-Improve": its mixture of prompt formats. Added: the completeness rule
before the vote, the stop rule for levels that cannot be labelled, and replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round, Task
from whetstone.loops._measure import describe, training
from whetstone.loops._rehearse import rehearse as rehearsal
from whetstone.loops._rehearse import spread
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn, before, held_out, with_replay
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, demonstrations
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Large Language Models Can Self-Improve",),
    presets={
        "raft": (
            "RAFT: Reward rAnked FineTuning for Generative Foundation Model Alignment",
            {"filter": "top", "signal": "mean_logprob", "replay": 0.0, "rehearse": (), "floor": 0.0, "even": False},
        ),
    },
    checked="tests/loops/test_expert_iteration.py::test_majority_improves_without_looking_at_gold",
)
def expert_iteration(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 3,
    questions: int = 400,
    k: int = 8,
    retries: int = 3,
    temperature: float = 0.7,
    filter: Literal["majority", "signal", "top", "best", "gold"] = "majority",
    signal: str = "",
    votes: float = 0.5,
    least: int = 2,
    accept: float = 0.5,
    share: float = 0.2,
    complete: bool = True,
    even: bool = True,
    width: int = 4,
    probe: int = 12,
    floor: float = 0.05,
    replay: float = 0.5,
    rehearse: tuple[str, ...] = ("critique",),
    rehearsals: int = 96,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 1024,
    monitor: int = 64,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Train on the model's own accepted answers, round after round, from easy to hard.

    Args:
        rounds, questions, k, temperature: rounds, training questions a round, samples a question, and at what
            temperature.
        retries: how often a question without an accepted sample gets `k` more (filters "majority" and "gold").
        filter, signal, votes, least, accept, share: which samples are accepted; see `loops/_select.py`, `Rule`. Only
            "gold" looks at gold labels.
        complete: never accept an answer that is incomplete by the task's own rule, which needs no gold.
        even: every question counts the same in training, however many of its samples were accepted.
        width, probe, floor: train on the `width` hardest levels whose acceptance rate is at least `floor`, as found
            with `probe` questions of each level. A level under the floor is never trained on.
        replay: share of replayed items: earlier accepted answers and rehearsals.
        rehearse: methods (signals, judges, strategies) whose exchanges with the model are replayed too where they agree
            with the vote, on `rehearsals` questions a round, so that the model keeps its other roles.
        lr: learning rate; None for the model's own.
        monitor: questions of the dev split sampled before and after each round, for the guards.
        audited: check the monitored samples against gold labels (they are never trained on).

    Yields:
        A `Round` after each round of training. Metrics are those of `loops/_measure.py`: on the training samples under
        `train/`, on the monitored ones after training by their names, and `before/` in the first round.
    """
    rule = Rule(filter, signal, votes, least, accept, share)
    sampler, watched, pool = (
        Sampler(task, rule, k, temperature, retries, complete),
        held_out(task, monitor, seed),
        Questions(task, seed=seed),
    )
    rate = model.learning_rate if lr is None else lr
    accepted: list[Demonstration] = []
    roles: list[Demonstration] = []
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics = before(sampler.monitor(turn, "before", watched, audited=audited)) if index == 1 else {}
        harvest = sampler.explore(turn, pool, questions, probe=probe, width=width, floor=floor)
        metrics |= {f"train/{name}": finding for name, finding in describe(harvest.groups, harvest.kept).items()}
        new = demonstrations(harvest.groups, harvest.kept, levels=harvest.levels, even=even)
        if not new:
            message = f"the filter accepts under {floor:.0%} of the questions at every level: nothing to train on"
            alarm = Alarm("stop_rule", message, stop=True)
            yield turn.end(model, seen=harvest.seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        if rehearse:
            roles += rehearsal(turn, sampler, spread(harvest.groups, rehearsals, rng), rehearse)
        items = with_replay(new, accepted, roles, replay, rng)
        log = train(
            model,
            items,
            likelihood,
            lr=rate,
            epochs=epochs,
            tokens_per_batch=tokens_per_batch,
            seed=rng.randrange(2**31),
        )
        accepted += new
        metrics |= training(log) | sampler.monitor(turn, "after", watched, audited=audited)
        yield turn.end(model, seen=harvest.seen, kept=sum(map(len, harvest.kept)), metrics=metrics)
