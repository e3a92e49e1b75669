"""What a user would say next."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, score
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.values import each_text, known, or_unknown

DIALOG = """User: {question}
Assistant: {answer}
User:"""

LIKED = "That makes sense. Thank you!|Great answer, that is just what I needed."
DISLIKED = "That makes no sense.|That is wrong, and not what I asked."


@method(
    "signal",
    papers=("Unsupervised Evaluation of Interactive Dialog with DialoGPT",),
    checked="tests/signals/test_follow_up.py::test_is_the_hand_computed_difference_and_finds_the_liked_answer",
)
def follow_up(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    liked: str = LIKED,
    disliked: str = DISLIKED,
    role: str = "judge",
) -> Flow[list[Signal]]:
    """Log-likelihood of what a content user would say next minus that of an unhappy user (nats).

    Args:
        liked: utterances of a content user, separated by `|`. Others measure other qualities ("Tell me more!").
        disliked: utterances of an unhappy user; one of the two may be empty.
        role: whose log-probabilities are read.

    Kind "score", n = utterances; sums over both lists.
    """
    good, bad = ([f" {u.strip()}" for u in text.split("|") if u.strip()] for text in (liked, disliked))
    if not good and not bad:
        raise Abstain("there are no follow-ups to score")

    def ask(text: str) -> Flow[Signal]:
        prompt = user(form("follow_up", DIALOG, question=example.question, answer=text))
        replies = yield from score(forms.about(example, prompt), *good, *bad, role=role)
        sums = [sum(token.logprob for token in reply.tokens) for reply in replies if reply.tokens]
        if len(sums) < len(replies):
            raise Abstain("this backend gives no log-probabilities of a given text")
        return known("follow_up", sum(sums[: len(good)]) - sum(sums[len(good) :]), n=len(sums))

    return (yield from each_text(candidates, lambda text: or_unknown("follow_up", ask(text))))
