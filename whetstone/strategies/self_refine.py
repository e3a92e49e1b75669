"""Criticise, refine, repeat."""

from __future__ import annotations

from whetstone.core.errors import BudgetExceeded
from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Sampling, Signal, Task
from whetstone.signals import forms
from whetstone.signals.review import Review, write_reviews
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw


@method(
    "strategy",
    papers=("Self-Refine: Iterative Refinement with Self-Feedback",),
    checked="tests/strategies/test_self_refine.py::test_mends_planted_defects_and_leaves_right_answers_alone",
)
def self_refine(task: Task, example: Example, *, rounds: int = 3, greedy: bool = True) -> Flow[Outcome]:
    """Answer, criticise the answer, refine it with the critique, until the critic accepts or rounds are used.

    Args:
        rounds: refinements at most.
        greedy: draw the first answer at temperature 0; refinements are always greedy.

    The trail holds every version in order; an unreadable version is not taken. The confidence is the critic's
    probability that the final answer is right. An unreadable critique ends the loop with the answer at hand.
    """
    trail = yield from draw(task, example, 1, source="self_refine", greedy=greedy)
    current, stopped = trail[0], "rounds"
    review: Review | None = None
    try:
        for round_ in range(rounds + 1):
            (review,) = yield from write_reviews(task, example, current.text)
            if review.right is not False:
                stopped = "accepted" if review.right else "unreadable critique"
                break
            if round_ == rounds:
                break
            version = yield from rewrite(task, example, current, review.text, len(trail))
            trail += (version,)
            if task.read(example, version.text) is None:
                stopped = "unreadable refinement"
                break
            current, review = version, None
    except BudgetExceeded:
        stopped = "budget"
    answer = task.read(example, current.text)
    if answer is None:
        return Outcome(None, unknown("self_refine", "the answer is unreadable", "probability", n=1), trail)
    return Outcome(answer, trust("self_refine", review, stopped), trail, current.text)


def rewrite(task: Task, example: Example, current: Candidate, critique: str, number: int) -> Flow[Candidate]:
    """A new version of a solution, written with a critique of it at hand."""
    sampling = Sampling(0.0, max_tokens=task.sampling.max_tokens, stop=task.sampling.stop, logprobs=2)
    prompt = forms.about(example, forms.refine(example.question, current.text, critique))
    (reply,) = yield from sample(prompt, sampling=sampling)
    return Candidate(str(number), reply, "refine")


def trust(method: str, review: Review | None, stopped: str) -> Signal:
    """The critic's probability that a version is right, as a signal."""
    if review is None or review.probability is None:
        return unknown(method, "the final version has no readable critique", "probability", stopped=stopped)
    return known(method, review.probability, "probability", stopped=stopped)
