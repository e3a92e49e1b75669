"""ReST-EM: sample and score with the current model (E), then fine-tune the *base* model on what was right (M)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._measure import describe, difference, training
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Harvest, Sampler
from whetstone.loops._select import Rule, demonstrations, select
from whetstone.loops._train import train
from whetstone.loops.objectives import likelihood
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Beyond Human Data: Scaling Self-Training for Problem-Solving with Language Models",),
    checked="tests/loops/test_rest_em.py::test_every_round_restarts_from_base_and_improves_on_it",
)
def rest_em(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 3,
    questions: int = 400,
    k: int = 8,
    temperature: float = 0.7,
    filter: Literal["majority", "signal", "top", "best", "gold"] = "gold",
    signal: str = "",
    votes: float = 0.5,
    least: int = 2,
    accept: float = 0.5,
    share: float = 0.2,
    cap: int = 10,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = True,
    seed: int = 0,
) -> Iterator[Round]:
    """Expert iteration on a fixed set of questions that restarts from the base weights in every round.

    Args:
        rounds, questions, k, temperature: rounds, training questions (the same in each round), samples a question,
            and at what temperature.
        filter, signal, votes, least, accept, share: the binary reward; see `loops/_select.py`, `Rule`. The paper's is
            "gold".
        cap: at most so many different solutions of a question.
        lr: learning rate; None for the model's own.
        monitor: questions of the dev split, and of the training set, that are sampled after each round.
        audited: check them against gold labels, which gives pass@k and the accuracies.

    Yields:
        A `Round` after each M step, with `train_test_gap`: reward on training questions minus reward on unseen ones,
        the reward being gold accuracy where audited and the acceptance rate of samples otherwise. The loop ends when
        the reward on unseen questions no longer improves, as the paper's does; the last round is then the worse one.

    Source: algorithm 1 and section 5.
    """
    base, rate = model.state(), model.learning_rate if lr is None else lr
    sampler = Sampler(task, Rule(filter, signal, votes, least, accept, share), k, temperature)
    pool, unseen = Questions(task, seed=seed), held_out(task, monitor, seed)
    examples = pool.take(pool.levels, questions)
    again = examples[:: max(1, len(examples) // max(1, monitor))][:monitor]
    reward = "gold" if audited else "proxy"
    best: float | None = None
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics: dict[str, Finding] = {}
        if index == 1:
            metrics = before(sampler.monitor(turn, "before", unseen, audited=audited))
            best = metrics[f"before/{reward}"].estimate if f"before/{reward}" in metrics else None
        groups = sampler.sample(turn, "sample", examples)
        harvest = Harvest(groups, select(groups, task, sampler.rule), [])
        metrics |= {f"train/{name}": finding for name, finding in describe(harvest.groups, harvest.kept).items()}
        items = demonstrations(harvest.groups, harvest.kept, cap=cap)
        if not items:
            alarm = Alarm("stop_rule", "not one sample was accepted: nothing to train on", stop=True)
            yield turn.end(model, seen=harvest.seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        model.load_state(base)
        order = rng.randrange(2**31)
        log = train(model, items, likelihood, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log) | sampler.monitor(turn, "after", unseen, audited=audited)
        seen_again = sampler.monitor(turn, "seen", again, audited=audited)
        if reward in metrics and reward in seen_again:
            metrics["train_test_gap"] = difference("train_test_gap", seen_again[reward], metrics[reward])
        yield turn.end(model, seen=harvest.seen, kept=sum(map(len, harvest.kept)), metrics=metrics)
        now = metrics[reward].estimate if reward in metrics else None
        if best is not None and now is not None and now <= best:
            return
        best = now
