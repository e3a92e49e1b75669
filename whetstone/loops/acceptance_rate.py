"""Guard: the filter accepts next to nothing, or answers that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round
from whetstone.loops._series import latest


@method("guard", checked="tests/loops/test_guards.py::test_acceptance_rate_fires_on_contradicting_labels")
def acceptance_rate(rounds: Sequence[Round], *, floor: float = 0.02, contradiction: float = 0.25) -> Alarm | None:
    """Stop when almost no question gets a label, or when many labels contradict each other. Needs no gold.

    Of different answers to one question at most one is right, so the accepted samples that are against the most
    accepted answer bound the share of wrong labels from below.

    Args:
        floor: least share of training questions with an accepted sample.
        contradiction: largest share of accepted samples against the most accepted answer of their question.
    """
    rate = latest(rounds, "train/accept_rate")
    if rate is not None and rate.interval is not None and rate.interval[1] < floor:
        return Alarm("acceptance_rate", f"the filter labels {rate.estimate:.1%} of the questions", stop=True)
    for name in ("contradiction", "train/contradiction"):
        share = latest(rounds, name)
        if share is not None and share.interval is not None and share.interval[0] > contradiction:
            message = f"{share.estimate:.0%} of the accepted answers contradict the most accepted one to their question"
            return Alarm("acceptance_rate", message, stop=True)
    return None
