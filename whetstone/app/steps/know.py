"""Step 2, know: which self-signals separate right from wrong answers here, and what their numbers are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from whetstone.app.console import Console, count, interval, p_value
from whetstone.app.grading import Sampled, questions, sampled
from whetstone.app.measure import ALPHA
from whetstone.app.plan import Plan
from whetstone.app.result import Bin, Measure, RiskPoint, SignalRow
from whetstone.app.workbench import UNFIT, Workbench
from whetstone.core.flow import Driven
from whetstone.core.registry import load, methods
from whetstone.core.types import Signal, Task
from whetstone.stats.calibration import brier, ece, reliability
from whetstone.stats.discrimination import auroc_test
from whetstone.stats.multiple import holm
from whetstone.stats.recalibration import fit_isotonic
from whetstone.stats.selective import accuracy_at_coverage, risk_coverage

Reasons = Counter[str]
LEAST = 20
COSTLY = ("win_share",)  # compares a question's answers with each other: asked by name only
COVERAGES = 20


@dataclass(frozen=True)
class Know:
    """One row a signal, the best first."""

    rows: tuple[SignalRow, ...]
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the signals that beat chance, best first."""
        return tuple(row.name for row in self.rows if row.kept)

    def kept_signal(self, name: str) -> bool:
        """Whether this signal beats chance here."""
        return name in self.kept


@dataclass(frozen=True)
class Scored:
    """A signal's values of graded answers: [n] scores, right (1) or wrong (0), question of each."""

    name: str
    scores: tuple[float, ...]
    correct: tuple[bool, ...]
    question: tuple[str, ...]
    abstained: int
    tokens: float


def measure(bench: Workbench, task: Task, plan: Plan, names: Sequence[str] | None = None) -> Know:
    """Sample answers to dev questions and ask every signal about every answer.

    Args:
        names: signals to measure; None for all that are registered, but for the `COSTLY` ones.
    """
    examples = questions(task, "dev", plan.dev)
    answered = sampled(bench, "know samples", task, examples, k=plan.k, logprobs=True)
    reasons = Reasons()
    scored = []
    for name in names if names is not None else [m.name for m in methods("signal") if m.name not in COSTLY]:
        function = load(name, "signal")
        flows = {s.example.id: function(task, s.example, s.candidates) for s in answered}
        try:
            driven = bench(f"know {name}", flows)
        except UNFIT as error:
            reasons[f"{name}: {error}"] += len(answered) * plan.k
            continue
        scored.append(collect(name, answered, driven, reasons))
    rows = judge(scored)
    return Know(rows, sentence(rows), dict(reasons))


def collect(name: str, answered: Sequence[Sampled], driven: Driven[list[Signal]], reasons: Reasons) -> Scored:
    """Pair each answer's signal with whether the answer is right; abstentions are counted by reason."""
    triples: list[tuple[float, bool, str]] = []
    abstained = asked = 0
    for s in answered:
        for signal, right in zip(driven.results.get(s.example.id, ()), s.correct, strict=False):
            asked += 1
            if signal.value is None:
                abstained += 1
                reasons[f"{name}: {signal.abstained}"] += 1
            elif right is not None:
                triples.append((signal.value, right, s.example.group or s.example.id))
    spent = sum(driven.spent.values()) / max(1, asked)
    scores, correct, question = zip(*triples, strict=True) if triples else ((), (), ())
    return Scored(name, scores, correct, question, abstained, spent)


def judge(scored: Sequence[Scored]) -> tuple[SignalRow, ...]:
    """Test every signal against chance with Holm's correction; calibrate and chart those that hold up."""
    tests = [auroc_test(s.scores, s.correct, groups=s.question) if len(s.scores) >= LEAST else None for s in scored]
    adjusted = holm([test.p if test else None for test in tests])
    rows = []
    for s, test, p in zip(scored, tests, adjusted, strict=True):
        area = Measure.of(test.effect) if test else None
        kept = bool(p is not None and p < ALPHA and area and area.value is not None and area.value > 0.5)
        row = SignalRow(
            s.name, kept, why(s, area, kept), auroc=area, p=p, tokens=s.tokens, n=len(s.scores), abstained=s.abstained
        )
        rows.append(calibrated(row, s) if kept else row)
    return tuple(sorted(rows, key=lambda r: (not r.kept, -(r.auroc.value or 0) if r.auroc else 0)))


