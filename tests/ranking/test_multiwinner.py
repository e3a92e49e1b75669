"""Multi-winner rules: greedy scores against all subsets, and bounds against bias."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.biased_rankings import biased_rankings
from whetstone.ranking.comparisons import Rankings
from whetstone.ranking.multiwinner import multiwinner
from whetstone.ranking.rules.committee import RULES, seen, value

NAMES = tuple("abcdefgh")
GROUPS = {name: "even" if i % 2 else "odd" for i, name in enumerate(NAMES)}


def some(n: int, seed: int, k: int = 8) -> Rankings:
    rng = np.random.default_rng(seed)
    return Rankings(NAMES[:k], np.stack([rng.permutation(k) for _ in range(n)]))


def score_by_hand(rankings: Rankings, rule: str, chosen: tuple[int, ...], size: int) -> float:
    total = 0.0
    for row in rankings.order.tolist():
        place = {item: row.index(item) for item in chosen}
        points = [len(row) - 1 - p for p in place.values()]
        approved = sum(p < size for p in place.values())
        total += {
            "sntv": float(row[0] in chosen),
            "bloc": approved,
            "borda": sum(points),
            "chamberlin_courant": max(points),
            "coverage": float(approved > 0),
            "harmonic": sum(1 / j for j in range(1, approved + 1)),
        }[rule]
    return total


@pytest.mark.parametrize("rule", RULES)
def test_scores_and_greedy_choice_against_all_subsets(rule: str) -> None:
    for seed in range(4):
        rankings = some(9, seed)
        chosen = multiwinner(rankings, 3, rule=rule, groups=GROUPS, at_least={"odd": 2})
        free = multiwinner(rankings, 3, rule=rule)
        scores: dict[tuple[int, ...], float] = {
            s: score_by_hand(rankings, rule, s, 3) for s in combinations(range(8), 3)
        }
        fair = {s: v for s, v in scores.items() if sum(i % 2 == 0 for i in s) >= 2}
        utility, weigh = seen(rankings, rule, 3), RULES[rule][1](3)
        assert all(value(utility, weigh, list(s)) == pytest.approx(v) for s, v in scores.items())
        assert chosen.score == pytest.approx(scores[tuple(sorted(NAMES.index(n) for n in chosen.chosen))])
        assert sum(GROUPS[name] == "odd" for name in chosen.chosen) >= 2
        assert chosen.unconstrained_score == pytest.approx(free.score)
        exact = rule in ("sntv", "bloc", "borda")
        assert free.score >= max(scores.values()) * (1 - 1e-9 if exact else 1 - 1 / np.e)
        assert chosen.score >= max(fair.values()) * (1 - 1e-9 if exact else 0.5)
        assert chosen.ratio is not None
        assert chosen.ratio <= 1 + 1e-9 or not exact


def simulated(rule: str, *, n: int, bias: float) -> tuple[float, float, float]:
    """True ratio with bounds and without, and what the bounds cost on the rankings as they are."""
    k = 40
    quality, pressed = np.random.default_rng(0).uniform(1, 2, k), np.arange(k) % 2 == 0
    names = tuple(f"item {i}" for i in range(k))
    groups = {name: "pressed" if p else "rest" for name, p in zip(names, pressed, strict=True)}
    share = int(pressed[np.argsort(-quality)[:10]].sum())
    biased, unbiased = biased_rankings(names, quality, pressed, n=n, bias=bias, noise=0.2)
    found = multiwinner(biased, 10, rule=rule, groups=groups, at_least={"pressed": share}, unbiased=unbiased)
    assert found.true_ratio is not None
    assert found.unconstrained_true_ratio is not None
    assert found.ratio is not None
    return found.true_ratio, found.unconstrained_true_ratio, found.ratio


def test_bounds_win_back_the_quality_that_biased_rankings_lose() -> None:
    for rule in ("borda", "bloc", "harmonic"):
        bounded, free, cost = simulated(rule, n=200, bias=0.6)
        assert bounded > 0.99
        assert free < 0.88
        assert cost < 0.8, "on the biased rankings the better choice looks worse"
        bounded, free, _ = simulated(rule, n=200, bias=1.0)
        assert free == pytest.approx(1)
        assert bounded > 0.98


def test_some_scores_need_many_more_rankings_for_bounds_to_help() -> None:
    reached = {(rule, n): simulated(rule, n=n, bias=0.6)[0] for rule in ("borda", "bloc", "sntv") for n in (10, 200)}
    assert reached["borda", 10] > 0.99
    assert reached["bloc", 10] < 0.8 < 0.99 < reached["bloc", 200]
    assert reached["sntv", 10] < reached["sntv", 200] < 0.8


def test_rules_differ_in_what_they_reach_for() -> None:
    # Six voters love a, b, c in some order; three love d alone.
    order = [[*p, 3, 4] for p in permutations(range(3))] + [[3, 4, 0, 1, 2]] * 3
    rankings = Rankings(tuple("abcde"), np.array(order))
    assert set(multiwinner(rankings, 2, rule="borda").chosen) <= set("abc")
    assert "d" in multiwinner(rankings, 2, rule="chamberlin_courant").chosen
    assert "d" in multiwinner(rankings, 2, rule="coverage").chosen


def test_equal_to_the_same_choice_under_another_order_of_rows() -> None:
    rankings = some(11, 5)
    for rule in RULES:
        turned = Rankings(rankings.names, rankings.order[::-1])
        assert multiwinner(turned, 4, rule=rule).chosen == multiwinner(rankings, 4, rule=rule).chosen


def test_short_rankings_leave_the_rest_at_the_bottom() -> None:
    rankings = Rankings(tuple("abcd"), np.array([[0, 1, -1], [0, 2, -1]]))
    assert multiwinner(rankings, 1, rule="borda").chosen == ("a",)
    assert multiwinner(rankings, 3, rule="borda").chosen == ("a", "b", "c")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "fancy"}, "known"),
        ({"groups": {"z": "x"}}, "not among"),
        ({"groups": GROUPS, "at_least": {"none": 1}}, "known: odd, even"),
        ({"groups": GROUPS, "at_least": {"odd": 5}}, "cannot give 5"),
        ({"groups": GROUPS, "at_least": {"odd": 2, "even": 2}}, "more than the 3"),
    ],
)
def test_mistakes_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        multiwinner(some(3, 0), 3, **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size"):
        multiwinner(some(3, 0), 9)
