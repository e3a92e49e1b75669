"""Normal beliefs about skills: closed-form updates as in other packages, planted orders, coverage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.bayesian_skill import bayesian_skill
from whetstone.ranking.comparisons import Comparisons, Rankings
from whetstone.ranking.skill import BETA, update

NAMES = ("a", "b", "c", "d", "e", "f")


def drawn(skills, n, *, width=4, seed=0):
    rng = np.random.default_rng(seed)
    shown = np.stack([rng.permutation(len(skills))[:width] for _ in range(n)])
    performance = np.asarray(skills)[shown] + rng.normal(scale=BETA, size=shown.shape)
    return Rankings(NAMES[: len(skills)], np.take_along_axis(shown, np.argsort(-performance, axis=1), axis=1))


@pytest.mark.parametrize(
    "case", json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))["skill"]
)
def test_the_closed_form_update_is_that_of_other_packages(case):
    means, variances = update(
        case["means"], [s**2 for s in case["deviations"]], case["places"], draw_margin=case["margin"]
    )
    assert means == pytest.approx(case["new_means"], abs=case["tolerance"])
    assert np.sqrt(variances) == pytest.approx(case["new_deviations"], abs=case["tolerance"])


def test_the_update_of_two_is_the_moments_of_the_exact_posterior():
    rng = np.random.default_rng(0)
    x, y = rng.normal(28, 4, 2_000_000), rng.normal(23, 7, 2_000_000)
    lost = y + rng.normal(scale=BETA, size=x.size) > x + rng.normal(scale=BETA, size=x.size)
    (first, second), variances = update([28, 23], [16, 49], [1, 0])
    assert (first, second) == pytest.approx((x[lost].mean(), y[lost].mean()), abs=0.03)
    assert variances == pytest.approx([x[lost].var(), y[lost].var()], rel=0.01)


def test_finds_the_planted_order():
    found = bayesian_skill(drawn([33, 29, 26, 24, 20, 17], 400))
    assert [NAMES[i] for i in found.order] == list(NAMES)
    assert found.low is None
    assert found.tier is None


def test_eta_ranks_by_what_is_nearly_certain():
    known = np.array([[0, 1, 2], [1, 0, 2]] * 20)
    newcomer = Rankings(NAMES[:4], np.vstack([known, [[3, 0, -1]]]))
    careful, plain = bayesian_skill(newcomer, eta=3.0), bayesian_skill(newcomer)
    assert plain.order[0] == 3
    assert careful.order[0] != 3
    assert careful.scores == pytest.approx(plain.scores - 3 * np.asarray(plain.settings["deviations"]))


def test_a_newcomer_among_three_that_are_known_is_not_frozen():
    known = np.array([[0, 1, 2, -1], [1, 2, 0, -1], [2, 0, 1, -1]] * 40)
    upset = Rankings(NAMES[:4], np.vstack([known, [[3, 0, 1, 2]], [[0, 1, 2, 3]] * 20]))
    held, frozen = bayesian_skill(upset), bayesian_skill(upset, floor=1e-4)
    assert frozen.order[0] == 3
    assert held.order[-1] == 3


def test_a_comparison_is_a_ranking_of_two():
    rankings = drawn([27, 25, 23], 30, width=2)
    pairs = bayesian_skill(rankings.pairs())
    assert pairs.scores == pytest.approx(bayesian_skill(rankings).scores)
    tie = Comparisons(("x", "y"), np.array([0]), np.array([1]), np.array([0]))
    assert bayesian_skill(tie).scores.tolist() == [25, 25]


def test_ties_pull_together_the_more_the_narrower_the_margin():
    gaps = [np.diff(update([30, 20], [25, 25], [0, 0], draw_margin=m)[0])[0] for m in (0.0, 1.0, 5.0)]
    assert gaps == sorted(gaps, reverse=True)
    assert update([30, 20], [25, 25], [0, 0])[0] == pytest.approx(
        update([30, 20], [25, 25], [0, 0], draw_margin=1e-5)[0]
    )


def test_the_most_surprising_results_stay_finite():
    means, variances = update([0.0, 1000.0], [1.0, 1.0], [0, 1])
    assert np.isfinite([*means, *variances]).all()
    assert means[0] > 0
    drawn_means, _ = update([0.0, 1000.0], [1.0, 1.0], [0, 0], draw_margin=1.0)
    assert np.isfinite(drawn_means).all()


def test_variance_never_falls_below_the_floor():
    _, variances = update([25.0] * 12, [400.0] * 12, list(range(12)), beta=0.1, floor=0.01)
    assert min(variances) == pytest.approx(4.0)


def test_settings_that_make_no_sense():
    rankings = drawn([25, 25, 25], 3, width=3)
    for options in ({"beta": 0.0}, {"deviation": -1.0}, {"draw_margin": -1.0}, {"eta": -1.0}, {"floor": 0.0}):
        with pytest.raises(ConfigError, match="beta"):
            bayesian_skill(rankings, **options)
