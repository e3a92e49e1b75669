"""Step 4, gap: can this model improve by itself on this task? Asked before compute is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whetstone.app.console import Console, interval, p_value
from whetstone.app.measure import ALPHA
from whetstone.app.plan import Plan
from whetstone.app.result import BaselineRow, Prediction
from whetstone.app.steps.baseline import Baseline, spell
from whetstone.app.workbench import UNFIT, Workbench
from whetstone.core.registry import load
from whetstone.core.types import Finding, Task

STUDIES = ("generation_verification_gap", "majority_voting_helps", "self_correction")
ROOM = "majority over one sample"
SHOWN = ("gap of ", ROOM, "majority over greedy", "change by ", "self_refine against a vote")
BAND = (0.05, 0.9)


@dataclass(frozen=True)
class CanImprove:
    """The prediction, with the levels that it rests on."""

    prediction: Prediction
    band: tuple[str, ...]
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)


def measure(bench: Workbench, task: Task, plan: Plan, base: Baseline) -> CanImprove:
    """Run the studies on dev questions and look for levels whose samples hold more than the greedy answer does."""
    findings: list[Finding] = []
    reasons: dict[str, int] = {}
    for name in STUDIES:
        try:
            findings += load(name, "study")(bench.model, task, bench, questions=plan.judged, seed=bench.seed)
        except UNFIT as error:
            reasons[f"{name}: {error}"] = 1
    band = in_band(base.rows)
    room = next((f for f in findings if f.name == ROOM), None)
    worthwhile, text = predict(band, room, base.levels)
    return CanImprove(Prediction(worthwhile, text, tuple(findings)), band, text, reasons)


def in_band(rows: Sequence[BaselineRow]) -> tuple[str, ...]:
    """Levels where a sample is right sometimes but not always, and the majority finds more than the mean sample."""
    return tuple(
        r.level
        for r in rows[1:]
        if r.sampled.value is not None
        and r.majority.value is not None
        and BAND[0] <= r.sampled.value <= BAND[1]
        and r.majority.value >= r.sampled.value
    )


def predict(band: Sequence[str], room: Finding | None, levels: Sequence[str]) -> tuple[bool | None, str]:
    """Whether training on own answers is worth trying, and where."""
    if levels and not band:
        return False, "No level is partly solved: there is nothing to learn from its own samples. Change the levels."
    if room is None or room.estimate is None:
        return None, "Unknown: whether its samples agree on right answers could not be measured."
    if room.estimate <= 0 or room.p is None or room.p >= ALPHA:
        return False, "Agreement adds nothing for sure to single samples: do not expect it to improve by itself."
    where = f"at levels {spell(band)}" if band else "here"
    return True, f"Worth trying {where}: its samples agree on more right answers than one of them gives."


def show(console: Console, step: CanImprove) -> None:
    """Print the table and the sentence."""
    rows = [
        [
            f.name,
            str(f.n),
            interval(f.estimate, f.interval),
            interval(f.null, None),
            p_value(f.p) + (" *" if f.p is not None and f.p < ALPHA else ""),
            f.verdict,
        ]
        for f in step.prediction.findings
        if f.name.startswith(SHOWN) and "/" not in f.name
    ]
    console.table(["finding", "n", "estimate", "if nothing", "p", "verdict"], rows)
    console.say(step.sentence)
