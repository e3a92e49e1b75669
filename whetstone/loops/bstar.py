"""Monitor: does self-training still find right answers, and does its reward still pick them?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.core.types import Finding, Round
from whetstone.loops._measure import difference
from whetstone.loops._series import series

MEANING = {
    "exploration": "questions with a right answer among k samples",
    "exploitation": "questions whose best sample by reward is right",
    "balance": "mean balance score of the accepted samples",
    "distinct": "different answers among usable samples",
}


@method(
    "monitor",
    papers=("B-STaR: Monitoring and Balancing Exploration and Exploitation in Self-Taught Reasoners",),
    checked="tests/loops/test_bstar.py::test_monitor_tells_a_decaying_run_from_a_healthy_one",
)
def bstar(rounds: Sequence[Round]) -> list[Finding]:
    """Exploration, exploitation and balance over the rounds of an audited loop.

    Returns:
        One finding for each curve that the rounds carry: the last value against the first, with the whole curve
        [value, low, high] in its detail and in words what became of it.
    """
    out = []
    for name, meaning in MEANING.items():
        curve = series(rounds, name)
        if len(curve) < 2:
            continue
        moved = difference(name, curve[-1], curve[0])
        interval = moved.interval or (0.0, 0.0)
        verdict = "rises" if interval[0] > 0 else "falls" if interval[1] < 0 else "no clear change"
        points = [[f.estimate, *(f.interval or (None, None))] for f in curve]
        detail = {"meaning": meaning, "curve": points}
        out.append(Finding(name, moved.estimate, moved.interval, curve[-1].n, 0.0, None, verdict, detail))
    return out
