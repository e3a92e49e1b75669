"""A judge that listens to a debate: one speaker for each answer."""

from __future__ import annotations

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders

SPEAK = f"""{forms.ANSWERS}\
You speak for answer {{side}} in a debate on which answer is better. Give evidence that can be checked, and answer \
what the other side said. The debate so far:

{{transcript}}

Your speech:"""

DECIDE = f"""{forms.ANSWERS}\
[Debate]
{{transcript}}
[End of debate]

Which answer is better? Trust what can be checked, not the speaker's eloquence. The order in which they are shown \
means nothing. End with one line, "Verdict: A", "Verdict: B", or "Verdict: E" if they are equally good."""

START = "(Nobody has spoken yet.)"


@method("judge", checked="tests/signals/test_debate.py::test_the_side_with_the_evidence_wins")
def debate(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    rounds: int = 2,
    combine: Combine = "agree",
    max_tokens: int = 512,
    roles: tuple[str, str] = ("debater", "debater"),
) -> Flow[Verdict]:
    """Decide after a debate in which one speaker argues for each answer; held anew with the answers swapped.

    Args:
        rounds: speeches of each side; both speak at once and hear each other in the next round.
        combine: of the two orders.
        max_tokens: length limit of a speech and of the verdict.
        roles: which models speak for A and for B. A role that no model was given is the policy's.

    Returns:
        The combined verdict. Source: Irving, Christiano and Amodei, "AI safety via debate" (2018).
    """
    sampling = Sampling(0.0, max_tokens=max_tokens)

    def speech(a: Candidate, b: Candidate, side: int, said: list[str]) -> Flow[str]:
        fields = {"first": a.text, "second": b.text, "side": "AB"[side], "transcript": "\n\n".join(said) or START}
        prompt = forms.about(example, user(form("speak", SPEAK, question=example.question, **fields)))
        (reply,) = yield from sample(prompt, sampling=sampling, role=roles[side])
        return f"For answer {'AB'[side]}: {reply.text.strip()}"

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        said: list[str] = []
        for _ in range(rounds):
            said += yield from gather(speech(a, b, side, said) for side in (0, 1))
        fields = {"first": a.text, "second": b.text, "transcript": "\n\n".join(said) or START}
        prompt = forms.about(example, user(form("compare_debated", DECIDE, question=example.question, **fields)))
        return (yield from ask_once(prompt, a, b, sampling))

    return (yield from in_both_orders(first, second, ask, combine))
