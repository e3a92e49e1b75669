"""Thirteen ways in which a text can differ from a reference, each with a rule that puts one such error into a text.

spatial, temporal, number, pronoun, attribute   a word of the class becomes another one of it
entity                                          a name becomes another name
negation                                        a "not" comes or goes
swap                                            two names or long words trade places
order                                           a run of words is shuffled
omission, addition, repetition                  a run of words is left out, comes in, stands there twice
spelling                                        two letters of a word trade places
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

SPATIAL = "north south east west left right above below inside outside near far upstairs downstairs front behind over"
TEMPORAL = (
    "before after today yesterday tomorrow morning evening noon midnight early late spring summer autumn winter "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december always never"
)
NUMBER = "one two three four five six seven eight nine ten eleven twelve twenty thirty hundred thousand"
PRONOUN = "he she him her his hers they them their theirs it its we us our ours i me my mine you your yours"
ATTRIBUTE = (
    "old new big small good bad hot cold high low long short fast slow young rich poor strong weak heavy light dark "
    "clean dirty happy sad easy hard red blue green black white"
)
CLASSES = {
    name: tuple(words.split())
    for name, words in (
        *(("spatial", SPATIAL), ("temporal", TEMPORAL), ("number", NUMBER)),
        *(("pronoun", PRONOUN), ("attribute", ATTRIBUTE)),
    )
}
NEGATIONS = ("not", "no", "never", "nothing", "nobody", "none", "neither")
HELPERS = ("is", "are", "was", "were", "has", "have", "had", "will", "can", "could", "should", "would", "did", "does")
KINDS = (
    *CLASSES,
    *("entity", "negation", "swap", "order", "omission", "addition", "repetition", "spelling"),
)
RUN = 3


def insert_error(text: str, kind: str, rng: Random, *, others: Sequence[str] = ()) -> str | None:
    """The text with one error of a kind; None where it offers no place for one.

    Args:
        others: texts that names and added words are taken from.
    """
    tokens = text.split()
    changed = _changed(tokens, kind, rng, [token for other in others for token in other.split()])
    return " ".join(changed) if changed is not None and changed != tokens else None


def names(tokens: Sequence[str]) -> list[int]:
    """Places of capitalised words that do not begin a sentence."""
    return [
        i for i, token in enumerate(tokens) if i and token[:1].isupper() and len(token) > 1 and tokens[i - 1][-1] != "."
    ]


@lru_cache(maxsize=1 << 15)
def bare(token: str) -> str:
    """A word in lower case without its punctuation."""
    found = re.search(r"\w(?:.*\w)?", token)
    return found[0].lower() if found else ""


def _changed(tokens: Sequence[str], kind: str, rng: Random, pool: Sequence[str]) -> list[str] | None:
    match kind:
        case "entity":
            return _renamed(tokens, rng, pool)
        case "negation":
            return _negated(tokens)
        case "swap":
            return _swapped(tokens, rng)
        case "spelling":
            return _misspelt(tokens, rng)
        case "order" | "omission" | "addition" | "repetition":
            return _run_changed(tokens, kind, rng, pool)
    return _other_of(kind, tokens, rng)


def _other_of(kind: str, tokens: Sequence[str], rng: Random) -> list[str] | None:
    """A word of a class becomes another one; a number in digits too."""
    places = [i for i, token in enumerate(tokens) if bare(token) in CLASSES[kind]]
    digits = [i for i, token in enumerate(tokens) if kind == "number" and re.search(r"\d", token)]
    if not places + digits:
        return None
    at = rng.choice(places + digits)
    others = [word for word in CLASSES[kind] if word != bare(tokens[at])]
    return _put(tokens, at, str(rng.randrange(2, 99)) if at in digits else rng.choice(others))


def _renamed(tokens: Sequence[str], rng: Random, pool: Sequence[str]) -> list[str] | None:
    places = names(tokens)
    known = [bare(pool[i]) for i in names(pool)]
    others = sorted({name for name in known if name not in map(bare, tokens)})
    return _put(tokens, rng.choice(places), rng.choice(others)) if places and others else None


def _negated(tokens: Sequence[str]) -> list[str] | None:
    """The first "not" goes, or one comes after the first auxiliary."""
    given = [i for i, token in enumerate(tokens) if bare(token) == "not"]
    if given:
        return [*tokens[: given[0]], *tokens[given[0] + 1 :]]
    places = [i for i, token in enumerate(tokens) if bare(token) in HELPERS]
    return [*tokens[: places[0] + 1], "not", *tokens[places[0] + 1 :]] if places else None


def _swapped(tokens: Sequence[str], rng: Random) -> list[str] | None:
    named = names(tokens)
    places = named if len({bare(tokens[i]) for i in named}) > 1 else _long(tokens)
    if len(places) < 2:
        return None
    a, b = sorted(rng.sample(places, 2))
    return _put(_put(tokens, a, bare(tokens[b])), b, bare(tokens[a]))


def _misspelt(tokens: Sequence[str], rng: Random) -> list[str] | None:
    places = _long(tokens)
    if not places:
        return None
    at = rng.choice(places)
    word = bare(tokens[at])
    cut = rng.randrange(1, len(word) - 2)
    return _put(tokens, at, word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :])


def _run_changed(tokens: Sequence[str], kind: str, rng: Random, pool: Sequence[str]) -> list[str] | None:
    if len(tokens) < 2 * RUN:
        return None
    at = rng.randrange(1, len(tokens) - RUN)
    before, run, after = tokens[:at], tokens[at : at + RUN], tokens[at + RUN :]
    match kind:
        case "omission":
            return [*before, *after]
        case "repetition":
            return [*before, *run, *run, *after]
        case "order":
            return [*before, *rng.sample(run, RUN), *after]
    start = rng.randrange(max(1, len(pool) - RUN)) if pool else 0
    return [*before, *pool[start : start + RUN], *run, *after]


def _long(tokens: Sequence[str]) -> list[int]:
    return [i for i, token in enumerate(tokens) if len(bare(token)) > 4]


def _put(tokens: Sequence[str], at: int, word: str) -> list[str]:
    """The tokens with another word at a place; capital and punctuation stay."""
    old = tokens[at]
    core = re.search(r"\w.*\w|\w", old)
    new = word.capitalize() if old[:1].isupper() else word
    changed = old[: core.start()] + new + old[core.end() :] if core else new
    return [*tokens[:at], changed, *tokens[at + 1 :]]
