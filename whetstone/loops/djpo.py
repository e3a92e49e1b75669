"""Direct judgement preference optimisation: three kinds of pairs from the judge's own right and wrong judgments."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_data import demonstrations, kept, preferences
from whetstone.loops._judge_pairs import bare_verdicts, deductions, mixed
from whetstone.loops._judging import measure
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.objectives import preference
from whetstone.loops.trainable import Trainable

KINDS = ("critique", "verdict", "deduction")


@method(
    "loop",
    papers=("Direct Judgement Preference Optimization",),
    checked="tests/loops/judges/test_djpo.py::test_true_labels_make_a_better_judge_and_shuffled_ones_do_not",
)
def djpo(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Protocol = "pairwise",
    source: Source = "planted",
    shares: tuple[float, ...] = (0.7, 0.15, 0.15),
    rounds: int = 1,
    questions: int = 200,
    k: int = 8,
    temperature: float = 0.7,
    beta: float = 0.1,
    nll: float = 1.0,
    rival: bool = True,
    rehearse: float = 0.25,
    lr: float | None = None,
    dpo_lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 100,
    seed: int = 0,
) -> Iterator[Round]:
    """Prefer right to wrong judgments with their critique, right to wrong bare verdicts, true to mistaken deductions.

    Args:
        protocol, source, k, temperature, rehearse, monitor: see `loops/_judge_course.py`, `Course`. "graded" is the
            pointwise protocol, "critique" and "p_true" are classification. The judge should explain its verdicts in
            the protocol already (`judge_sft` with `imitate=critiques` teaches that).
        shares: of pairs with the critique, of bare verdicts, of response deduction (what the judgment was about).
        beta, nll: pull to the round's first weights, and weight of a likelihood term on what is preferred.
        rival: also train the same weights on the right judgments of the same samples by plain SFT, measure that judge,
            and go back.
        lr, dpo_lr: learning rates of plain SFT and of DPO; None for the model's own, and a quarter of it.

    Yields:
        A `Round` after each round, with the findings of `judge_sft`, and with `rival` also `sft/...` and `gain/sft`.

    Raises:
        ConfigError: not three shares, or negative ones.
    """
    if len(shares) != len(KINDS) or min(shares) < 0 or not sum(shares):
        raise ConfigError(f"shares needs {len(KINDS)} numbers that are not negative: of {', '.join(KINDS)}")
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
    for index in range(1, rounds + 1):
        turn, rng = Turn(index, runner), Random(f"{seed}/{index}")
        metrics: dict[str, Finding] = course.begin(turn) if index == 1 else {}
        items = course.items(turn, "train", "train", questions, seed * 1000 + index)
        if index == 1:
            course.rehearse_with(turn, items)
        judged = course.judged(turn, "judge", items)
        metrics |= {f"train/{name}": found for name, found in measure(judged).items()}
        kinds = [
            preferences(judged, rng) if shares[0] else [],
            bare_verdicts(judged, rng) if shares[1] else [],
            deductions(course, turn, judged) if shares[2] else [],
        ]
        pairs, numbers = mixed(kinds, shares, rng)
        metrics |= {
            f"pairs/{kind}": Finding("pairs", float(n), None, n) for kind, n in zip(KINDS, numbers, strict=True)
        }
        seen = sum(len(row.judgments) for row in judged)
        if not pairs:
            alarms = nothing("no item has both a right and a wrong judgment: nothing to prefer")
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
            return
        if rival:
            start = model.state()
            course.train(demonstrations(kept(judged)), Random(f"{seed}/{index}"))
            metrics |= {f"sft/{name}": found for name, found in course.look(turn, "sft", rival="sft").items()}
            model.load_state(start)
        rate = model.learning_rate / 4 if dpo_lr is None else dpo_lr
        metrics |= course.train(pairs, rng, preference(beta=beta, nll=nll), lr=rate)
        yield course.end(turn, seen=seen, kept=len(pairs), metrics=metrics)
