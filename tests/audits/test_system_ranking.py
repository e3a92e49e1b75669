"""A judge's ranking of systems against people's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaincinv

from whetstone.audits.system_ranking import biases, decisiveness, strengths, system_ranking
from whetstone.core.errors import ConfigError


def scores(seed: int, n: int, *, sharp: float = 1.0, favour: float = 0.0):
    """People's and a judge's scores of six systems; the judge's noise is smaller where it is sharper."""
    rng = np.random.default_rng(seed)
    merit = np.linspace(-0.6, 0.6, 6)
    human = merit + rng.normal(size=(n, 6))
    judge = merit + favour * (np.arange(6) == 2) + rng.normal(size=(n, 6)) / sharp
    return judge, human


def test_recovers_planted_sharpness_and_bias() -> None:
    names = "abcdef"
    fair = {f.name: f for f in system_ranking(*scores(1, 600), systems=names, rounds=300)}
    assert fair["decisiveness"].interval[0] < 1 < fair["decisiveness"].interval[1]
    assert fair["decisiveness"].verdict == "neither sharper nor blunter than people"
    assert {fair[f"bias {name}"].verdict for name in names} == {"no bias found"}
    assert fair["tau"].estimate > 0.8
    keen = {f.name: f for f in system_ranking(*scores(1, 600, sharp=2.5), systems=names, rounds=300)}
    assert keen["decisiveness"].verdict == "exaggerates gaps"
    blunt = {f.name: f for f in system_ranking(*scores(1, 600, sharp=0.4), systems=names, rounds=300)}
    assert blunt["decisiveness"].verdict == "shrinks gaps"
    biased = {f.name: f for f in system_ranking(*scores(1, 600, favour=0.7), systems=names, rounds=300)}
    assert biased["bias c"].verdict == "favours it"
    assert biased["bias c"].estimate == max(biased[f"bias {name}"].estimate for name in names)
    assert biased["bias_spread"].estimate > 2 * fair["bias_spread"].estimate


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
def test_the_shape_of_a_planted_curve_is_found(shape) -> None:
    rng = np.random.default_rng(3)
    ours = rng.random((5, 5))
    ours = (ours + 1 - ours.T) / 2
    gold = betaincinv(shape, shape, ours)
    assert decisiveness(ours.reshape(1, -1), gold.reshape(1, -1))[0] == pytest.approx(shape, rel=0.02)
    assert biases(ours.reshape(1, -1), gold.reshape(1, -1)) == pytest.approx(np.zeros((1, 5)), abs=0.01)


@pytest.mark.parametrize("aggregate", ["median", "win_rate", "bradley_terry"])
def test_other_aggregates_and_gaps(aggregate) -> None:
    judge, human = scores(2, 200)
    assert system_ranking(judge, human, aggregate=aggregate, rounds=50)[0].estimate > 0.5
    with pytest.raises(ConfigError, match="without gaps"):
        system_ranking(judge[:, :1], human[:, :1])


def test_strengths_of_expected_wins_are_the_planted_ones() -> None:
    truth = np.array([-1.0, -0.3, 0.2, 1.1])
    wins = 1e6 / (1 + np.exp(truth[None, :] - truth[:, None]))
    assert strengths(wins[None])[0] == pytest.approx(truth, abs=1e-4)


def test_intervals_of_tau_decisiveness_and_bias_cover_and_narrow() -> None:
    """Over simulated judges the intervals hold the planted shape and bias, and twice the items make them narrower."""
    truth = {f.name: f.estimate for f in system_ranking(*scores(0, 60_000, sharp=1.5, favour=0.5), rounds=2)}
    hits = dict.fromkeys(("decisiveness", "bias 2", "bias 0"), 0)
    for seed in range(40):
        found = {f.name: f for f in system_ranking(*scores(seed, 150, sharp=1.5, favour=0.5), rounds=200)}
        for name in hits:
            low, high = found[name].interval
            hits[name] += low <= truth[name] <= high
        assert found["tau"].interval[0] <= found["tau"].estimate <= found["tau"].interval[1]
    assert all(count >= 34 for count in hits.values()), hits
    few, many = ({f.name: np.ptp(f.interval) for f in system_ranking(*scores(1, n), rounds=200)} for n in (100, 400))
    assert all(many[name] < 0.75 * few[name] for name in hits)
