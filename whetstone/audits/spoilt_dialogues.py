"""Dialogues spoilt in one of three dimensions.

    coherence        turns in another order, or a turn out of another dialogue
    likability       a speaker who takes back what was said before, or answers with a rebuff
    informativeness  turns replaced by phrases that say nothing, or by what was said already

Nothing is rated by people: the original of a pair is taken to be the better one.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from whetstone.audits.mismatch_errors import HELPERS

Dialogue = tuple[str, ...]

DIMENSIONS = ("coherence", "likability", "informativeness")
DULL = ("ok", "i see", "i don't know", "yeah", "hm maybe", "that is interesting", "sure", "oh right")
REBUFFS = ("that is stupid", "i hate that", "no , you are wrong", "i do not care", "how boring", "leave me alone")


def spoil(dialogue: Dialogue, dimension: str, rng: Random, others: Sequence[Dialogue]) -> Dialogue:
    """A copy that is worse in one dimension.

    Args:
        others: dialogues that foreign turns come from.
    """
    turns, n = list(dialogue), len(dialogue)
    if dimension == "coherence":
        if rng.random() < 0.5:
            rng.shuffle(turns)
        else:
            turns[rng.randrange(1, n)] = rng.choice(rng.choice(others))
    elif dimension == "likability":
        at = rng.randrange(n)
        contrary = contradiction(turns[at])
        if contrary and at + 2 < n and rng.random() < 0.5:
            turns[rng.randrange(at + 2, n, 2)] = contrary
        else:
            turns[rng.randrange(1, n)] = rng.choice(REBUFFS)
    else:
        for at in rng.sample(range(1, n), max(1, n // 3)):
            turns[at] = rng.choice(DULL) if rng.random() < 0.5 else turns[rng.randrange(at)]
    return tuple(turns)


def contradiction(turn: str) -> str | None:
    """The turn with a "not" put in or taken out; None where there is no place for one."""
    tokens = turn.split()
    if "not" in tokens:
        tokens.remove("not")
        return " ".join(tokens)
    place = next((i for i, token in enumerate(tokens) if token.lower() in (*HELPERS, "am", "do")), None)
    return None if place is None else " ".join([*tokens[: place + 1], "not", *tokens[place + 1 :]])
