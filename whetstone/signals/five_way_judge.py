"""A judge with five outcomes, guided by a checklist, that does not take a longer answer for a slightly better one."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.checklist import items_for
from whetstone.signals.orders import Combine, in_both_orders, lean
from whetstone.signals.parsing import read_degree

COMPARE = f"""{forms.PAIR}\
{{checklist}}First say what is strong and weak in each solution. The order in which they are shown means nothing. End \
with one line, "Verdict: " and one of A++ (A is much better), A+ (A is slightly better), A=B (equally good), B+ (B is \
slightly better), B++ (B is much better)."""

GUIDE = "Let this checklist guide you:\n"


@method(
    "judge",
    papers=("WildBench: Benchmarking LLMs with Challenging Tasks from Real Users in the Wild",),
    checked="tests/signals/test_five_way_judge.py::test_a_length_inflated_model_gains_nothing_with_the_margin",
)
def five_way_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    checklist: bool = True,
    margin: int = 500,
    combine: Combine = "average",
    max_tokens: int = 1024,
) -> Flow[Verdict]:
    """Compare two answers in five degrees; a slight win of a much longer answer is a tie.

    Args:
        checklist: show the judge a checklist, the example's own or one that it writes first.
        margin: characters by which the winner may be longer and still win slightly; below 0 there is no limit.
        combine: of the two orders; "average" takes the mean degree.
        max_tokens: length limit of the checklist and of each verdict.

    Returns:
        The verdict; its strength is 1 for much and 0.5 for slightly better, averaged over both orders. The reward of a
        candidate (`reward`) is the strength with the sign of the choice.
    """
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    sampling = Sampling(0.0, max_tokens=max_tokens)
    guide = ""
    if checklist:
        items = yield from items_for(example, most=10, sampling=sampling)
        guide = GUIDE + "\n".join(f"- {item}" for item in items) + "\n\n"

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        fields = {"question": example.question, "first": a.text, "second": b.text, "checklist": guide}
        prompt = forms.about(example, user(form("compare_degrees", COMPARE, **fields)))
        (reply,) = yield from sample(prompt, sampling=sampling, role="judge")
        degree = read_degree(reply.text)
        if degree is None:
            return Verdict((a.id, b.id), None, reason="unreadable reply", raw=reply.text)
        kept = shortened(degree, a.text, b.text, margin)
        reason = "" if kept == degree else f"slightly better, but more than {margin} characters longer"
        choice = TIE if kept == 0 else a.id if kept > 0 else b.id
        return Verdict((a.id, b.id), choice, reason=reason, raw=reply.text, strength=abs(kept) / 2)

    return (yield from in_both_orders(first, second, ask, combine))


def shortened(degree: int, first: str, second: str, margin: int) -> int:
    """The degree after the length rule: a slight win becomes 0 if the winner is over `margin` characters longer."""
    longer = (len(first) - len(second)) * degree
    return 0 if abs(degree) == 1 and 0 <= margin < longer else degree


def reward(verdicts: Sequence[Verdict], name: str) -> float | None:
    """Mean reward of a candidate over verdicts: +1 much better, +0.5 slightly, 0 tie, then the same below 0.

    Unreadable verdicts are left out; None when there is no other. A mean over rewards against several baselines is the
    paper's mix.
    """
    known = [value for verdict in verdicts if (value := lean(verdict, name)) is not None]
    return sum(known) / len(known) if known else None
