"""Self-rewarding preference training: the model ranks its own answers and learns to prefer those it ranks first.

A reward is a signal (the model as its own judge) or, without one, the mean log-likelihood per token. Left out: judging
data among the training data, and instructions that the model writes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random
from typing import Literal

from torch import Tensor

from whetstone.core.flow import Runner
from whetstone.core.registry import load, method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._measure import describe, training
from whetstone.loops._preferences import (
    Rewards,
    rank_consistency,
    ranking_accuracy,
    reward_pairs,
    win_rate,
)
from whetstone.loops._rollout import Group, Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, select
from whetstone.loops._train import log_likelihoods, train, with_reference
from whetstone.loops.objectives import preference
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    presets={
        "cream": (
            "CREAM: Consistency Regularized Self-Rewarding Language Models",
            {"signal": "", "label": "consistency"},
        ),
        "osp": ("Online Self-Preferring Language Models", {"label": "soft", "pairs": "ranked"}),
    },
    checked="tests/loops/test_self_rewarding.py::test_consistency_weight_softens_what_the_judges_disagree_on",
)
def self_rewarding(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 2,
    questions: int = 400,
    k: int = 5,
    temperature: float = 0.7,
    signal: str = "p_true",
    label: Literal["hard", "consistency", "soft"] = "hard",
    pairs: Literal["extreme", "ranked"] = "extreme",
    beta: float = 0.1,
    nll: float = 0.0,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Direct preference training on pairs that the model itself labels; the reference is the start of each round.

    Args:
        rounds, questions, k, temperature: rounds, questions a round, samples a question, and at what temperature.
        signal: the own judge; "" rewards the mean log-likelihood per token.
        label: how sure a pair's label is. "hard": 1. "consistency": how far the ranking agrees with that of the
            previous round's model on the same answers, in the mean over questions; in the first round there is no such
            model and the label is 1. "soft": what the rewards, being probabilities, say of each pair.
        pairs: "extreme" (best against worst) or "ranked" (each against the next).
        beta, nll: pull to the reference, weight of a likelihood term on the chosen answer.
        lr: learning rate; None for a quarter of the model's own, since preferences push harder than imitation.
        monitor, audited: as in `expert_iteration`; audited rounds also report `ranking_accuracy` (how well the reward
            tells right from wrong) and `win_rate` (samples after against samples before).

    Yields:
        A `Round` after each round of training, with `train/consistency` where it is known.
    """
    rule = Rule("signal", signal=signal) if signal else Rule("majority")
    sampler, watched = Sampler(task, rule, k, temperature), held_out(task, monitor, seed)
    pool, rate = Questions(task, seed=seed), model.learning_rate / 4 if lr is None else lr
    previous: dict[str, Tensor] | None = None
    last: list[Group] = []
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics: dict[str, Finding] = {}
        if index == 1 and watched:
            last = sampler.sample(turn, "before", watched)
            metrics = before(sampler.report(last, audited=audited))
        groups = sampler.sample(turn, "sample", pool.take(pool.levels, questions))
        metrics |= {f"train/{name}": f for name, f in describe(groups, select(groups, task, rule)).items()}
        rewards = reward(model, turn, task, groups, signal)
        agreement = None
        if previous is not None and label == "consistency":
            current = model.state()
            model.load_state(previous)
            agreement = rank_consistency(rewards, reward(model, turn, task, groups, signal, again="previous"))
            model.load_state(current)
        if agreement is not None:
            metrics["train/consistency"] = agreement
        consistency = None if agreement is None else agreement.estimate
        chosen = reward_pairs(groups, rewards, pairs=pairs, label=label, consistency=consistency)
        seen = sum(len(group.candidates) for group in groups)
        if not chosen:
            alarm = Alarm("stop_rule", "the reward sees no difference between any two answers", stop=True)
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        previous, order = model.state(), rng.randrange(2**31)
        log = train(
            model,
            with_reference(model, chosen),
            preference(beta=beta, nll=nll),
            lr=rate,
            epochs=epochs,
            tokens_per_batch=tokens_per_batch,
            seed=order,
        )
        metrics |= training(log)
        if watched:
            after = sampler.sample(turn, "after", watched)
            metrics |= sampler.report(after, audited=audited)
            if audited:
                metrics["win_rate"] = win_rate(after, last, task)
                accuracy = ranking_accuracy(after, reward(model, turn, task, after, signal), task)
                metrics |= {"ranking_accuracy": accuracy} if accuracy else {}
            last = after
        yield turn.end(model, seen=seen, kept=len(chosen), metrics=metrics)


def reward(
    model: Trainable, turn: Turn, task: Task, groups: Sequence[Group], signal: str, *, again: str = ""
) -> list[Rewards]:
    """Each answer's reward under the model as it is; a signal is asked once more only in a phase named by `again`."""
    if signal and not again:
        return [group.rewards for group in groups]
    if signal:
        judge = load(signal, "signal")
        flows = {f"{i}": judge(task, group.example, group.candidates) for i, group in enumerate(groups)}
        found = turn(again, flows).results
        unknown: list[float | None] = [None] * len(groups[0].candidates)
        return [[s.value for s in found[f"{i}"]] if f"{i}" in found else unknown for i in range(len(groups))]
    texts = [(group.example.prompt, candidate.text) for group in groups for candidate in group.candidates]
    totals = iter(log_likelihoods(model, texts))
    return [[total / count for total, count in islice(totals, len(group.candidates))] for group in groups]
