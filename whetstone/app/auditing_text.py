"""What an audit comes to, in words and tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.app.auditing import Audited, JudgeAudit, Measured
from whetstone.app.console import Console, interval, number, p_value
from whetstone.app.recorded_verdicts import dropped_text
from whetstone.app.trust import USES, Check, Trust
from whetstone.core.types import Finding

MOST = 30  # judges that a terminal shows
TESTS = {
    "sign-flip permutation": "sign flips",
    "exact sign flips": "sign flips",
    "permutation of prompts": "permutation",
    "permutation of groups": "permutation",
    "clustered t": "t, clustered",
    "exact binomial": "binomial",
    "paired permutation": "sign flips",
    "ece equal width": "resampling",
}
BRIEF = {
    "kappa": "kappa",
    "auroc": "AUROC",
    "rank_correlation": "rho",
    "order_consistency": "same both ways",
    "first_position": "first place",
    "length_errors": "errs for length",
}
ANSWERS = ("yes", "unknown", "no")
MARKS = {"holds": "✓", "fails": "✗", "open": "?", "not measured": "?"}


def show(console: Console, found: Audited) -> None:
    """Print the table of one judge, or one row a judge, and the verdict."""
    if len(found.judges) == 1:
        show_judge(console, found.judges[0])
    else:
        show_many(console, found)
    if found.dropped:
        console.say(f"Not used: {dropped_text(found.dropped)}.")
    if found.gate:
        word = "passed" if found.gate.passed else "failed"
        console.say(f"Gate {word}: {'every judge' if len(found.judges) > 1 else 'the judge'} fit for {found.gate.use}.")


def show_judge(console: Console, judge: JudgeAudit) -> None:
    """Print every finding on a judge, what it may be trusted for, and what would help."""
    console.table(["finding", "n", "estimate", "if nothing", "test", "p, Holm", "verdict"], rows(judge.measured))
    console.table(["asked of it", "measured", *USES], checks(judge.trust))
    console.say(headline(judge))
    for text in remarks(judge):
        console.say(text)


def rows(measured: Sequence[Measured]) -> list[list[str]]:
    """Cells of the table of findings."""
    return [
        [
            one.words,
            f"{one.finding.n:,}",
            interval(one.finding.estimate, one.finding.interval),
            number(one.finding.null) if one.finding.null is not None else "",
            test_of(one.finding),
            p_value(one.adjusted) if one.finding.p is not None else "",
            one.verdict,
        ]
        for one in measured
    ]


def test_of(found: Finding) -> str:
    """The name of the test behind a p-value, briefly."""
    if found.p is None:
        return ""
    method = str(found.detail.get("method", ""))
    return TESTS.get(method, method)


def headline(judge: JudgeAudit) -> str:
    """May this judge be trusted?"""
    what = "verdict" if judge.kind == "pairs" else "score"
    about = f"{_amount(judge.n, what)} on {_amount(judge.prompts, 'prompt')}, {judge.labelled:,} with a label"
    return f"{judge.judge} ({about}): {judge.trust.sentence}"


def _amount(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"


def remarks(judge: JudgeAudit) -> list[str]:
    """What was not measured, and what would help."""
    found = []
    if judge.missing:
        missing = (f"{name} ({reason})" for name, reason in judge.missing.items())
        found.append(f"Not measured: {', '.join(missing)}.")
    if judge.trust.remedy:
        found.append(f"What would help: {judge.trust.remedy}.")
    return found


def checks(trust: Trust) -> list[list[str]]:
    """One row a rule: what was measured, and what each use asks."""
    by_use = {use.name: {one.rule: one for one in use.checks} for use in trust.uses}
    names = dict.fromkeys(one.rule for use in trust.uses for one in use.checks)
    found = []
    for name in names:
        there = {use: by_use[use][name] for use in by_use if name in by_use[use]}
        worst = min(there.values(), key=lambda one: list(MARKS).index(one.state))
        bounds = None if worst.low is None or worst.high is None else (worst.low, worst.high)
        value = interval(worst.value, None if bounds == (worst.value, worst.value) else bounds)
        cells = [limit_text(there[use]) if use in there else "" for use in USES]
        found.append([worst.words, value if worst.value is not None else "not measured", *cells])
    return found


def limit_text(one: Check) -> str:
    """A limit and whether it is kept: `✓ at least .20`."""
    return f"{MARKS[one.state]} {'at least' if one.least else 'at most'} {number(one.limit)}"


def show_many(console: Console, found: Audited) -> None:
    """Print one row a judge, those that may be trusted first."""
    judges = ordered(found)
    names = [name for name in BRIEF if any(name == m.finding.name for j in judges for m in j.measured)]
    cells = []
    for judge in judges[:MOST]:
        known = {m.finding.name: m.finding for m in judge.measured}
        cells.append(
            [
                judge.judge,
                f"{judge.n:,}",
                *(interval(known[n].estimate, known[n].interval) if n in known else number(None) for n in names),
                *(judge.trust.of(use) for use in USES),
            ]
        )
    console.table(["judge", "n", *(BRIEF[name] for name in names), *USES], cells)
    if len(judges) > MOST:
        console.say(f"{len(judges) - MOST} more judges are in --json and --picture.")
    for use in USES:
        counts = {answer: sum(j.trust.of(use) == answer for j in judges) for answer in ANSWERS}
        said = ", ".join(f"{n} {answer}" for answer, n in counts.items() if n)
        console.say(f"May they be trusted for {use}? {said}.")
    console.say("Reasons and all findings of one: --judge NAME.")


def ordered(found: Audited) -> list[JudgeAudit]:
    """The judges, those that may be trusted first, then by their agreement with the labels."""

    def key(judge: JudgeAudit) -> tuple[float, ...]:
        one = agreement(judge)
        return (*(ANSWERS.index(use.answer) for use in judge.trust.uses), -((one and one.finding.estimate) or 0.0))

    return sorted(found.judges, key=key)


def agreement(judge: JudgeAudit) -> Measured | None:
    """The finding that says how far a judge follows the labels."""
    return measure_of(judge, "kappa") or measure_of(judge, "auroc")


def measure_of(judge: JudgeAudit, name: str) -> Measured | None:
    """The finding of this name."""
    return next((one for one in judge.measured if one.finding.name == name), None)
