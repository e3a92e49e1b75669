"""Self-J: a judge without reference, distilled from the model's judgment beside one; it also says when to decline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, nothing
from whetstone.loops._judge_data import verdicts
from whetstone.loops._judge_quality import Labelled, Similarity, auroc_gain, distilled, labelled, predictions
from whetstone.loops._judging import Item, Judged, gain, measure
from whetstone.loops._judging_items import pointwise, sampled
from whetstone.loops._rollout import Questions
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops.trainable import Trainable
from whetstone.signals import forms
from whetstone.stats.correlation import spearman
from whetstone.stats.estimate import finding


@method(
    "loop",
    papers=("Self-Judge: Selective Instruction Following with Alignment Self-Evaluation",),
    checked="tests/loops/judges/test_self_j.py::test_references_make_a_judge_that_needs_none_and_strange_ones_do_not",
)
def self_j(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocol: Literal["critique", "p_true"] = "p_true",
    similarity: Similarity = "answer",
    weight: float = 0.5,
    questions: int = 200,
    samples: int = 4,
    heat: float = 1.0,
    k: int = 4,
    temperature: float = 0.7,
    rival: bool = True,
    rehearse: float = 0.25,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 60,
    seed: int = 0,
) -> Iterator[Round]:
    """Label own answers by comparing them with a reference, and teach the judge to say the same without it.

    Args:
        protocol: what the reference-free judge writes: one letter ("p_true"), or a "critique" first.
        similarity, weight: how alike answer and reference are, and its weight beside the self-evaluation; see
            `loops/_judge_quality.py`.
        questions, samples, heat: training questions, own answers to each, and at what temperature.
        k, temperature: judgments of each answer where the judge writes critiques.
        rival: also train the same weights on exact labels of the same answers, measure that judge, and go back.
        rehearse, lr: see `loops/_judge_course.py`, `Course`.
        monitor: held-out questions, with `samples` own answers each.

    Yields:
        One `Round`: the findings of `judge_sft` on own answers to held-out questions and those of `predictions`
        (correlation with exact quality, risk and coverage, best-of-n) with `before/` and `sft/`; `gain`, `gain/sft` and
        `gain/auroc`; `train/label`, the rank correlation of the labels with exact quality.
    """
    course = Course(
        model,
        task,
        protocol=protocol,
        source="samples",
        k=k,
        temperature=temperature,
        monitor=0,
        rehearse=rehearse,
        lr=lr,
        epochs=epochs,
        tokens_per_batch=tokens_per_batch,
        seed=seed,
    )
    form = forms.p_true if protocol == "p_true" else forms.critique
    turn, rng, pool = Turn(1, runner), Random(f"{seed}/1"), Questions(task, seed=seed)
    watched = sampled(turn, "held out", task, held_out(task, monitor, seed), samples, heat)
    items = pointwise(watched, form)
    base = judged_by(course, turn, "before", items)
    metrics = before({**measure(base), **predictions(base, watched), **course.solved(turn, "before", monitor)})

    answers = sampled(turn, "train", task, pool.take(pool.levels, questions), samples, heat)
    asked = pointwise(answers, form)
    known = labelled(turn, task, answers, similarity=similarity, weight=weight)
    metrics["train/label"] = agreement(known)
    course.rehearse_with(turn, asked)
    place = {id(answer): i for i, answer in enumerate(answers)}
    rows = [asked[place[id(one.response)]] for one in known]
    own = course.judged(turn, "judge", rows) if protocol == "critique" else [Judged(item, ()) for item in rows]
    data = distilled(known, own)
    if not data:
        alarms = nothing("no answer could be compared with its reference")
        yield turn.end(model, seen=len(answers), kept=0, metrics=metrics, alarms=alarms)
        return
    if rival:
        start = model.state()
        course.train(verdicts(asked), Random(f"{seed}/1"))
        exact = judged_by(course, turn, "sft", items)
        metrics |= {f"sft/{name}": found for name, found in {**measure(exact), **predictions(exact, watched)}.items()}
        model.load_state(start)
    metrics |= course.train(data, rng)
    now = judged_by(course, turn, "after", items)
    metrics |= {**measure(now), **predictions(now, watched), **course.solved(turn, "after", monitor)}
    metrics |= {"gain": gain("gain", now, base), "gain/auroc": auroc_gain(now, base)}
    if rival:
        metrics["gain/sft"] = gain("gain", now, exact)
    yield turn.end(model, seen=len(answers), kept=len(known), metrics=metrics)


def judged_by(course: Course, turn: Turn, phase: str, items: Sequence[Item]) -> list[Judged]:
    """Judgments that give a score: the letter's probability at once, or the share of critiques."""
    return course.judged(turn, phase, items, greedy=course.protocol == "p_true")


def agreement(known: Sequence[Labelled]) -> Finding:
    """Rank correlation of labels with the exact quality of what they label."""
    values, groups = [one.quality for one in known], [one.response.example.id for one in known]
    return finding("label", spearman(values, [one.response.grade for one in known], groups=groups))
