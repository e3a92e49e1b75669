"""What the comparisons leave open is named."""

from __future__ import annotations

import pytest

from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.diagnosis import Diagnosis, diagnose, listed


def of(wins: str, names: str = "", ties: str = "") -> Diagnosis:
    """Comparisons written as pairs of letters: `ab` is a beating b."""
    pairs = [(pair, 1) for pair in wins.split()] + [(pair, 0) for pair in ties.split()]
    made = Comparisons.from_labels(
        [p[0] for p, _ in pairs], [p[1] for p, _ in pairs], [o for _, o in pairs], names=list(names) or None
    )
    return diagnose(count(made))


def test_a_cycle_identifies_everything() -> None:
    found = of("ab bc ca")
    assert found.identified
    assert found.sentences() == ()


def test_a_tie_connects_both_ways() -> None:
    assert of("ab", ties="ab").identified
    assert not of("ab ab").identified


def test_undefeated_and_winless_are_named() -> None:
    found = of("xa xb ab ba bc ac")
    assert found.connected
    assert found.unbeaten == (("x",),)
    assert found.beaten == (("c",),)
    assert found.sentences() == ("never lost (nor tied): x", "never won (nor tied): c")


def test_groups_that_nobody_outside_has_beaten_are_named() -> None:
    found = of("ab ba ac bd cd dc")
    assert found.unbeaten == (("a", "b"),)
    assert found.beaten == (("c", "d"),)
    assert found.sentences() == (
        "never lost (nor tied) outside their group: a, b",
        "never won (nor tied) outside their group: c, d",
    )


def test_parts_and_systems_without_comparisons_are_named() -> None:
    found = of("ab ba cd dc", names="abcdef")
    assert not found.connected
    assert found.alone == ("e", "f")
    assert found.sentences() == ("never compared: e, f", "no comparison connects: a, b | c, d")


def test_long_lists_are_cut() -> None:
    assert listed("abcdefghij") == "a, b, c, d, e, f, g, h and 2 more"


@pytest.mark.parametrize("size", [2, 3, 50])
def test_a_chain_of_wins_has_one_best_and_one_worst(size: int) -> None:
    names = [f"{i:02}" for i in range(size)]
    made = Comparisons.from_labels(names[:-1], names[1:], [1] * (size - 1))
    found = diagnose(count(made))
    assert found.unbeaten == ((names[0],),)
    assert found.beaten == ((names[-1],),)
