"""Keep the answer if sure of it, else change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from whetstone.core.errors import BudgetExceeded
from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Message, Outcome, Prompt, Task
from whetstone.signals.review import Review, write_reviews
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw
from whetstone.strategies.self_refine import rewrite, trust

REVIEW = (
    "Review your previous answer. If you are very confident about it, keep it. Otherwise, update it. Give the full "
    "solution in the same form as before."
)
DECIDE = (
    "Your two answers differ. Check the question again and give your final answer as a full solution in the same form."
)


@method(
    "strategy",
    presets={
        "if_or_else_prompt": (
            "Confidence Matters: Revisiting Intrinsic Self-Correction Capabilities of Large Language Models",
            {"ask": "chat"},
        ),
    },
    checked="tests/strategies/test_if_or_else.py::test_the_paper_s_conversation",
)
def if_or_else(task: Task, example: Example, *, ask: Literal["critique", "chat"] = "critique") -> Flow[Outcome]:
    """Answer; if unsure of the answer, revise it; if the revision differs, decide between the two.

    Args:
        ask: how. "critique": a written critique says whether the answer is right, a wrong one is refined with it, and
            of two that differ the one with the better critique is kept. "chat": two prompts in one conversation, "if
            confident keep it, otherwise update it" and, if the answers differ, "check again and decide".

    The trail holds every version in order.
    """
    trail = yield from draw(task, example, 1, source="if_or_else", greedy=True)
    if task.read(example, trail[0].text) is None:
        return Outcome(None, unknown("if_or_else", "the answer is unreadable", "probability", n=1), trail)
    return (yield from (by_critique if ask == "critique" else by_chat)(task, example, trail))


def by_critique(task: Task, example: Example, trail: tuple[Candidate, ...]) -> Flow[Outcome]:
    """Revise only what a critique calls wrong, and keep the revision only if its own critique is no worse."""
    chosen, stopped = trail[0], "kept"
    review: Review | None = None
    try:
        (review,) = yield from write_reviews(task, example, chosen.text)
        if review.right is False:
            version = yield from rewrite(task, example, chosen, review.text, 1)
            trail += (version,)
            answer = task.read(example, version.text)
            if answer is not None and answer != task.read(example, chosen.text):
                (again,) = yield from write_reviews(task, example, version.text)
                if (again.probability or 0.0) >= (review.probability or 0.0):
                    chosen, review, stopped = version, again, "changed"
    except BudgetExceeded:
        stopped = "budget"
    return Outcome(task.read(example, chosen.text), trust("if_or_else", review, stopped), trail, chosen.text)


def by_chat(task: Task, example: Example, trail: tuple[Candidate, ...]) -> Flow[Outcome]:
    """The two prompts of the paper; the confidence is 1 if the answer was kept at the first review, else 0."""
    sampling = replace(task.sampling, temperature=0.0, logprobs=2)
    prompt: Prompt = example.prompt
    stopped = "kept"
    try:
        for instruction in (REVIEW, DECIDE):
            turn = (Message("assistant", (trail[-1].text,)), Message("user", (instruction,)))
            prompt += turn
            (reply,) = yield from sample(prompt, sampling=sampling)
            trail += (Candidate(str(len(trail)), reply, "if_or_else"),)
            if task.read(example, reply.text) == task.read(example, trail[0].text):
                break
            stopped = "changed"
    except BudgetExceeded:
        stopped = "budget"
    chosen = next(c for c in reversed(trail) if task.read(example, c.text) is not None)
    sure = known("if_or_else", float(stopped == "kept"), "binary", stopped=stopped)
    confidence = unknown("if_or_else", "no tokens left to ask", "binary") if stopped == "budget" else sure
    return Outcome(task.read(example, chosen.text), confidence, trail, chosen.text)
