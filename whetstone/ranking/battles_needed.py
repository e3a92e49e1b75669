"""How many more comparisons would tell two systems apart."""

from __future__ import annotations

from math import ceil, inf
from statistics import NormalDist

from whetstone.core.errors import ConfigError
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.ties import sigmoid
from whetstone.stats.estimate import Estimate


def battles_needed(
    ranking: Ranking, first: str, second: str, *, level: float = 0.95, power: float = 0.8, simultaneous: bool = False
) -> Estimate:
    """Direct comparisons of two systems after which their difference would be significant.

    A comparison of the two adds h = p (1 - p) of information on their difference, so that m of them bring its variance
    v down to v / (1 + m h v); m is the smallest for which (z(level) + z(power))^2 times that is at most the squared
    difference.

    Args:
        ranking: scores in natural log-odds with their covariance.
        first, second: names of the two.
        level: two-sided confidence of the later test.
        power: chance that this test succeeds if the difference is as estimated.
        simultaneous: ask for the ranking's own simultaneous threshold instead of the one for a single pair.

    Returns:
        The number (0: they can be told apart now, with that power). Its interval follows from the interval of the
        difference and reaches to infinity where that holds 0; the value is None where the two scores are equal.

    Raises:
        ConfigError: an unknown name, or a ranking without what is needed.
    """
    for name in (first, second):
        if name not in ranking.names:
            raise ConfigError(f"no system is called {name!r}; there are {', '.join(ranking.names)}")
    if ranking.covariance is None or ranking.settings.get("scale") != "natural log-odds":
        raise ConfigError(f"{ranking.method} gives no covariance of log-odds, which this question needs")
    if first == second:
        raise ConfigError(f"{first!r} cannot be told apart from itself")
    normal = NormalDist()
    threshold = normal.inv_cdf((1 + level) / 2)
    if simultaneous:
        threshold = float(str(ranking.settings["critical"]))
    i, j = ranking.names.index(first), ranking.names.index(second)
    covariance = ranking.covariance
    variance = float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
    difference = abs(float(ranking.scores[i] - ranking.scores[j]))
    reach = normal.inv_cdf((1 + level) / 2) * variance**0.5

    def needed(gap: float) -> float:
        if gap <= 0:
            return inf
        p = float(sigmoid(ranking.scores[i] - ranking.scores[j]))
        wanted = (threshold + normal.inv_cdf(power)) ** 2 / gap**2
        return max(0, ceil((wanted - 1 / variance) / (p * (1 - p))))

    value = needed(difference)
    return Estimate(
        None if value == inf else value,
        (needed(difference + reach), needed(difference - reach)),
        ranking.n,
        None,
        "information",
        "the two scores are equal: no number of comparisons would do" if value == inf else "",
    )
