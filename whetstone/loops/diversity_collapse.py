"""Guard: sharpening is eating up what the model could find."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round
from whetstone.loops._series import change, latest, series


@method("guard", checked="tests/loops/test_guards.py::test_diversity_collapse_tells_sharpening_from_loss_of_coverage")
def diversity_collapse(rounds: Sequence[Round], *, drop: float = 0.5) -> Alarm | None:
    """Stop when pass@k falls; warn when different answers become rare and pass@k is not known.

    Fewer different answers alone are no harm: a model that grows surer of what is right also gives fewer. What counts
    is coverage, the share of questions with a right answer among k.

    Args:
        drop: warn when different answers fall below this share of what they were before training.
    """
    coverage = change(rounds, "exploration")
    if coverage is not None:
        if coverage.interval is not None and coverage.interval[1] < 0:
            message = f"pass@k changed by {coverage.estimate:+.0%} since before training"
            return Alarm("diversity_collapse", message, stop=True)
        return None
    distinct, now = series(rounds, "distinct"), latest(rounds, "distinct")
    if now is None or now.interval is None or len(distinct) < 2:
        return None
    first = distinct[0].estimate
    if first and now.interval[1] < drop * first:
        message = f"different answers fell from {first:.0%} to {now.estimate:.0%} of samples; audit to see pass@k"
        return Alarm("diversity_collapse", message)
    return None
