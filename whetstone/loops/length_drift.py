"""Guard: answers grow or shrink."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.core.types import Alarm, Round
from whetstone.loops._series import change, falls, latest, series


@method("guard", checked="tests/loops/test_guards.py::test_length_drift_fires_on_shrinking_and_growing_answers")
def length_drift(rounds: Sequence[Round], *, shrink: float = 0.75, grow: float = 1.5) -> Alarm | None:
    """Warn when answers to the same questions become much shorter or longer; stop if gold falls with it.

    Args:
        shrink, grow: mean length over that before training, beyond which it is drift. The alarm needs the change to be
            outside its interval too.
    """
    lengths, now, moved = series(rounds, "length"), latest(rounds, "length"), change(rounds, "length")
    if now is None or now.estimate is None or moved is None or not lengths[0].estimate:
        return None
    ratio = now.estimate / lengths[0].estimate
    sure = moved.interval is None or moved.interval[0] > 0 or moved.interval[1] < 0
    if shrink <= ratio <= grow or not sure:
        return None
    message = (
        f"mean answer length went from {lengths[0].estimate:.1f} to {now.estimate:.1f} tokens on the same questions"
    )
    return Alarm("length_drift", message, stop=falls(change(rounds, "gold")))
