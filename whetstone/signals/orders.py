"""Showing a pair of answers in both orders, and making one verdict of the two: what every pairwise judge shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.types import TIE, Candidate, Generation, Prompt, Sampling, Verdict
from whetstone.signals.parsing import letter_probabilities, read_comparison

Combine = Literal["agree", "average"]


def in_both_orders(
    first: Candidate,
    second: Candidate,
    ask: Callable[[Candidate, Candidate], Flow[Verdict]],
    combine: Combine = "agree",
) -> Flow[Verdict]:
    """The verdict on a pair from `ask(first, second)` and `ask(second, first)`. Equal texts tie without being asked."""
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    verdicts = yield from gather(ask(a, b) for a, b in ((first, second), (second, first)))
    return combined(verdicts[0], verdicts[1], combine)


def ask_once(prompt: Prompt, a: Candidate, b: Candidate, sampling: Sampling, role: str = "judge") -> Flow[Verdict]:
    """Ask a question that is answered by A (`a`), B (`b`) or E (equally good)."""
    (reply,) = yield from sample(prompt, sampling=sampling, role=role)
    return read_verdict(reply, a, b)


def read_verdict(reply: Generation, a: Candidate, b: Candidate) -> Verdict:
    """The verdict that a reply gives when `a` was shown as A and `b` as B."""
    names = {"A": a.id, "B": b.id, "E": TIE}
    reading = read_comparison(reply.text)
    if reading is None:
        return Verdict((a.id, b.id), None, reason="unreadable reply", raw=reply.text)
    letters = letter_probabilities(reply, reading, names)
    probs = {names[letter]: p for letter, p in letters.items()} if letters else None
    return Verdict((a.id, b.id), names[reading.value], probs, raw=reply.text)


def combined(forward: Verdict, backward: Verdict, combine: Combine) -> Verdict:
    """One verdict from the verdicts in both orders.

    "agree" chooses what both chose, else a tie. "average" takes the higher mean of their probabilities, or of their
    strengths where both tell degrees.
    """
    orders, shown = (forward, backward), forward.shown
    if forward.choice is None or backward.choice is None:
        unread = sum(verdict.choice is None for verdict in orders)
        return Verdict(shown, None, reason=f"unreadable reply in {unread} of 2 orders", orders=orders)
    shares = mean_shares(orders, shown)
    known = shares if forward.probs and backward.probs else None
    leans = [lean(verdict, shown[0]) for verdict in orders]
    total = None if leans[0] is None or leans[1] is None else (leans[0] + leans[1]) / 2
    reason = ""
    if combine == "agree":
        agreed = forward.choice == backward.choice
        choice, reason = (forward.choice, "") if agreed else (TIE, "the orders disagree")
    elif total is not None:
        choice = TIE if total == 0 else shown[total < 0]
    else:
        choice = leader(shares)
    strength = None if total is None else 0.0 if choice == TIE else abs(total)
    return Verdict(shown, choice, known, reason, orders=orders, strength=strength)


def mean_shares(verdicts: Sequence[Verdict], shown: tuple[str, ...]) -> dict[str, float]:
    """Mean probability of each candidate and of a tie; a verdict without probabilities gives all to its choice."""
    sides = [verdict.probs or {verdict.choice or TIE: 1.0} for verdict in verdicts]
    return {name: sum(side.get(name, 0.0) for side in sides) / len(sides) for name in (*shown, TIE)}


def leader(shares: dict[str, float]) -> str:
    """The name with the highest share; a tie when several have it."""
    best = max(shares.values())
    leaders = [name for name, share in shares.items() if share == best]
    return leaders[0] if len(leaders) == 1 else TIE


def lean(verdict: Verdict, name: str) -> float | None:
    """Strength towards a candidate from -1 to 1: 0 for a tie, None where the verdict tells no degree."""
    if verdict.choice is None or verdict.strength is None:
        return None
    return 0.0 if verdict.choice == TIE else verdict.strength if verdict.choice == name else -verdict.strength
