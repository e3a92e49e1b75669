"""RISE: a judge warmed up on synthesised rationales, then trained by DPO on its own right and wrong judgments."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_data import agreed_in_both_orders, demonstrations, kept, preferences
from whetstone.loops._judge_policy import Downstream
from whetstone.loops._judging import measure
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.objectives import preference
from whetstone.loops.trainable import Trainable


@method(
    "loop",
    papers=("Improve LLM-as-a-Judge Ability as a General Ability",),
    checked="tests/loops/judges/test_rise.py::test_both_stages_make_a_better_judge_and_shuffled_labels_do_not",
)
def rise(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Protocol = "pairwise",
    source: Source = "planted",
    warm_up: int = 1000,
    questions: int = 150,
    k: int = 8,
    temperature: float = 0.7,
    beta: float = 0.1,
    nll: float = 1.0,
    policy: int = 0,
    rehearse: float = 0.3,
    lr: float | None = None,
    dpo_lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 100,
    seed: int = 0,
) -> Iterator[Round]:
    """Two stages: imitate synthesised judgments that are right in both orders, then prefer right ones to wrong ones.

    Args:
        protocol, source, k, temperature, rehearse, monitor: see `loops/_judge_course.py`, `Course`.
        warm_up: questions of the first stage. Its judgments are put together from the model's own critiques; kept is
            what names the right answer in both orders.
        questions: questions of the second stage, whose judgments the warmed-up judge writes itself.
        beta, nll: pull to the warmed-up weights, and weight of a likelihood term on the right judgment.
        policy: questions of a policy, the model as it came, that is trained by DPO on what the judges decide about
            pairs of its samples; 0 leaves this out. Only with "pairwise".
        lr, dpo_lr: learning rates of the two stages; None for the model's own, and a quarter of it.

    Yields:
        A `Round` after each stage, with the findings of `judge_sft`; the second with `gain/sft` and, where a policy was
        asked for, what being taught by each judge (untrained, sft, rise) does to it: see `loops/_judge_policy.py`.
    """
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
    untrained = model.state()
    turn, rng = Turn(1, runner), Random(f"{seed}/1")
    metrics = course.begin(turn)
    items = course.items(turn, "warm up", "train", warm_up, seed * 1000)
    course.rehearse_with(turn, items)
    chosen = kept(agreed_in_both_orders(course.traces(turn, "warm up", items)))
    metrics |= course.train(demonstrations(chosen), rng) if chosen else {}
    found = course.look(turn, rival="sft")
    yield turn.end(model, seen=len(items), kept=len(chosen), metrics={**metrics, **found})
    warmed = model.state()

    turn, rng = Turn(2, runner), Random(f"{seed}/2")
    items = course.items(turn, "train", "train", questions, seed * 1000 + 1)
    judged = course.judged(turn, "judge", items)
    metrics = {f"train/{name}": value for name, value in measure(judged).items()}
    seen, pairs = sum(len(row.judgments) for row in judged), preferences(agreed_in_both_orders(judged), rng)
    if not pairs:
        alarms = nothing("no item has both a right and a wrong judgment: nothing to prefer")
        yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
        return
    rate = model.learning_rate / 4 if dpo_lr is None else dpo_lr
    metrics |= course.train(pairs, rng, preference(beta=beta, nll=nll), lr=rate)
    taught: dict[str, Finding] = {}
    if policy and protocol == "pairwise":
        judges = {"untrained": untrained, "sft": warmed, "rise": model.state()}
        taught = Downstream(untrained, policy).taught(turn, course, judges)
    yield course.end(turn, seen=seen, kept=len(pairs), metrics={**metrics, **taught})
