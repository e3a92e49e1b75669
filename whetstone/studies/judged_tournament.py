"""Does a tournament under this judge order settings of the model as their accuracy does, and better than an anchor?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, Runner
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Finding, Model, Task
from whetstone.ranking.convergence import spearman
from whetstone.ranking.estimators import BradleyTerry
from whetstone.ranking.schedules.round_robin import anchored
from whetstone.ranking.schedules.schedule import Schedule
from whetstone.ranking.schedules.single_elimination import single_elimination
from whetstone.signals.pairwise_judge import pairwise_judge
from whetstone.stats.bootstrap import bootstrap
from whetstone.stats.estimate import Estimate, finding
from whetstone.studies._arena import Row, judged
from whetstone.studies._graded import graded, questions_of

Floats = NDArray[np.float64]


@method(
    "study",
    papers=("Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models",),
    checked="tests/studies/test_judged_tournament.py::test_a_good_judge_orders_settings_by_accuracy",
)
def judged_tournament(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    temperatures: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5),
    questions: int = 60,
    critiques: bool = True,
    rounds: int = 400,
    split: str = "dev",
    seed: int = 0,
) -> list[Finding]:
    """Rank correlation between accuracy and the ranking that a judge gives, by knockouts and by comparison with greedy.

    The systems are the model at several temperatures; the anchor is its greedy answer. A knockout takes one match less
    than systems on each question, the anchor one match a system.

    Args:
        temperatures: one a system; at least three.
        questions, split, seed: which questions.
        critiques: `pairwise_judge` has a critique of each answer before it.
        rounds: bootstrap resamples of the questions.

    Returns:
        Spearman correlations of the tournament's and the anchored strengths with the accuracies, and their difference,
        with intervals over questions. Details carry accuracies, strengths, matches and unreadable verdicts.

    Raises:
        ConfigError: fewer than three temperatures.

    Source: "Varco Arena" (2024).
    """
    k = len(temperatures)
    if k < 3:
        raise ConfigError(f"a rank correlation needs at least three systems, not {k} temperatures")
    examples = questions_of(task, split, questions, seed)
    sampled: list[dict[str, tuple[Candidate, bool]]] = []
    for i, temperature in enumerate((*temperatures, 0.0)):
        rows = graded(task, runner, f"judged_tournament/{i}", examples, k=1, temperature=temperature)
        sampled.append({row.example.id: (replace(row.candidates[0], id=str(i)), row.correct[0]) for row in rows})
    complete = [example for example in examples if all(example.id in one for one in sampled)]
    texts = {example.id: [one[example.id][0] for one in sampled] for example in complete}

    def rows_of(name: str, start: Callable[[int], Schedule[object]]) -> dict[str, list[Row]]:
        flows: dict[str, Flow[list[Row]]] = {
            example.id: judged(
                texts[example.id], start(seed + i), partial(pairwise_judge, task, example, critiques=critiques)
            )
            for i, example in enumerate(complete)
        }
        return runner(f"judged_tournament/{name}", flows).results

    arms = {
        "tournament": rows_of("tournament", lambda luck: single_elimination(k, seed=luck)),
        "anchored": rows_of("anchored", lambda luck: anchored(k + 1, anchor=k, seed=luck)),
    }
    known = [example.id for example in complete if all(example.id in rows for rows in arms.values())]
    correct = np.array([[float(one[name][1]) for one in sampled[:k]] for name in known]).reshape(len(known), k)
    points = {arm: _points([rows[name] for name in known], k + 1) for arm, rows in arms.items()}

    def correlations(arm: str) -> Callable[[Floats], Floats]:
        return lambda weights: np.array(
            [spearman(_strengths(points[arm], w)[:k], w @ correct) if np.ptp(w @ correct) else np.nan for w in weights]
        )

    out = []
    for arm in arms:
        verdicts = [outcome for name in known for _, _, outcome in arms[arm][name]]
        estimate = bootstrap(correlations(arm), len(known), rounds=rounds, seed=seed)
        out.append(
            finding(
                f"{arm} against accuracy",
                estimate,
                accuracy=dict(zip(map(str, temperatures), correct.mean(axis=0).tolist(), strict=True)) if known else {},
                strengths=_strengths(points[arm], np.ones(len(known)))[:k].tolist() if known else [],
                matches=len(verdicts),
                unreadable=sum(outcome is None for outcome in verdicts),
                left_out=len(examples) - len(known),
            )
        )
    both = [correlations(arm) for arm in arms]
    difference = bootstrap(lambda weights: both[0](weights) - both[1](weights), len(known), rounds=rounds, seed=seed)
    return [*out, finding("tournament minus anchored", difference, verdict=_sentence(difference))]


def _points(rows: Sequence[Sequence[Row]], k: int) -> NDArray[np.float64]:
    """[questions, k, k] points of one system against another; unreadable verdicts give none."""
    points = np.zeros((len(rows), k, k))
    for i, row in enumerate(rows):
        for a, b, outcome in row:
            if outcome is not None:
                points[i, a, b] += (1 + outcome) / 2
                points[i, b, a] += (1 - outcome) / 2
    return points


def _strengths(points: NDArray[np.float64], weights: Floats) -> Floats:
    """[k] Bradley-Terry strengths of weighted questions."""
    learner = BradleyTerry(points.shape[1])
    learner.points, learner.n = np.tensordot(weights, points, axes=1), int(weights.sum())
    return learner.scores


def _sentence(difference: Estimate) -> str:
    if difference.interval is None or difference.interval[0] <= 0 <= difference.interval[1]:
        return "no clear difference between tournament and anchor"
    return "the tournament is closer to accuracy" if (difference.value or 0) > 0 else "the anchor is closer to accuracy"
