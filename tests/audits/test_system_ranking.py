"""A judge's ranking of systems against people's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaincinv

from whetstone.audits.system_ranking import biases, decisiveness, system_ranking
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


@pytest.mark.parametrize("aggregate", ["median", "win_rate"])
def test_other_aggregates_and_gaps(aggregate) -> None:
    judge, human = scores(2, 200)
    assert system_ranking(judge, human, aggregate=aggregate, rounds=50)[0].estimate > 0.5
    with pytest.raises(ConfigError, match="without gaps"):
        system_ranking(judge[:, :1], human[:, :1])
