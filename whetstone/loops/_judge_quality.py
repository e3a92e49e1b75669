"""Quality of answers as a judge predicts it: labels from a reference, and what the predictions are good for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, embed, gather
from whetstone.core.registry import load
from whetstone.core.types import TIE, Candidate, Example, Finding, Generation, Task, Verdict, user
from whetstone.loops._judging import Judged
from whetstone.loops._judging_items import Response
from whetstone.loops._round import Turn
from whetstone.loops.objectives import Demonstration
from whetstone.stats.correlation import pearson, spearman
from whetstone.stats.discrimination import auroc, auroc_difference
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion
from whetstone.stats.paired import paired_permutation
from whetstone.stats.selective import accuracy_at_coverage, aurc, excess_aurc
from whetstone.worlds import ledger

Similarity = Literal["answer", "embedding"]
COVERAGES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer with the quality that self-evaluation beside a reference gives it, from 0 to 1."""

    response: Response
    quality: float


def reference_of(task: Task, example: Example) -> str:
    """The gold answer that comes with the question: in the ledger world its right solution, else the target."""
    question = str(example.meta.get("question", ""))
    if task.name.startswith("ledger"):
        return "".join(ledger.work(question[:2], ledger.entries(question)))
    if example.target is None:
        raise TaskError(f"{example.id} has no reference answer")
    return example.target


def labelled(
    turn: Turn, task: Task, responses: Sequence[Response], *, similarity: Similarity, weight: float
) -> list[Labelled]:
    """Each answer with its quality: self-evaluation beside the reference, recalibrated by similarity to it.

    The model compares the answer with the reference (in both orders, after critiques of both); the probability that the
    answer is not worse is its evaluation. `weight` is that of the similarity in the mean of the two: "answer" (1 if
    both end in the same answer) or "embedding" (cosine of the two texts' vectors, at least 0). An answer whose
    comparison could not be read has the similarity alone.
    """

    def ask(response: Response) -> Flow[float]:
        gold = reference_of(task, response.example)
        first, second = Candidate("answer", Generation(response.text)), Candidate("reference", Generation(gold))
        judge = load("pairwise_judge", "judge")
        verdict: Verdict = yield from judge(task, response.example, first, second, critiques=True, combine="average")
        alike = yield from similar(task, response, gold, similarity)
        believed = not_worse(verdict)
        return alike if believed is None else (1 - weight) * believed + weight * alike

    found = turn("evaluate", {f"{i}": ask(response) for i, response in enumerate(responses)}).results
    return [Labelled(r, found[f"{i}"]) for i, r in enumerate(responses) if f"{i}" in found]


def not_worse(verdict: Verdict) -> float | None:
    """P(the answer is as good as the reference or better); None if the verdict could not be read."""
    if verdict.choice is None:
        return None
    if verdict.probs:
        return verdict.probs.get("answer", 0.0) + verdict.probs.get(TIE, 0.0)
    return float(verdict.choice != "reference")


def similar(task: Task, response: Response, reference: str, similarity: Similarity) -> Flow[float]:
    """How alike an answer and its reference are, from 0 to 1."""
    if similarity == "answer":
        mine, gold = (task.read(response.example, text) for text in (response.text, reference))
        yield from ()
        return float(mine is not None and mine == gold)
    one, two = yield from gather(embed(user(text)) for text in (response.text, reference))
    product = sum(a * b for a, b in zip(one.vector, two.vector, strict=True))
    size = math.hypot(*one.vector) * math.hypot(*two.vector)
    return max(0.0, product / size) if size else 0.0


def distilled(labels: Sequence[Labelled], judged: Sequence[Judged]) -> list[Demonstration]:
    """What a reference-free judge should say of each answer: Y with the weight of its quality, N with the rest.

    Where the judge writes critiques, its own ones that end so share the weight; a verdict that it never reached is left
    out. A judge of one letter says each of them.
    """
    items = []
    for one, row in zip(labels, judged, strict=True):
        said = {value: [j.text for j in row.judgments if j.verdict == value] for value in row.item.values}
        if not row.judgments:
            said = {value: [value] for value in row.item.values}
        for value, texts in said.items():
            share = one.quality if value == "Y" else 1 - one.quality
            items += [Demonstration(row.item.prompt, text, share / len(texts)) for text in texts if share > 0]
    return items


def predictions(judged: Sequence[Judged], responses: Sequence[Response]) -> dict[str, Finding]:
    """What a reference-free judge's scores are worth, against exact quality.

    spearman and pearson with the share of the work that is right; auroc; risk and coverage when the lowest scores are
    declined: aurc, excess_aurc (over a perfect order) and `coverage/SHARE` (accuracy on the share kept); best_of_n
    (accuracy of the best-scored sample of each question), any_of_n (of one drawn at random) and best_of_n/gain. An
    unreadable judgment scores 0.
    """
    scores = [row.score if row.score is not None else 0.0 for row in judged]
    quality = [response.grade for response in responses]
    right = [float(response.right) for response in responses]
    groups = [row.item.group for row in judged]
    out = {
        "quality/spearman": finding("spearman", spearman(scores, quality, groups=groups)),
        "quality/pearson": finding("pearson", pearson(scores, quality, groups=groups)),
        "auroc": finding("auroc", auroc(scores, right, groups=groups)),
        "aurc": finding("aurc", aurc(scores, right, groups=groups)),
        "excess_aurc": finding("excess_aurc", excess_aurc(scores, right, groups=groups)),
        "coverage/1": finding("accuracy", proportion(right, groups=groups)),
    }
    for share in COVERAGES:
        out[f"coverage/{share:g}"] = finding("accuracy", accuracy_at_coverage(scores, right, share, groups=groups))
    return out | best_of_n(judged, scores, right)


def auroc_gain(now: Sequence[Judged], then: Sequence[Judged]) -> Finding:
    """Difference of two judges' AUROC on the same items, an unreadable judgment scoring 0."""
    after, before = ([row.score if row.score is not None else 0.0 for row in rows] for rows in (now, then))
    right = [float(row.item.truth == "Y") for row in now]
    groups = [row.item.group for row in now]
    return finding("auroc gain", auroc_difference(after, before, right, groups=groups))


def best_of_n(judged: Sequence[Judged], scores: Sequence[float], right: Sequence[float]) -> dict[str, Finding]:
    """Taking the sample with the highest score (of equal ones the mean), against taking any."""
    by_question: dict[str, list[tuple[float, float]]] = {}
    for row, score, value in zip(judged, scores, right, strict=True):
        by_question.setdefault(row.item.example.id, []).append((score, value))
    top = [fmean(v for s, v in rows if s == max(rows)[0]) for rows in by_question.values()]
    mean = [fmean(v for _, v in rows) for rows in by_question.values()]
    return {
        "any_of_n": finding("accuracy", proportion(mean)),
        "best_of_n": finding("accuracy", proportion(top)),
        "best_of_n/gain": finding("best_of_n", paired_permutation(top, mean)),
    }
