"""A judge whose verdicts a detector of bias reads, and who decides again while it finds one."""

from __future__ import annotations

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders
from whetstone.signals.parsing import read_correctness

DETECT = f"""{forms.PAIR}\
A judge compared the two and wrote:

{{verdict}}

Was the judge swayed by something other than which solution is right: by length, by the order in which they are shown, \
by what a majority is said to think, or by tone? Compare the solutions yourself, name the kind of bias if there is \
one, and end with one line, "Verdict: Y" if the judge was biased or "Verdict: N" if not."""

WARNED = f"""{forms.PAIR}\
Your earlier verdict on these solutions was reviewed for bias:

{{warning}}

Which solution is better? Decide anew. End with one line, "Verdict: A", "Verdict: B", or "Verdict: E" if they are \
equally good."""


@method(
    "judge",
    papers=("Any Large Language Model Can Be a Reliable Judge: Debiasing with a Reasoning-based Bias Detector",),
    checked="tests/signals/test_warned_judge.py::test_a_detector_that_sees_the_planted_bias_restores_the_truth",
)
def warned_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    rounds: int = 2,
    combine: Combine = "agree",
    max_tokens: int = 0,
) -> Flow[Verdict]:
    """Compare two answers; a detector reads the verdict, and while it finds bias the judge decides again.

    Args:
        rounds: most revisions of a verdict.
        combine: of the two orders.
        max_tokens: length limit of verdicts and of the detector's reasoning; 0 is three times the task's.

    Returns:
        The combined verdict. The detector answers under the role "detector", so that another model can play it; when
        it cannot be read, the verdict stands.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens or 3 * task.sampling.max_tokens, logprobs=5)

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        shown = {"question": example.question, "first": a.text, "second": b.text}
        opening = forms.about(example, forms.compare(example.question, a.text, b.text))
        verdict = yield from ask_once(opening, a, b, sampling)
        for _ in range(rounds):
            if verdict.choice is None:
                break
            review = forms.about(example, user(form("detect_bias", DETECT, **shown, verdict=verdict.raw)))
            (reply,) = yield from sample(review, sampling=sampling, role="detector")
            reading = read_correctness(reply.text)
            if reading is None or reading.value == "N":
                break
            warned = forms.about(example, user(form("compare_warned", WARNED, **shown, warning=reply.text)))
            verdict = yield from ask_once(warned, a, b, sampling)
        return verdict

    return (yield from in_both_orders(first, second, ask, combine))
