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
    findings.append(headroom(base.rows[0]))
    worthwhile, text = predict(band, findings[-1], base.levels)
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


def headroom(overall: BaselineRow) -> Finding:
    """Majority minus mean sample accuracy: what the samples know beyond one of them, without any label."""
    values = (overall.majority.value, overall.sampled.value)
    gain = None if None in values else (values[0] or 0.0) - (values[1] or 0.0)
    verdict = "unknown" if gain is None else "the samples agree on more than one of them knows" if gain > 0 else "none"
    return Finding("majority above one sample", gain, None, overall.majority.n, 0.0, None, verdict)


def predict(band: Sequence[str], room: Finding, levels: Sequence[str]) -> tuple[bool | None, str]:
    """Whether training on own answers is worth trying, and where."""
    if levels and not band:
        return False, "No level is partly solved: there is nothing to learn from its own samples. Change the levels."
    if room.estimate is None:
        return None, "Unknown: the samples could not be graded."
    if room.estimate <= 0:
        return False, "Agreement adds nothing to single samples: self-improvement is not to be expected."
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
    ]
    console.table(["finding", "n", "estimate", "if nothing", "p", "verdict"], rows)
    console.say(step.sentence)
