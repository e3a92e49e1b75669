"""Guard: what the filter believes and what is true part ways."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round
from whetstone.loops._series import change, falls, latest


@method("guard", checked="tests/loops/test_guards.py::test_proxy_gold_gap_fires_on_a_filter_that_believes_too_much")
def proxy_gold_gap(
    rounds: Sequence[Round],
    *,
    tolerance: float = 0.1,
    precision: float = 0.7,
    ranking: float = 2 / 3,
    calibration: float = 0.25,
) -> Alarm | None:
    """Stop when what the loop believes is not what is true: it accepts too much or wrong, or does not see gold fall.

    Args:
        tolerance: by how much the share of accepted samples may exceed the share of right ones. The alarm needs the
            whole interval of the gap (paired by question) to lie above it.
        precision: least share of right samples among the accepted ones. The alarm needs the whole interval below it.
        ranking: least share of pairs of a right and a wrong answer that a reward must rank rightly (0.5 is guessing).
            The alarm goes off unless the whole interval lies above it: a reward that is not shown to tell right from
            wrong is not trained on.
        calibration: by how much the mean of a reward that is a probability may miss the share of right samples, up or
            down. The alarm needs the whole interval (paired by question) to lie beyond it.

    Returns:
        None while nothing is wrong, and where the rounds were not audited.
    """
    ranked = latest(rounds, "ranking_accuracy")
    if ranked is not None and ranked.interval is not None and ranked.interval[0] < ranking:
        message = (
            f"the reward puts a right answer above a wrong one {ranked.estimate:.0%} of the time "
            f"(not surely above {ranking:.0%})"
        )
        return Alarm("proxy_gold_gap", message, stop=True)
    missed = latest(rounds, "reward_gap")
    if missed is not None and missed.interval is not None and beyond(missed.interval, calibration):
        message = f"the reward's mean lies {missed.estimate:+.2f} beside the share of right answers"
        return Alarm("proxy_gold_gap", message, stop=True)
    gap = latest(rounds, "gap")
    surely = (gap.interval[0] if gap.interval else gap.estimate) if gap else None
    if gap is not None and surely is not None and surely > tolerance:
        message = f"the filter accepts {gap.estimate:+.0%} more samples than are right (surely above {tolerance:.0%})"
        return Alarm("proxy_gold_gap", message, stop=True)
    accepted = latest(rounds, "precision")
    if accepted is not None and accepted.interval is not None and accepted.interval[1] < precision:
        message = f"only {accepted.estimate:.0%} of what the filter accepts is right (surely under {precision:.0%})"
        return Alarm("proxy_gold_gap", message, stop=True)
    gold, proxy = change(rounds, "gold"), change(rounds, "proxy")
    if falls(gold) and not falls(proxy):
        assert gold is not None
        message = f"gold accuracy changed by {gold.estimate:+.0%} since before training, and the proxy does not see it"
        return Alarm("proxy_gold_gap", message, stop=True)
    return None


def beyond(interval: tuple[float, float], limit: float) -> bool:
    """Does the whole interval lie above the limit, or below its negative?"""
    return interval[0] > limit or interval[1] < -limit
