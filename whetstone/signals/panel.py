"""A panel of judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import load, method
from whetstone.core.types import TIE, Candidate, Example, Request, Task, Verdict
from whetstone.signals.orders import leader, mean_shares


@method("judge", checked="tests/signals/test_panel.py::test_a_majority_outvotes_the_planted_bad_judge")
def panel(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    judges: tuple[str, ...] = ("pairwise_judge", "balanced_judge", "five_way_judge"),
    roles: tuple[str, ...] = (),
    combine: Literal["majority", "average"] = "majority",
) -> Flow[Verdict]:
    """Several judges compare the same pair, each by itself, and vote.

    Args:
        judges: the members, by name.
        roles: which model each member is, so that a panel can have several models: `judge1`, `judge2` ...; empty leaves
            all to the model in the role of the judge.
        combine: "majority" takes the choice of most members, "average" the highest mean probability.

    Returns:
        The panel's verdict; `orders` holds the members' verdicts, and `probs` their mean. Members without a choice do
        not vote; there is none when no member has one. An undecided vote is a tie.

    Raises:
        ConfigError: roles that are not one a member.
    """
    if roles and len(roles) != len(judges):
        raise ConfigError(f"{len(judges)} judges need as many roles, not {len(roles)}")
    parts = [load(judge, "judge")(task, example, first, second) for judge in judges]
    if roles:
        parts = [played_by(part, role) for part, role in zip(parts, roles, strict=True)]
    members = yield from gather(parts)
    return voted((first.id, second.id), members, combine)


def voted(shown: tuple[str, ...], members: Sequence[Verdict], combine: Literal["majority", "average"]) -> Verdict:
    """The verdict of a panel."""
    votes = [member for member in members if member.choice is not None]
    if not votes:
        return Verdict(shown, None, reason=members[0].reason if members else "no judge", orders=tuple(members))
    plain = votes if combine == "average" else [replace(vote, probs=None) for vote in votes]
    shares = mean_shares(plain, shown)
    reason = (
        "" if len(votes) == len(members) else f"{len(members) - len(votes)} of {len(members)} judges gave no choice"
    )
    return Verdict(shown, leader(shares) if shares else TIE, shares, reason, orders=tuple(members))


def played_by(flow: Flow[Verdict], role: str) -> Flow[Verdict]:
    """A judge's flow with its own requests put to the model in another role."""

    def recast(batch: Sequence[Request]) -> Sequence[Request]:
        cast = [replace(request, role=role) if request.role == "judge" else request for request in batch]
        return type(batch)(cast) if isinstance(batch, list) else cast

    try:
        batch = next(flow)
        while True:
            try:
                replies = yield recast(batch)
            except Exception as error:
                batch = flow.throw(error)
            else:
                batch = flow.send(replies)
    except StopIteration as stop:
        verdict: Verdict = stop.value
        return verdict
