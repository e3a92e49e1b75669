"""Step 3, audit: may the model's judgement be trusted? Its judges and the signals that read answers are probed.

A signal is trusted as a filter when it agrees with the exact check beyond chance, rejects at least half of the wrong
answers and accepts at least half of the right ones. A judge is trusted when it agrees beyond chance, decides at least
half of the pairs, and neither place nor length decides for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from whetstone.app.console import Console, interval, number, p_value
from whetstone.app.grading import questions, sampled
from whetstone.app.material import cases
from whetstone.app.measure import ALPHA
from whetstone.app.plan import Plan
from whetstone.app.result import AuditRow
from whetstone.app.workbench import UNFIT, Workbench
from whetstone.audits.agreement import judge_agreement, signal_agreement
from whetstone.audits.calibration import calibrated
from whetstone.audits.evaluating import Pair, pairs
from whetstone.audits.length import equally_good, length_bias
from whetstone.audits.position import position_bias
from whetstone.core.errors import Abstain
from whetstone.core.registry import load
from whetstone.core.types import Case, Finding, Json, Signal, Task, Verdict

SIGNALS = ("p_true", "critique", "pointwise", "verbalized")
JUDGES: tuple[tuple[str, str, dict[str, Json]], ...] = (
    ("pairwise_judge", "pairwise_judge", {}),
    ("pairwise_judge critiques=True", "pairwise_judge", {"critiques": True}),
)
SHOWN = {
    "auroc": "AUROC",
    "recall": "wrong answers rejected",
    "false_alarm": "right answers rejected",
    "first_position": "prefers the first shown",
    "accuracy": "agrees with the check",
    "ties": "pairs without a winner",
    "longer_answer": "prefers the longer",
}
SAMPLES = 4
HALF = 0.5
TOLERATED = 0.1


@dataclass(frozen=True)
class Audit:
    """One row an evaluator that answered at all."""

    rows: tuple[AuditRow, ...]
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)

    def trusts(self, name: str) -> bool:
        """Whether an evaluator passed; a signal that reads no answers is not audited, and not distrusted."""
        return all(row.passed for row in self.rows if row.subject == name)


def measure(bench: Workbench, task: Task, plan: Plan) -> Audit:
    """Probe every evaluator on fresh samples of dev questions, labelled by the exact check."""
    examples = questions(task, "dev", plan.judged)
    material = cases(sampled(bench, "audit samples", task, examples, k=SAMPLES, logprobs=True))
    rows: list[AuditRow] = []
    reasons: dict[str, int] = {}

    def probe(subject: str, work: Callable[[], tuple[list[Finding], list[str]]]) -> None:
        try:
            findings, faults = work()
        except UNFIT as error:
            reasons[f"{subject}: {error}"] = len(material)
            return
        sentence = f"{subject} may not be trusted: {', '.join(faults)}." if faults else f"{subject} may be trusted."
        rows.append(AuditRow(subject, not faults, sentence, tuple(findings)))

    for name in SIGNALS:
        probe(name, lambda name=name: of_signal(bench, task, material, name))  # type: ignore[misc]
    for subject, judge, options in JUDGES:
        probe(subject, lambda s=subject, j=judge, o=options: of_judge(bench, task, material, s, j, o))  # type: ignore[misc]
    return Audit(tuple(rows), sentence(rows), reasons)


def of_signal(bench: Workbench, task: Task, material: Sequence[Case], name: str) -> tuple[list[Finding], list[str]]:
    """Findings on a signal, and what speaks against trusting it."""
    function = load(name, "signal")
    driven = bench(f"audit {name}", {c.example.id: function(task, c.example, c.candidates) for c in material})
    heard = [c for c in material if c.example.id in driven.results]
    values: list[list[Signal]] = [driven.results[c.example.id] for c in heard]
    found = [*calibrated(heard, values), *signal_agreement(heard, values)]
    return found, list(signal_faults({f.name: f for f in found}))


def signal_faults(found: Mapping[str, Finding]) -> Iterator[str]:
    """Why a signal may not filter answers."""
    recall, alarm, kappa = (found[name] for name in ("recall", "false_alarm", "kappa"))
    if kappa.interval is None or kappa.interval[0] <= 0:
        yield "it agrees with the exact check no more than chance would"
    if recall.estimate is not None and recall.estimate < HALF:
        yield f"it accepts {1 - recall.estimate:.0%} of the wrong answers"
    if alarm.estimate is not None and alarm.estimate > HALF:
        yield f"it rejects {alarm.estimate:.0%} of the right answers"


def of_judge(
    bench: Workbench, task: Task, material: Sequence[Case], subject: str, judge: str, options: Mapping[str, Json]
) -> tuple[list[Finding], list[str]]:
    """Findings on a judge of pairs, and what speaks against trusting it."""
    mixed = pairs(material, 1, lambda pair: set(pair.correct) == {True, False})
    alike = pairs(material, 1, equally_good)
    function = load(judge, "judge")
    asked = {f"{kind}/{pair.group}": pair for kind, group in (("mixed", mixed), ("alike", alike)) for pair in group}
    flows = {key: function(task, pair.example, pair.first, pair.second, **options) for key, pair in asked.items()}
    driven = bench(f"audit {subject}", flows)

    def heard(kind: str) -> tuple[list[Pair], list[Verdict]]:
        keys = [key for key in asked if key.startswith(kind) and key in driven.results]
        return [asked[key] for key in keys], [driven.results[key] for key in keys]

    if all(verdict.choice is None for verdict in driven.results.values()):
        raise Abstain(next((v.reason for v in driven.results.values()), "no pair of answers differs"))
    both = [driven.results[key] for key in asked if key in driven.results]
    found = position_bias(both, [asked[key].group for key in asked if key in driven.results])
    found += judge_agreement(*heard("mixed"))
    if alike:
        found.append(length_bias(*heard("alike")))
    return found, list(judge_faults({f.name: f for f in found}))


def judge_faults(found: Mapping[str, Finding]) -> Iterator[str]:
    """Why a judge may not choose between answers."""
    place, ties, kappa, longer = (found.get(name) for name in ("first_position", "ties", "kappa", "longer_answer"))
    if place and place.estimate is not None and biased(place):
        yield f"it prefers the answer shown {'first' if place.estimate > HALF else 'second'}"
    if ties and ties.estimate is not None and ties.estimate > HALF:
        yield f"its two orders agree on a winner in only {1 - ties.estimate:.0%} of the pairs"
    if kappa is None or kappa.interval is None or kappa.interval[0] <= 0:
        yield "it agrees with the exact check no more than chance would"
    if longer and longer.estimate is not None and biased(longer):
        yield f"it prefers the {'longer' if longer.estimate > HALF else 'shorter'} answer"


def biased(finding: Finding) -> bool:
    """A preference that is significant and too large to be tolerated."""
    share = finding.estimate
    return share is not None and finding.p is not None and finding.p < ALPHA and abs(share - HALF) > TOLERATED


def sentence(rows: Sequence[AuditRow]) -> str:
    """Whom to trust and whom not."""
    if not rows:
        return "Nothing to audit: the model judges no answers."
    trusted = [row.subject for row in rows if row.passed]
    lead = f"May be trusted: {', '.join(trusted)}." if trusted else "None of its judgements may be trusted."
    return " ".join([lead, *(row.sentence for row in rows if not row.passed)])


def show(console: Console, step: Audit) -> None:
    """Print the table and the sentence."""
    rows = []
    for row in step.rows:
        shown = [f for f in row.findings if f.name in SHOWN and f.n]
        for i, f in enumerate(shown):
            cells = [SHOWN[f.name], str(f.n), interval(f.estimate, f.interval), number(f.null), p_value(f.p)]
            rows.append(
                [row.subject if i == 0 else "", *cells, "" if i else "trusted" if row.passed else "not trusted"]
            )
    console.table(["evaluator", "", "n", "estimate", "if nothing", "p", ""], rows)
    console.say(step.sentence)
