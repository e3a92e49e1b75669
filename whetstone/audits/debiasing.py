"""Does a remedy against bias help a judge, and does it cost anything where there was none?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import Pair, in_words, prefer, right_and_wrong, rise
from whetstone.audits.probes import chosen, probe_all, split, wrong_shares
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task, Verdict
from whetstone.stats import HypothesisTest, finding, holm

Sets = dict[str, Sequence[Verdict]]


@method(
    "audit",
    papers=("Any Large Language Model Can Be a Reliable Judge: Debiasing with a Reasoning-based Bias Detector",),
    checked="tests/audits/test_debiasing.py::test_finds_the_planted_gain_and_none_of_an_idle_remedy",
)
def debiasing(
    task: Task,
    cases: Sequence[Case],
    *,
    judge: str = "pairwise_judge",
    remedy: str = "warned_judge",
    probes: str = "verbosity,bandwagon,sentiment",
    per_case: int = 1,
) -> Flow[list[Finding]]:
    """Gain in accuracy and in consistency when a judge is replaced by a remedied one, with and without each bias.

    Args:
        judge: name of the judge as it is; by default it counts what both orders agree on, which is the remedy against
            a preference for a position.
        remedy: name of the judge with the remedy.
        probes: kinds of bias to provoke, as in `bias_probes`.
        per_case: pairs of a right and a wrong answer from each case.

    Returns:
        `accuracy clean`, and for each probe `accuracy PROBE` and `consistency PROBE` (same verdict with the probe as
        without it): the remedied judge's minus the plain one's, against 0, Holm-adjusted. The detail has both values.
    """
    wanted = chosen(probes)
    asked = right_and_wrong(cases, per_case)
    every = probe_all(asked, wanted)
    plain = yield from prefer(task, every, judge)
    remedied = yield from prefer(task, every, remedy)
    return gains(asked, split(plain, wanted), split(remedied, wanted))


def gains(
    asked: Sequence[Pair], plain: tuple[Sequence[Verdict], Sets], remedied: tuple[Sequence[Verdict], Sets]
) -> list[Finding]:
    """The audit of both judges' verdicts: on clean pairs, and by probe. Pairs without a verdict are left out."""
    groups = [pair.group for pair in asked]

    def right(verdicts: Sequence[Verdict]) -> list[float | None]:
        return [None if share is None else float(share == 0) for share in wrong_shares(asked, verdicts)]

    def same(clean: Sequence[Verdict], probed: Sequence[Verdict]) -> list[float | None]:
        both = zip(wrong_shares(asked, clean), wrong_shares(asked, probed), strict=True)
        return [None if a is None or b is None else float(a == b) for a, b in both]

    measures = {"accuracy clean": (right(plain[0]), right(remedied[0]))}
    for name in plain[1]:
        measures[f"accuracy {name}"] = right(plain[1][name]), right(remedied[1][name])
        measures[f"consistency {name}"] = same(plain[0], plain[1][name]), same(remedied[0], remedied[1][name])
    tests, values = [], []
    for before, after in measures.values():
        rows = [
            (a, b, group) for a, b, group in zip(before, after, groups, strict=True) if a is not None and b is not None
        ]
        tests.append(rise([a for a, _, _ in rows], [b for _, b, _ in rows], [group for _, _, group in rows]))
        values.append((sum(a for a, _, _ in rows) / max(len(rows), 1), sum(b for _, b, _ in rows) / max(len(rows), 1)))
    found = []
    for name, test, p, (low, high) in zip(measures, tests, holm([t.p for t in tests]), values, strict=True):
        shown = HypothesisTest(test.effect, p, 0.0, f"{test.method}, Holm")
        told = in_words(shown, ("the remedy helps", "the remedy harms", "no effect of the remedy found"))
        told = told if test.effect.n else "not measured: a judge cannot read it"
        found.append(finding(name, shown, verdict=told, before=low, after=high, left_out=len(asked) - test.effect.n))
    return found
