"""The generation-verification gap: how much better the model's answers get when it filters them itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whetstone.core.flow import Runner
from whetstone.core.registry import find, load, method
from whetstone.core.types import Finding, Model, Task
from whetstone.stats.bootstrap import bootstrap
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation
from whetstone.studies._graded import Graded, graded, groups_of, questions_of
from whetstone.studies._verifiers import ask_signal, tournament, weights


@method(
    "study",
    papers=("Mind the Gap: Examining the Self-Improvement Capabilities of Large Language Models",),
    checked="tests/studies/test_generation_verification_gap.py::test_recovers_the_gap_of_verifiers_with_known_noise",
)
def generation_verification_gap(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    questions: int = 96,
    k: int = 8,
    verifiers: tuple[str, ...] = ("p_true", "critique", "vote_share", "mean_logprob"),
    threshold: float = 0.5,
    quantile: float = 0.5,
    knockout: int = 1,
    temperature: float | None = None,
    split: str = "dev",
    seed: int = 0,
) -> list[Finding]:
    """Accuracy of the answers that each verifier keeps, minus accuracy of all answers.

    Args:
        questions, split, seed: which questions.
        k, temperature: samples a question, and at what temperature (None: the task's).
        verifiers: signals, or judges. Probabilities keep answers above `threshold`; other scores those above the
            `quantile` of all scores; judges keep the winners of `knockout` rounds of a single-elimination tournament.

    Returns:
        For each verifier the gap (mean over questions; p by sign flips) and, named `relative gap`, the gap over what
        was left to gain: sum(gap) / sum(1 - accuracy), with the mean of the per-question ratios in its detail. A
        question of which nothing is kept counts with all its answers. A verifier that this model cannot answer gives a
        finding without estimate that says so.

    Source: definitions 2.1 and 2.2; the two readings of the relative gap are both reported.
    """
    rows = graded(
        task,
        runner,
        "generation_verification_gap/samples",
        questions_of(task, split, questions, seed),
        k=k,
        temperature=temperature,
    )
    out: list[Finding] = []
    for name in verifiers:
        phase = f"generation_verification_gap/{name}"
        ask, judges = load(name), find(name).kind == "judge"
        flows = {
            f"{i}": tournament(ask, task, row, knockout) if judges else ask_signal(ask, task, row)
            for i, row in enumerate(rows)
        }
        found = runner(phase, flows).results
        judged = [(row, found[f"{i}"]) for i, row in enumerate(rows) if f"{i}" in found]
        kept = weights([marks for _, marks in judged], threshold, quantile)
        out += gap(name, [row for row, _ in judged], kept, seed=seed)
    return out


def gap(name: str, rows: Sequence[Graded], kept: Sequence[Sequence[float] | None], *, seed: int = 0) -> list[Finding]:
    """Gap and relative gap from graded samples and the weights that a verifier gives them."""
    judged = [(row, weight) for row, weight in zip(rows, kept, strict=True) if weight is not None]
    if not judged:
        reason = f"{name} abstains on every sample of this model"
        return [Finding(f"gap of {name}", None, None, 0, 0.0, None, reason)]
    before = np.array([row.accuracy for row, _ in judged])
    after = np.array([filtered(row.correct, weight) for row, weight in judged])
    groups = groups_of([row for row, _ in judged])
    test = paired_permutation(after, before, groups=groups, seed=seed)
    share = sum(sum(weight) for _, weight in judged) / sum(len(weight) for _, weight in judged)
    interval = test.effect.interval
    verdict = f"filtering by {name} changes nothing for sure"
    if share in (0.0, 1.0):
        verdict = f"{name} {'accepts' if share else 'rejects'} every answer: it tells nothing apart"
    elif interval and (interval[0] > 0 or interval[1] < 0):
        verdict = f"filtering by {name} {'helps' if interval[0] > 0 else 'hurts'}"
    overall = finding(
        f"gap of {name}", test, verdict=verdict, kept=share, before=float(before.mean()), after=float(after.mean())
    )
    room = 1 - before
    if not room.any():
        return [overall]
    relative = bootstrap(lambda w: (w @ (after - before)) / (w @ room), len(judged), groups=groups, seed=seed)
    ratio = float(((after - before)[room > 0] / room[room > 0]).mean())
    return [overall, finding(f"relative gap of {name}", relative, mean_of_ratios=ratio)]


def filtered(correct: Sequence[bool], weight: Sequence[float]) -> float:
    """Accuracy under the weights; of all answers when nothing is kept."""
    total = sum(weight)
    if not total:
        return sum(correct) / len(correct)
    return sum(w * c for w, c in zip(weight, correct, strict=True)) / total
