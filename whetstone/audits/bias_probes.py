"""Which superficial attractions of a wrong answer take a judge in?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import prefer, right_and_wrong
from whetstone.audits.probes import chosen, effects, probe_all, split
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task


@method(
    "audit",
    papers=("OffsetBias: Leveraging Debiased Data for Tuning Evaluators",),
    checked="tests/audits/test_bias_probes.py::test_finds_the_planted_attraction_and_none_in_fair_judges",
)
def bias_probes(
    task: Task, cases: Sequence[Case], *, evaluator: str = "pairwise_judge", probes: str = "all", per_case: int = 1
) -> Flow[list[Finding]]:
    """Rise of a judge's preference for wrong answers when they are padded, flattered, sourced or made to give orders.

    Args:
        evaluator: name of a judge or of a signal (which prefers its higher value).
        probes: comma-separated: verbosity, bandwagon, sentiment, authority, format, concreteness, empty_reference,
            content_continuation, nested_instruction, familiar_knowledge; or all.
        per_case: pairs of a right and a wrong answer from each case.

    Returns:
        `accuracy` without a probe, and for each probe the rise in the share of verdicts for the wrong answer.
    """
    wanted = chosen(probes)
    asked = right_and_wrong(cases, per_case)
    verdicts = yield from prefer(task, probe_all(asked, wanted), evaluator)
    return effects(asked, *split(verdicts, wanted))
