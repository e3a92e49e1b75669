"""Consistency of open-ended answers."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.overlap import overlap


def values(toy, *texts, **options):
    return [s.value for s in toy.run(overlap(toy.task, toy.question(1), toy.candidates(*texts), **options))]


def test_finds_the_planted_consensus_and_nothing_among_strangers(toy) -> None:
    found = values(toy, "red green blue", "red green gold", "one two three", "red green blue")
    assert max(found) == found[0] == found[3]
    assert min(found) == found[2] == 0
    assert values(toy, "a b", "c d", "e f") == [0, 0, 0]


def test_matches_similarities_computed_by_hand(toy) -> None:
    """Units a b c d: shared by 1-2 are {a, b}, by 1-3 {a}, by 2-3 {a}; repeats count once."""
    assert values(toy, "a b b", "a b c", "a d") == pytest.approx([1.5 / 4, 1.5 / 4, 1 / 4])
    assert values(toy, "a b", "a b", n_gram=2) == pytest.approx([1, 1]), "units a, b and (a, b), all shared"
    assert values(toy, "a b", "b a", n_gram=2) == pytest.approx([2 / 4, 2 / 4])


def test_equal_answers_make_it_a_vote(toy) -> None:
    """With one-word answers the score is the share of others that are equal, up to the vocabulary's size."""
    assert values(toy, "x", "x", "y", "x") == pytest.approx([2 / 3 / 2, 2 / 3 / 2, 0, 2 / 3 / 2])


def test_weights_are_token_probabilities(toy) -> None:
    def spoken(**tokens: float) -> Generation:
        return Generation(" ".join(tokens), tuple(Token(f" {t}", log(p)) for t, p in tokens.items()))

    texts = spoken(a=0.5, b=0.8), spoken(a=0.4, c=0.9)
    assert values(toy, *texts, weighted=True) == pytest.approx([0.2 / 3] * 2)
    scaled = values(toy, *texts, consensus=True)
    assert scaled == pytest.approx([1 / 3 * (0.5 * 0.8) ** 0.5, 1 / 3 * (0.4 * 0.9) ** 0.5])


def test_abstains_alone_and_without_the_weights_it_needs(toy) -> None:
    (alone,) = toy.run(overlap(toy.task, toy.question(1), toy.candidates("a")))
    assert alone.abstained == "needs at least two candidates"
    bare = toy.run(overlap(toy.task, toy.question(1), toy.candidates("a", "b"), weighted=True))
    assert bare[0].abstained == "weights need token log-probabilities"
