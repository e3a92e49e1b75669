"""Rewrite an answer until it fulfils a checklist."""

from __future__ import annotations

from whetstone.core.errors import Abstain, BudgetExceeded
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Sampling, Task
from whetstone.signals.checklist import check, items_for
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw
from whetstone.strategies.self_refine import rewrite


@method(
    "strategy",
    papers=("TICKing All the Boxes: Generated Checklists Improve LLM Evaluation and Generation",),
    checked="tests/strategies/test_checklist_refine.py::test_mends_what_the_checklist_finds_and_keeps_the_best_version",
)
def checklist_refine(
    task: Task, example: Example, *, rounds: int = 4, most: int = 8, greedy: bool = True, max_tokens: int = 512
) -> Flow[Outcome]:
    """Answer, check the answer by a checklist, rewrite it with the failed items at hand, and keep the best version.

    Args:
        rounds: rewritings at most; none follows a version that passes every item.
        most: items of the checklist at most; it is the example's own, or written by the judge.
        greedy: draw the first answer at temperature 0; rewritings are always greedy.
        max_tokens: length limit of the checklist and of each check.

    The trail holds every version in order. The answer is that of the version with the highest share of passed items,
    the earliest of equal ones; the share is the confidence, of kind "score". Unreadable checks count as not passed.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens)
    items = yield from items_for(example, most=most, sampling=sampling)
    trail = yield from draw(task, example, 1, source="checklist_refine", greedy=greedy)
    shares: list[float] = []
    readable, stopped = False, "rounds"
    try:
        while True:
            checks = yield from gather(check(example, trail[-1].text, item, sampling) for item in items)
            readable |= any(passed is not None for passed in checks)
            shares.append(sum(passed is True for passed in checks) / len(items))
            if shares[-1] == 1:
                stopped = "passed"
                break
            if len(trail) > rounds:
                break
            failed = [item for item, passed in zip(items, checks, strict=True) if not passed]
            trail += ((yield from rewrite(task, example, trail[-1], listed(failed), len(trail))),)
    except BudgetExceeded:
        stopped = "budget"
    if not readable:
        raise Abstain("no check of the first version was readable" if shares else "no budget to check the answer")
    best = max(range(len(shares)), key=lambda i: (shares[i], -i))
    return concluded(task, example, trail, best, shares, stopped)


def listed(failed: list[str]) -> str:
    """The failed items as a review."""
    return "The solution does not pass these checks:\n" + "\n".join(f"- {item}" for item in failed)


def concluded(
    task: Task, example: Example, trail: tuple[Candidate, ...], best: int, shares: list[float], stopped: str
) -> Outcome:
    """The outcome of a version."""
    answer = task.read(example, trail[best].text)
    if answer is None:
        return Outcome(None, unknown("checklist_refine", "the answer is unreadable", n=1), trail)
    confidence = known("checklist_refine", shares[best], shares=shares, chosen=best, stopped=stopped)
    return Outcome(answer, confidence, trail, trail[best].text)
