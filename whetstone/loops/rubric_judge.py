"""A judge that grades by any rubric: trained on graded answers with feedback, tested on rubrics it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random

from whetstone.core.errors import TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Example, Finding, Round, Task
from whetstone.loops._judging import Judged, gain, measure
from whetstone.loops._lessons import Lesson, examined
from whetstone.loops._round import Turn, before, imitated
from whetstone.loops._rubrics import graded_lessons, held_apart, rubric_name, synthesised
from whetstone.loops.trainable import Trainable
from whetstone.stats.correlation import pearson
from whetstone.stats.correlation_difference import correlation_difference
from whetstone.stats.estimate import finding

MIDDLE = 3.0


@method(
    "loop",
    papers=("Prometheus: Inducing Fine-grained Evaluation Capability in Language Models",),
    checked="tests/loops/test_rubric_judge.py::test_the_correlation_rises_on_rubrics_that_were_held_out",
)
def rubric_judge(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 3,
    lessons: int = 2000,
    held: float = 0.25,
    monitor: int = 200,
    feedback: bool = True,
    synthesise: int = 0,
    teacher: str = "judge",
    max_tokens: int = 256,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> Iterator[Round]:
    """Train a judge on rubrics, graded answers and feedback; watch its correlation on held-out rubrics rise.

    Args:
        rounds, lessons: rounds, and graded answers a round.
        held: share of the rubrics that are never trained on.
        monitor: graded answers of held-out rubrics that are judged before and after each round.
        feedback: teach the feedback before the grade; False teaches the bare grade.
        synthesise: instructions that the teacher invents for each rubric, each with an answer for every grade and
            feedback; they are trained on beside the graded rows. Those of held-out rubrics are judged where no row of
            a held-out rubric is graded.
        teacher: role of the model that writes them.
        max_tokens: length limit of a judgment, and of what the teacher writes.
        lr, tokens_per_batch: learning rate (None for the model's own) and batch size.

    An example has a rubric, and if answers to it were graded the columns `candidates`, `grades` and `feedback`. The
    prompts are those of the signal `rubric`, so that it can be run with the trained judge.

    Yields:
        A round with `spearman` and `pearson` on held-out rubrics, `rise` (Spearman's rho minus that of the untrained
        judge, whose unreadable grades count as 3, resampling rubrics), `accuracy`, `gain` and `lessons` made.
    """
    rng = Random(seed)
    by_rubric: dict[str, Example] = {}
    graded: list[Lesson] = []
    for example in chain.from_iterable(task.examples(split, seed=seed) for split in ("train", "dev")):
        by_rubric[rubric_name(example)] = example
        graded += graded_lessons(example, feedback=feedback)
    turn = Turn(1, runner)
    invented: list[Lesson] = []
    if synthesise:
        flows = {
            f"{i}/{k}": synthesised(example, number=k, role=teacher, max_tokens=max_tokens)
            for i, example in enumerate(by_rubric.values())
            for k in range(synthesise)
        }
        invented = [row for rows in turn("synthesise", flows).results.values() for row in rows]
    taught = [row for row in [*graded, *invented] if not held_apart(row.dataset, held)]
    apart = [row for row in graded if held_apart(row.dataset, held)]
    apart = apart or [row for row in invented if held_apart(row.dataset, held)]
    if not taught or not apart:
        raise TaskError(
            f"{task.name}: {len(taught)} graded answers to train on and {len(apart)} of held-out rubrics; give more "
            "rubrics, or have answers made with synthesise=2"
        )
    watched = rng.sample(apart, min(monitor, len(apart)))
    first: list[Judged] = []
    for index in range(1, rounds + 1):
        turn, metrics = (turn if index == 1 else Turn(index, runner)), dict[str, Finding]()
        if index == 1:
            first = examined(turn, "before", watched, max_tokens=max_tokens)
            metrics = before({**measure(first), **linear(first)})
        chosen = [rng.choice(taught).demonstration for _ in range(lessons)]
        metrics |= imitated(model, chosen, turn, rng, rounds=rounds, lr=lr, tokens_per_batch=tokens_per_batch)
        now = examined(turn, "after", watched, max_tokens=max_tokens)
        metrics |= {**measure(now), **linear(now), "gain": gain("gain", now, first), "rise": rise(now, first, watched)}
        metrics["lessons"] = Finding("lessons", float(len(invented)), None, len(taught))
        yield turn.end(model, seen=lessons, kept=lessons, metrics=metrics)


def linear(judged: Sequence[Judged]) -> dict[str, Finding]:
    """Pearson's correlation of readable grades with the true ones; {} without any."""
    known = [(row, score) for row in judged if (score := row.score) is not None]
    if not known:
        return {}
    groups = [row.item.kind for row, _ in known]
    truth = [float(row.item.truth) for row, _ in known]
    return {"pearson": finding("pearson", pearson([score for _, score in known], truth, groups=groups))}


def rise(after: Sequence[Judged], first: Sequence[Judged], lessons: Sequence[Lesson]) -> Finding:
    """Rank correlation with the true grades, after minus before, over the same answers; rubrics are resampled whole."""
    new, old = ([MIDDLE if row.score is None else row.score for row in judged] for judged in (after, first))
    truth, rubrics = [float(row.item.truth) for row in after], [lesson.dataset for lesson in lessons]
    return finding("rise", correlation_difference(new, old, truth, groups=rubrics))
