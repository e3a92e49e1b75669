"""What a round reports about a set of samples, as findings with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from whetstone.core.types import Finding, Json, Task
from whetstone.loops._rollout import Group
from whetstone.loops._select import Kept, Tally, tally
from whetstone.loops._train import TrainLog
from whetstone.stats.estimate import Estimate, finding
from whetstone.stats.intervals import clustered_mean, proportion, wilson

BINS = (0.0, 0.5, 0.625, 0.75, 0.875, 1.0)


def describe(groups: Sequence[Group], kept: Sequence[Kept]) -> dict[str, Finding]:
    """Findings that need no gold labels.

    accept_rate (questions with an accepted sample; also `accept_rate/LEVEL`), proxy (accepted samples among all),
    agreement (votes of the most voted answer among all samples), distinct (different answers among usable samples),
    contradiction (accepted samples against the most accepted answer of their question: where a question has one right
    answer, at least that share of the labels is wrong), length (completion tokens).
    """
    tallies = tally(groups, kept)
    total = Tally(sum(t.questions for t in tallies.values()), sum(t.accepted_questions for t in tallies.values()))
    out = {"accept_rate": wilson(total.accepted_questions, total.questions)} if groups else {}
    if len(tallies) > 1:
        out |= {f"accept_rate/{level}": wilson(t.accepted_questions, t.questions) for level, t in tallies.items()}
    accepted = [(g, group.answers[i]) for g, group in enumerate(groups) for i in kept[g]]
    if accepted:
        leading = {g: Counter(groups[g].answers[i] for i in kept[g]).most_common(1)[0][0] for g, _ in accepted}
        against = [float(answer != leading[g]) for g, answer in accepted]
        out["contradiction"] = proportion(against, groups=[g for g, _ in accepted])
    samples = [(g, i in kept[g]) for g, group in enumerate(groups) for i in range(len(group.candidates))]
    voted = [group for group in groups if group.votes]
    if samples:
        out["proxy"] = proportion([float(hit) for _, hit in samples], groups=[g for g, _ in samples])
        out["length"] = clustered_mean(
            [float(length(group, i)) for group in groups for i in range(len(group.candidates))],
            [g for g, _ in samples],
        )
    if voted:
        out["agreement"] = proportion([max(group.votes.values()) / len(group.candidates) for group in voted])
        out["distinct"] = proportion([len(group.votes) / group.votes.total() for group in voted])
    return {name: finding(name, estimate) for name, estimate in out.items()}


def audit(groups: Sequence[Group], kept: Sequence[Kept], task: Task) -> dict[str, Finding]:
    """Findings against gold labels; {} when the task cannot verify.

    gold (samples that are right), gap (proxy minus gold, paired by question), precision (accepted samples that are
    right, with bins of vote share in its detail), process_precision (accepted samples with every step right, where the
    task can tell), pass_at_k (questions with a right sample among k).
    """
    right: list[float] = []
    ids: list[int] = []
    proxy: list[float] = []
    correct: list[tuple[int, float, float]] = []
    steps: list[tuple[int, float]] = []
    solved: dict[int, bool] = {}
    for g, (group, indices) in enumerate(zip(groups, kept, strict=True)):
        for i, candidate in enumerate(group.candidates):
            value = task.verify(group.example, candidate.text).value
            if value is None:
                continue
            ids.append(g)
            right.append(value)
            proxy.append(float(i in indices))
            solved[g] = solved.get(g, False) or value == 1
            if i in indices:
                correct.append((g, value, group.votes.get(group.answers[i] or "", 0) / len(group.candidates)))
                process = task.process(group.example, candidate.text).value
                if process is not None:
                    steps.append((g, process))
    if not right:
        return {}
    gap = [a - b for a, b in zip(proxy, right, strict=True)]
    out: dict[str, Estimate] = {
        "gold": proportion(right, groups=ids),
        "gap": clustered_mean(gap, ids),
        "pass_at_k": wilson(sum(solved.values()), len(solved)),
    }
    found = {name: finding(name, estimate) for name, estimate in out.items()}
    if correct:
        estimate = proportion([value for _, value, _ in correct], groups=[g for g, _, _ in correct])
        found["precision"] = finding("precision", estimate, by_vote_share=by_vote_share(correct))
    if steps:
        estimate = proportion([value for _, value in steps], groups=[g for g, _ in steps])
        found["process_precision"] = finding("process_precision", estimate)
    return found


def by_vote_share(correct: Sequence[tuple[int, float, float]]) -> list[Json]:
    """Accuracy of accepted samples by the vote share of their answer: [low, high, samples, accuracy] of each bin."""
    out: list[Json] = []
    for low, high in pairwise(BINS):
        inside = [value for _, value, share in correct if low < share <= high]
        if inside:
            out.append([low, high, len(inside), sum(inside) / len(inside)])
    return out


def difference(name: str, after: Finding, before: Finding) -> Finding:
    """after - before, as if measured independently, tested against 0 by its interval.

    The interval adds the two intervals' arms in squares. Where both were measured on the same questions it is too wide,
    never too narrow, unless a question's difficulty turns around.

    Source: Newcombe, "Interval estimation for the difference between independent proportions" (1998), method 10.

    Raises:
        ValueError: one of the two has no estimate.
    """
    if after.estimate is None or before.estimate is None:
        raise ValueError(f"{name}: both findings need an estimate")
    change, interval = after.estimate - before.estimate, None
    if after.interval and before.interval:
        below = math.hypot(after.estimate - after.interval[0], before.interval[1] - before.estimate)
        above = math.hypot(after.interval[1] - after.estimate, before.estimate - before.interval[0])
        interval = (change - below, change + above)
    return Finding(name, change, interval, after.n + before.n, 0.0)


def length(group: Group, i: int) -> int:
    """Completion tokens of a sample, or characters where the backend does not count."""
    generation = group.candidates[i].generation
    return generation.usage.completion or len(generation.text)


def training(log: TrainLog) -> dict[str, Finding]:
    """The training phase: its mean loss over the last tenth of the steps, with steps, tokens and seconds."""
    if not log.steps:
        return {}
    tail = log.losses[-max(1, log.steps // 10) :]
    detail: dict[str, Json] = {"first": log.losses[0], "tokens": log.tokens, "seconds": log.seconds}
    return {"loss": Finding("loss", sum(tail) / len(tail), None, log.steps, detail=detail)}
