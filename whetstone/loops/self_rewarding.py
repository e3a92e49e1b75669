"""Self-rewarding preference training: the model ranks its own answers and learns to prefer those it ranks first.

A reward is a signal (the model as its own judge) or, without one, the mean log-likelihood per token. Left out: judging
data among the training data, and instructions that the model writes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from torch import Tensor

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._measure import Values, training, verified
from whetstone.loops._preferences import rank_consistency, reward_pairs, win_rate
from whetstone.loops._rewarding import judged_again, report, rewarded
from whetstone.loops._rollout import Group, Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule
from whetstone.loops._train import train, with_reference
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
    rule = Rule("signal", signal) if signal else Rule("majority")
    sampler, watched = Sampler(task, rule, k, temperature), held_out(task, monitor, seed)
    pool, rate = Questions(task, seed=seed), model.learning_rate / 4 if lr is None else lr
    previous: dict[str, Tensor] | None = None
    marked: dict[str, Sequence[float | None]] = {}
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics: dict[str, Finding] = {}
        if index == 1 and watched:
            first = rewarded(model, sampler, turn, "before", watched)
            marks = verified(first, task) if audited else []
            marked = by_question(first, marks)
            metrics = before(report(first, marks))
        groups = rewarded(model, sampler, turn, "sample", pool.take(pool.levels, questions))
        metrics |= {f"train/{name}": found for name, found in report(groups, []).items()}
        agreement = None
        if previous is not None and label == "consistency":
            current = model.state()
            model.load_state(previous)
            agreement = rank_consistency(groups, judged_again(model, turn, task, groups, signal))
            model.load_state(current)
        metrics |= {"train/consistency": agreement} if agreement else {}
        consistency = agreement.estimate if agreement else None
        chosen = reward_pairs(groups, pairs=pairs, label=label, consistency=consistency)
        seen = sum(len(group.candidates) for group in groups)
        if not chosen:
            alarm = Alarm("stop_rule", "the reward sees no difference between any two answers", stop=True)
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        previous, order, items = model.state(), rng.randrange(2**31), with_reference(model, chosen)
        loss = preference(beta=beta, nll=nll)
        log = train(model, items, loss, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log)
        if watched:
            after, old = rewarded(model, sampler, turn, "after", watched), marked
            marks = verified(after, task) if audited else []
            marked = by_question(after, marks)
            metrics |= report(after, marks)
            both = [name for name in marked if name in old]
            if both and "gold" in metrics:
                metrics["win_rate"] = win_rate([marked[name] for name in both], [old[name] for name in both])
        yield turn.end(model, seen=seen, kept=len(chosen), metrics=metrics)


def by_question(groups: Sequence[Group], marks: Values) -> dict[str, Sequence[float | None]]:
    """The gold marks of each question's samples; {} where none were asked for."""
    return {group.example.id: row for group, row in zip(groups, marks, strict=False)}
