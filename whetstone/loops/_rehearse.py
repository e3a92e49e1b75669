"""Rehearsal: the model's own replies in its other roles become replay data, so that training does not wear them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from whetstone.core.flow import Flow
from whetstone.core.registry import find, load
from whetstone.core.types import Example, Generation, Sample, Task
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.loops.objectives import Demonstration


def rehearse(turn: Turn, task: Task, groups: Sequence[Group], names: Sequence[str]) -> list[Demonstration]:
    """Run methods on samples and keep every (prompt, reply) that passed between them and the model.

    Each method (a signal, judge or strategy) sees one sample with the most voted answer of a question and one that has
    another answer or could not be used, if there is one. Replies to the question itself are not kept: those are what
    the loop's filter is for. Nor are replies that were cut off.
    """
    flows = {
        f"{name}/{i}": recorded(flow, group.example)
        for name in names
        for i, (group, flow) in enumerate(starts(name, task, groups))
    }
    return [item for items in turn("rehearse", flows).results.values() for item in items]


def spread(groups: Sequence[Group], n: int, rng: Random) -> list[Group]:
    """About `n` groups, as many of each level as there are."""
    levels: dict[str, list[Group]] = {}
    for group in rng.sample(list(groups), len(groups)):
        levels.setdefault(group.example.level, []).append(group)
    share = -(-n // max(1, len(levels)))
    return [group for level in sorted(levels) for group in levels[level][:share]]


def starts(name: str, task: Task, groups: Sequence[Group]) -> Iterator[tuple[Group, Flow[Any]]]:
    """The method's flows on questions and two contrasting samples of each."""
    kind, function = find(name).kind, load(name)
    for group in groups:
        if not group.votes:
            continue
        top = group.votes.most_common(1)[0][0]
        most = group.candidates[group.answers.index(top)]
        others = [c for c, answer in zip(group.candidates, group.answers, strict=True) if answer != top]
        pair = [most, *others[:1]]
        if kind == "strategy":
            yield group, function(task, group.example)
        elif kind == "judge":
            yield group, function(task, group.example, pair[0], pair[-1])
        else:
            yield group, function(task, group.example, pair)


def recorded(flow: Flow[Any], example: Example) -> Flow[list[Demonstration]]:
    """Pass a flow through and return what was sampled on its way."""
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
                whole = isinstance(reply, Generation) and reply.finish == "stop"
                if isinstance(request, Sample) and whole and request.prompt != example.prompt:
                    assert isinstance(reply, Generation)
                    items.append(Demonstration(request.prompt, reply.text))
            batch = flow.send(replies)
    except StopIteration:
        return items
