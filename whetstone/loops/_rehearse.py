"""Rehearsal: the model's own replies in its other roles become replay data, so that training does not wear them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from whetstone.core.flow import Flow
from whetstone.core.registry import find, load
from whetstone.core.types import Candidate, Example, Generation, Sample, Signal, Task
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.loops._sampler import Sampler
from whetstone.loops.objectives import Demonstration

HOT_SAMPLES, HOT = 4, 1.5


@dataclass(frozen=True, slots=True)
class Contrast:
    """A question, a sample with its most voted answer, and one that says otherwise or could not be used."""

    example: Example
    answer: str
    voted: Candidate
    other: Candidate | None


def rehearse(turn: Turn, sampler: Sampler, groups: Sequence[Group], names: Sequence[str]) -> list[Demonstration]:
    """Replies in other roles that agree with the vote, as training items.

    Methods (signals, judges, strategies) run on a voted sample and on another one; a question whose samples all agree
    gets a few at a higher temperature. What passed between method and model is kept where the outcome agrees with the
    vote: a signal above 0.5 for the voted sample and not for the other one (so that both verdicts stay as frequent), a
    judge's choice of the voted one, a strategy's answer that is the voted one. Replies to the question itself are not
    kept, since they are what the loop's filter is for, nor replies that were cut off.
    """
    contrasts = contrasted(turn, sampler, groups)
    flows = {
        f"{name}/{i}": flow for name in names for i, flow in enumerate(checked_flows(name, sampler.task, contrasts))
    }
    return [item for items in turn("rehearse", flows).results.values() for item in items]


def spread(groups: Sequence[Group], n: int, rng: Random) -> list[Group]:
    """About `n` groups, as many of each level as there are."""
    levels: dict[str, list[Group]] = {}
    for group in rng.sample(list(groups), len(groups)):
        levels.setdefault(group.example.level, []).append(group)
    share = -(-n // max(1, len(levels)))
    return [group for level in sorted(levels) for group in levels[level][:share]]


def contrasted(turn: Turn, sampler: Sampler, groups: Sequence[Group]) -> list[Contrast]:
    """A contrast for each question that has a voted answer."""
    found = {group.example.id: contrast(group) for group in groups if group.votes}
    alike = [c.example for c in found.values() if c.other is None]
    hot = replace(sampler, k=HOT_SAMPLES, temperature=HOT, retries=0)
    for group in hot.sample(turn, "contrast", alike) if alike else ():
        known = found[group.example.id]
        other = other_than(known.answer, group)
        found[group.example.id] = replace(known, other=replace(other, id="hot") if other else None)
    return list(found.values())


def contrast(group: Group) -> Contrast:
    """The first voted sample and the first other one."""
    answer = group.votes.most_common(1)[0][0]
    voted = group.candidates[group.answers.index(answer)]
    return Contrast(group.example, answer, voted, other_than(answer, group))


def other_than(answer: str, group: Group) -> Candidate | None:
    """The first sample that was not cut off and whose answer, if it has a usable one, is another."""
    samples = zip(group.candidates, group.answers, strict=True)
    return next((c for c, given in samples if given != answer and c.generation.finish == "stop"), None)


def checked_flows(name: str, task: Task, contrasts: Sequence[Contrast]) -> Iterator[Flow[list[Demonstration]]]:
    """The method's flows, each returning its exchanges with the model if its outcome agrees with the vote."""
    kind, function = find(name).kind, load(name)
    for c in contrasts:
        if kind == "strategy":
            yield checked(function(task, c.example), c, lambda outcome, c=c: outcome.answer == c.answer)
        elif c.other and kind == "judge":
            flow = function(task, c.example, c.voted, c.other)
            yield checked(flow, c, lambda verdict, c=c: verdict.choice == c.voted.id)
        elif c.other and kind == "signal":
            yield checked(function(task, c.example, [c.voted, c.other]), c, tells_apart)


def tells_apart(signals: Sequence[Signal]) -> bool:
    """Is the first called right and the second wrong?"""
    first, second = (signal.value for signal in signals)
    return first is not None and second is not None and second <= 0.5 < first


def checked(flow: Flow[Any], contrast: Contrast, agrees: Any) -> Flow[list[Demonstration]]:
    """Pass a flow through; return what was sampled on its way if its result agrees."""
    items: list[Demonstration] = []
    try:
        batch = next(flow)
        while True:
            try:
                replies = yield batch
            except Exception as error:
                batch = flow.throw(error)
                continue
            for request, reply in zip(batch, replies, strict=True):
                if isinstance(request, Sample) and isinstance(reply, Generation) and reply.finish == "stop":
                    items.append(Demonstration(request.prompt, reply.text))
            batch = flow.send(replies)
    except StopIteration as stop:
        return [i for i in items if i.prompt != contrast.example.prompt] if agrees(stop.value) else []
