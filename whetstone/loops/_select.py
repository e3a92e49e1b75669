"""Data selection: which samples become training data, and how many of each level did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Task
from whetstone.loops._rollout import Group
from whetstone.loops.objectives import Demonstration

Filter = Literal["majority", "signal", "top", "best", "gold"]
Kept = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one level: questions, those with an accepted sample, samples, usable ones, accepted ones."""

    questions: int = 0
    accepted_questions: int = 0
    samples: int = 0
    usable: int = 0
    accepted: int = 0

    @property
    def rate(self) -> float:
        """Share of questions for which the filter found a label."""
        return self.accepted_questions / self.questions if self.questions else 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Which samples are accepted as training data. Samples that are not usable (see `Group`) never are.

    Attributes:
        filter: "majority" keeps the samples that give the most voted answer, if at least `least` samples and a share
            of `votes` of those that vote do, and no other answer has as many. Usable samples vote; where a signal is
            named too, only those above `accept`. "signal" keeps every sample whose signal is above `accept`. "top"
            keeps the best `share` of all samples by signal, "best" the best sample of each question. "gold" keeps what
            the task verifies.
        signal: name of a registered signal.

    Raises:
        ConfigError: the filter is unknown, or needs a signal and none is named.
    """

    filter: Filter = "majority"
    signal: str = ""
    votes: float = 0.5
    least: int = 2
    accept: float = 0.5
    share: float = 0.2

    def __post_init__(self) -> None:
        if self.filter not in get_args(Filter):
            raise ConfigError(f"unknown filter {self.filter!r}; known: {', '.join(get_args(Filter))}")
        if self.filter in ("signal", "top", "best") and not self.signal:
            raise ConfigError(f"the filter {self.filter!r} needs a signal: name one, such as signal=p_true")


def select(groups: Sequence[Group], task: Task, rule: Rule) -> list[Kept]:
    """Positions of the accepted samples of each question.

    Raises:
        ConfigError: the rule's signal abstained on every sample.
    """
    if rule.signal and groups and all(reward is None for group in groups for reward in group.rewards):
        raise ConfigError(f"the signal {rule.signal!r} abstains on every sample of this model; name another one")
    if rule.filter == "top":
        return by_top_share(groups, rule.share)
    if rule.filter == "gold":
        return [by_gold(group, task) for group in groups]
    if rule.filter == "signal":
        return [tuple(i for i, reward in scored(group) if reward > rule.accept) for group in groups]
    if rule.filter == "best":
        return [tuple(i for i, _ in sorted(scored(group), key=lambda pair: -pair[1])[:1]) for group in groups]
    accept = rule.accept if rule.signal else None
    return [by_majority(group, votes=rule.votes, least=rule.least, accept=accept) for group in groups]


def scored(group: Group) -> list[tuple[int, float]]:
    """Position and reward of the usable samples that have one."""
    return [
        (i, reward)
        for i, (answer, reward) in enumerate(zip(group.answers, group.rewards, strict=True))
        if answer is not None and reward is not None
    ]


def by_majority(group: Group, *, votes: float, least: int = 2, accept: float | None = None) -> Kept:
    """The samples that give the most voted answer, if at least `least` and a share of `votes` of those that vote do.

    No other answer may have as many. With `accept`, only samples whose reward is above it vote.
    """
    usable = [i for i, answer in enumerate(group.answers) if answer is not None]
    voters = usable if accept is None else [i for i, reward in scored(group) if reward > accept]
    ranked = Counter(group.answers[i] for i in voters).most_common(2)
    if not ranked or ranked[0][1] < max(least, votes * len(voters)):
        return ()
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return ()
    return tuple(i for i in voters if group.answers[i] == ranked[0][0])


def by_top_share(groups: Sequence[Group], share: float) -> list[Kept]:
    """The best `share` of all samples by reward, rounded; ties go to the earlier sample."""
    pool = [(-reward, g, i) for g, group in enumerate(groups) for i, reward in scored(group)]
    chosen = {(g, i) for _, g, i in sorted(pool)[: round(share * sum(len(group.candidates) for group in groups))]}
    return [tuple(i for i in range(len(group.candidates)) if (g, i) in chosen) for g, group in enumerate(groups)]


def by_gold(group: Group, task: Task) -> Kept:
    """The samples that the task verifies as right.

    Raises:
        TaskError: the task cannot tell.
    """
    kept = []
    for i, answer in enumerate(group.answers):
        if answer is not None:
            verdict = task.verify(group.example, group.candidates[i].text)
            if verdict.value is None:
                raise TaskError(f"{group.example.id} cannot be verified ({verdict.abstained}); use another filter")
            if verdict.value == 1:
                kept.append(i)
    return tuple(kept)


def tally(groups: Sequence[Group], kept: Sequence[Kept]) -> dict[str, Tally]:
    """Counts by level, levels in order of appearance."""
    out: dict[str, Tally] = {}
    for group, accepted in zip(groups, kept, strict=True):
        t = out.get(group.example.level, Tally())
        out[group.example.level] = Tally(
            t.questions + 1,
            t.accepted_questions + bool(accepted),
            t.samples + len(group.candidates),
            t.usable + sum(answer is not None for answer in group.answers),
            t.accepted + len(accepted),
        )
    return out


def frontier(tallies: Mapping[str, Tally], *, width: int, floor: float) -> list[str]:
    """The `width` levels that are hardest for the model among those it can still label, easiest first.

    Hardness is measured by the acceptance rate itself; levels below `floor` are left alone (the stop rule).
    """
    able = [level for level, t in tallies.items() if t.accepted_questions and t.rate >= floor]
    return sorted(able, key=lambda level: -tallies[level].rate)[-width:]


def demonstrations(
    groups: Sequence[Group],
    kept: Sequence[Kept],
    *,
    levels: Collection[str] | None = None,
    cap: int = 0,
    even: bool = False,
) -> list[Demonstration]:
    """Training data from the accepted samples.

    Equal texts of one question become one item with their number as weight.

    Args:
        levels: only these levels; None for all.
        cap: at most so many different texts of a question, the most frequent ones; 0 for no limit.
        even: every question weighs 1 in all, so that hard ones, of which few samples are accepted, count as much.
    """
    items = []
    for group, accepted in zip(groups, kept, strict=True):
        if levels is None or group.example.level in levels:
            texts = Counter(group.candidates[i].text for i in accepted).most_common(cap or None)
            total = sum(count for _, count in texts) if even else 1
            items += [Demonstration(group.example.prompt, text, count / total) for text, count in texts]
    return items