def why(s: Scored, area: Measure | None, kept: bool) -> str:
    """Why a signal is kept or dropped."""
    if kept:
        return "separates right from wrong"
    if not s.scores:
        return "abstained everywhere"
    if area is None or area.value is None:
        return f"only {len(s.scores)} answers" if area is None else "all answers are right, or all wrong"
    if area.value < 0.5 and area.interval and area.interval[1] < 0.5:
        return "points the wrong way"
    return "no better than chance"


def calibrated(row: SignalRow, s: Scored) -> SignalRow:
    """Fit an isotonic map on every other question; ECE, Brier, reliability and risk-coverage come from the rest."""
    order = {question: i for i, question in enumerate(dict.fromkeys(s.question))}
    fit = np.array([order[q] % 2 == 0 for q in s.question])
    scores, correct = np.array(s.scores), np.array(s.correct, float)
    groups = [q for q, used in zip(s.question, fit, strict=True) if not used]
    if not 0 < fit.sum() < fit.size:
        return row
    confidence = fit_isotonic(scores[fit], correct[fit])(scores[~fit])
    right = correct[~fit]
    bins = tuple(
        Bin(b.low, b.high, b.confidence, Measure.of(b.accuracy)) for b in reliability(confidence, right, groups=groups)
    )
    return replace(
        row,
        ece=Measure.of(ece(confidence, right, groups=groups)),
        brier=Measure.of(brier(confidence, right, groups=groups, rounds=2000)),
        reliability=bins,
        coverage=risk_points(scores[~fit], right, groups),
    )


def risk_points(scores: Sequence[float], correct: Sequence[float], groups: Sequence[str]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve at even coverages, with the interval of the risk at each."""
    curve = risk_coverage(scores, correct)
    points = []
    for step in range(1, COVERAGES + 1):
        coverage = step / COVERAGES
        right = accuracy_at_coverage(scores, correct, coverage, groups=groups)
        place = next(i for i, reached in enumerate(curve.coverage) if reached >= coverage - 1e-9)
        points.append(RiskPoint(curve.coverage[place], inverse(Measure.of(right)), curve.thresholds[place]))
    return tuple({point.coverage: point for point in points}.values())


def inverse(accuracy: Measure) -> Measure:
    """Risk from accuracy."""
    limits = accuracy.interval and (1 - accuracy.interval[1], 1 - accuracy.interval[0])
    return Measure(None if accuracy.value is None else 1 - accuracy.value, limits, accuracy.n)


def sentence(rows: Sequence[SignalRow]) -> str:
    """Which signal to use and which to leave."""
    kept, dropped = [r for r in rows if r.kept], [r for r in rows if not r.kept]
    if all(r.auroc is None or r.auroc.value is None for r in rows):
        return "Signals cannot be told apart here: the sampled answers are all right or all wrong. Try other levels."
    if not kept:
        return "No signal beats chance here: do not select answers or training data by any of them."
    best = kept[0]
    assert best.auroc is not None
    text = f"{best.name} separates right from wrong best (AUROC {interval(best.auroc.value, best.auroc.interval)})"
    by_reason: dict[str, list[str]] = {}
    for r in dropped:
        by_reason.setdefault(r.reason, []).append(r.name)
    lost = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    return f"{text}. Dropped: {lost}." if lost else f"{text}. All signals beat chance."


def show(console: Console, step: Know) -> None:
    """Print the table and the sentence."""

    def cells(r: SignalRow) -> list[str]:
        measures = [interval(m.value, m.interval) if m else "–" for m in (r.auroc, r.ece, r.brier)]
        use = "kept" if r.kept else "dropped"
        return [r.name, str(r.n), str(r.abstained), *measures, p_value(r.p), count(r.tokens), use]

    columns = ["signal", "n", "abstained", "AUROC", "ECE", "Brier", "p (Holm)", "tokens", ""]
    console.table(columns, [cells(r) for r in step.rows if r.n])
    console.say(step.sentence)
