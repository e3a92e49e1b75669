"""B-STaR: the balance score by hand, the choice of settings, and the monitor over rounds."""

from __future__ import annotations

import itertools

import pytest

from whetstone.core.types import Finding, Round
from whetstone.loops._balance import Query, balance, balance_score, pass_at_k_s, reward_at_k_s, selected
from whetstone.loops.balanced_iteration import balanced_iteration
from whetstone.loops.bstar import bstar

QUERY = Query(("a", "b", "a", "c", "d"), (True, False, True, True, True), (0.9, 0.8, 0.95, 0.3, None))


def test_selection_is_above_the_threshold_best_first_without_duplicates():
    assert selected(QUERY, 0.0) == [2, 1, 3]
    assert selected(QUERY, 0.5) == [2, 1]
    assert selected(QUERY, 0.0)[:1] == [2]
    assert selected(QUERY, 1.0) == []


def test_balance_score_by_hand():
    assert balance_score(QUERY, 0.0, n_star=4) == pytest.approx((2 / 4) * (2 / 3))
    assert balance_score(QUERY, 0.0, n_star=2) == pytest.approx(1.0 * 2 / 3)
    assert balance_score(QUERY, 0.85, n_star=4) == pytest.approx((1 / 4) * 1.0)
    assert balance_score(QUERY, 1.0) == 0.0
    assert balance([QUERY, QUERY], 0.0, n_star=4).value == pytest.approx(1 / 3)


def test_exploration_and_exploitation_by_hand():
    missed = Query(("x", "y"), (False, True), (0.7, 0.2))
    assert pass_at_k_s([QUERY, missed]).value == 1.0
    assert pass_at_k_s([QUERY, missed], 2).value == 0.5
    assert reward_at_k_s([QUERY, missed]).value == 0.5
    assert reward_at_k_s([QUERY, missed], 3).value == 0.0


def test_chosen_settings_maximise_the_balance_score_over_the_grid(tiny, largest, drive_on):
    temperatures, thresholds = (0.5, 1.5), (0.0, 0.4, 0.9)
    rounds = list(
        balanced_iteration(
            tiny,
            largest(),
            drive_on(tiny),
            rounds=2,
            questions=60,
            temperatures=temperatures,
            thresholds=thresholds,
            labelled=24,
            monitor=24,
            tokens_per_batch=256,
        )
    )
    for done in rounds:
        best = done.metrics["chosen/balance"]
        grid = best.detail["grid"]
        assert [point[:2] for point in grid] == [list(p) for p in itertools.product(temperatures, thresholds)]
        assert best.estimate == max(point[2] for point in grid) > 0
        chosen = [done.metrics["chosen/temperature"].estimate, done.metrics["chosen/threshold"].estimate]
        assert [*chosen, best.estimate] in grid
        assert {"exploration", "exploitation", "balance"} <= set(done.metrics)
    assert {finding.name for finding in bstar(rounds)} >= {"exploration", "exploitation", "balance"}


def curve(name: str, *values: float) -> list[Round]:
    found = [Finding(name, v, (v - 0.05, v + 0.05), 64) for v in values]
    return [
        Round(i, 1, 1, {name: f, **({f"before/{name}": found[0]} if i == 1 else {})})
        for i, f in enumerate(found[1:], 1)
    ]


def test_monitor_tells_a_decaying_run_from_a_healthy_one():
    assert bstar(curve("exploration", 0.9, 0.8, 0.6))[0].verdict == "falls"
    assert bstar(curve("exploration", 0.9, 0.91, 0.92))[0].verdict == "no clear change"
    (rising,) = bstar(curve("exploitation", 0.5, 0.7))
    assert (rising.verdict, rising.estimate) == ("rises", pytest.approx(0.2))
    assert len(rising.detail["curve"]) == 2
    assert bstar([Round(1, 1, 1)]) == []
