"""What a round reports about a set of samples, as findings with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from whetstone.core.types import Finding, Json, Task
from whetstone.loops._balance import Query, balance, pass_at_k_s, reward_at_k_s
from whetstone.loops._rollout import Group
from whetstone.loops._select import Kept, tally
from whetstone.loops._train import TrainLog
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean, mean, proportion, wilson

BINS = (0.0, 0.5, 0.625, 0.75, 0.875, 1.0)


def describe(groups: Sequence[Group], kept: Sequence[Kept]) -> dict[str, Finding]:
    """Findings that need no gold labels.

    Those of `describe_samples`, and accept_rate (questions with an accepted sample; also `accept_rate/LEVEL`), proxy
    (accepted samples among all), contradiction (accepted samples against the most accepted answer of their question:
    where a question has one right answer, at least that share of the labels is wrong).
    """
    if not groups:
        return {}
    tallies = tally(groups, kept)
    accepted = sum(t.accepted_questions for t in tallies.values())
    out = {"accept_rate": wilson(accepted, len(groups))}
    if len(tallies) > 1:
        out |= {f"accept_rate/{level}": wilson(t.accepted_questions, t.questions) for level, t in tallies.items()}
    hits = [(g, float(i in kept[g])) for g, group in enumerate(groups) for i in range(len(group.candidates))]
    out["proxy"] = proportion([hit for _, hit in hits], groups=[g for g, _ in hits])
    answers = {g: [group.answers[i] for i in kept[g]] for g, group in enumerate(groups) if kept[g]}
    against = [(g, float(a != Counter(row).most_common(1)[0][0])) for g, row in answers.items() for a in row]
    if against:
        out["contradiction"] = proportion([value for _, value in against], groups=[g for g, _ in against])
    return {**{name: finding(name, estimate) for name, estimate in out.items()}, **describe_samples(groups)}


def describe_samples(groups: Sequence[Group]) -> dict[str, Finding]:
    """Findings on samples alone.

    length (completion tokens), agreement (votes of the most voted answer among all samples of a question), distinct
    (different answers among the usable samples of a question).
    """
    lengths = [(g, float(length(group, i))) for g, group in enumerate(groups) for i in range(len(group.candidates))]
    out = {"length": clustered_mean([n for _, n in lengths], [g for g, _ in lengths])} if lengths else {}
    voted = [group for group in groups if group.votes]
    if voted:
        out["agreement"] = proportion([max(group.votes.values()) / len(group.candidates) for group in voted])
        out["distinct"] = proportion([len(group.votes) / group.votes.total() for group in voted])
    return {name: finding(name, estimate) for name, estimate in out.items()}


Values = Sequence[Sequence[float | None]]


def verified(groups: Sequence[Group], task: Task) -> Values:
    """Gold marks [questions][samples]; None where the task cannot tell."""
    return [[task.verify(group.example, c.text).value for c in group.candidates] for group in groups]


def grade(groups: Sequence[Group], values: Values) -> dict[str, Finding]:
    """Findings on samples and rewards against gold marks; {} when there are none.

    gold (samples that are right), exploration (pass@k), exploitation (questions whose best sample by reward is right;
    without rewards, by the votes of its answer).
    """
    marks = [(g, value) for g, row in enumerate(values) for value in row if value is not None]
    if not marks:
        return {}
    queries = as_queries(groups, values)
    return {
        "gold": finding("gold", proportion([value for _, value in marks], groups=[g for g, _ in marks])),
        "exploration": finding("pass_at_k", pass_at_k_s(queries), k=len(groups[0].candidates)),
        "exploitation": finding("best_of_k", reward_at_k_s(queries)),
    }


def audit(groups: Sequence[Group], kept: Sequence[Kept], task: Task) -> dict[str, Finding]:
    """Findings on accepted samples against gold labels; {} when the task cannot verify.

    Those of `grade`, and gap (proxy minus gold, paired by question), precision (accepted samples that are right, with
    bins of vote share in its detail), process_precision (accepted samples with every step right, where the task can
    tell), balance (B-STaR's mean balance score), verification_gap (what keeping only accepted samples adds to the
    accuracy of a question, all samples counting where none is accepted; its decline over rounds is saturation).
    """
    values = verified(groups, task)
    found = grade(groups, values)
    if not found:
        return {}
    marks = [(g, i, value) for g, row in enumerate(values) for i, value in enumerate(row) if value is not None]
    accepted = [
        replace(query, rewards=tuple(1.0 if i in indices else None for i in range(len(query.texts))))
        for query, indices in zip(as_queries(groups, values), kept, strict=True)
    ]
    gaps = clustered_mean([float(i in kept[g]) - value for g, i, value in marks], [g for g, _, _ in marks])
    found |= {
        "gap": finding("gap", gaps),
        "balance": finding("balance", balance(accepted, 0.5)),
        "verification_gap": finding("verification_gap", mean([filtered_gain(query) for query in accepted])),
    }
    correct = [(g, value, vote_share(groups[g], i)) for g, i, value in marks if i in kept[g]]
    if correct:
        estimate = proportion([value for _, value, _ in correct], groups=[g for g, _, _ in correct])
        found["precision"] = finding("precision", estimate, by_vote_share=by_vote_share(correct))
    steps = [
        (g, value)
        for g, i, _ in marks
        if i in kept[g] and (value := task.process(groups[g].example, groups[g].candidates[i].text).value) is not None
    ]
    if steps:
        estimate = proportion([value for _, value in steps], groups=[g for g, _ in steps])
        found["process_precision"] = finding("process_precision", estimate)
    return found


def as_queries(groups: Sequence[Group], values: Values) -> list[Query]:
    """Samples with gold marks, rewarded by their signal or else by the vote share of their answer."""
    return [
        Query(
            tuple(candidate.text for candidate in group.candidates),
            tuple(value == 1 for value in marks),
            group.rewards
            if any(reward is not None for reward in group.rewards)
            else tuple(vote_share(group, i) for i in range(len(group.candidates))),
        )
        for group, marks in zip(groups, values, strict=True)
    ]


def filtered_gain(query: Query) -> float:
    """Accuracy of a question's accepted samples (those with a reward) minus that of all; 0 where none is accepted."""
    accepted = [right for right, reward in zip(query.correct, query.rewards, strict=True) if reward is not None]
    return sum(accepted) / len(accepted) - sum(query.correct) / len(query.correct) if accepted else 0.0


def vote_share(group: Group, i: int) -> float:
    """Share of a question's samples that give the same answer as sample i; 0 for one that cannot be used."""
    return group.votes.get(group.answers[i] or "", 0) / len(group.candidates)


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
