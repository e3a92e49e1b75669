"""Two judges who read each other's reviews and argue until they agree."""

from __future__ import annotations

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders, read_verdict

DISCUSS = f"""{forms.ANSWERS}\
Two reviewers discuss which answer is better. You are reviewer {{me}}. The discussion so far:

{{transcript}}

It is your turn. Weigh what the other reviewer said, keep what is right in your own view and give up what is not. The \
order in which the answers are shown means nothing. End with one line, "Verdict: A", "Verdict: B", or "Verdict: E" if \
they are equally good."""


@method(
    "judge",
    papers=("PRD: Peer Rank and Discussion Improve Large Language Model based Evaluations",),
    checked="tests/signals/test_peer_discussion.py::test_the_reviewer_with_the_evidence_convinces_the_other",
)
def peer_discussion(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    turns: int = 4,
    combine: Combine = "agree",
    temperature: float = 0.0,
    max_tokens: int = 512,
    roles: tuple[str, str] = ("judge", "peer"),
) -> Flow[Verdict]:
    """Two reviewers judge alone, then speak in turn until their verdicts agree.

    Args:
        turns: at most this many turns of discussion; 0 takes what both say alone.
        combine: of the two orders, each discussed by itself.
        temperature: of reviews and turns.
        max_tokens: length limit of each.
        roles: which models discuss; the second one speaks first. A role that no model was given is the policy's.

    Returns:
        The combined verdict. In `orders`, each order's verdict has the transcript as its raw text and the
        reviewers' own verdicts, before and after, in its `orders`. Reviewers who do not agree in the end tie.
    """
    sampling = Sampling(temperature, max_tokens=max_tokens)

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        opening = forms.about(example, forms.compare(example.question, a.text, b.text))
        alone = yield from gather(ask_once(opening, a, b, sampling, role) for role in roles)
        views = list(alone)
        said = [f"Reviewer {i + 1}: {view.raw}" for i, view in enumerate(views)]
        for turn in range(turns):
            if settled(views):
                break
            speaker = 1 - turn % 2
            fields = {"me": str(speaker + 1), "transcript": "\n\n".join(said), "first": a.text, "second": b.text}
            prompt = forms.about(example, user(form("compare_discussed", DISCUSS, question=example.question, **fields)))
            (reply,) = yield from sample(prompt, sampling=sampling, role=roles[speaker])
            views[speaker] = read_verdict(reply, a, b)
            said.append(f"Reviewer {speaker + 1}: {reply.text}")
        return concluded(alone, views, "\n\n".join(said))

    return (yield from in_both_orders(first, second, ask, combine))


def settled(views: list[Verdict]) -> bool:
    """Do both reviewers have a readable verdict, and the same one?"""
    return views[0].choice is not None and views[0].choice == views[1].choice


def concluded(alone: list[Verdict], views: list[Verdict], transcript: str) -> Verdict:
    """What a discussion of one order comes to."""
    shown, every = views[0].shown, (*alone, *views)
    if settled(views):
        return Verdict(shown, views[0].choice, raw=transcript, orders=every)
    if any(view.choice is None for view in views):
        return Verdict(shown, None, reason="unreadable reply", raw=transcript, orders=every)
    return Verdict(shown, TIE, reason="the reviewers disagree", raw=transcript, orders=every)
