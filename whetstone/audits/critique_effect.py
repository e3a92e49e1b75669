"""Is a critique worth what it leads to?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.audits.evaluating import cluster, labels
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Case, Example, Finding, Sampling, Task
from whetstone.signals import forms
from whetstone.signals.review import write_reviews
from whetstone.stats import finding, paired_permutation, proportion


@dataclass(frozen=True, slots=True)
class Correction:
    """A solution before and after its critique was followed; `after` is None when it could not be judged."""

    before: bool
    after: bool | None
    group: str


@method(
    "audit",
    papers=("RealCritic: Towards Effectiveness-Driven Evaluation of Language Model Critiques",),
    checked="tests/audits/test_critique_effect.py::test_finds_the_planted_rates_and_no_effect_of_an_idle_critic",
)
def critique_effect(task: Task, cases: Sequence[Case], *, rounds: int = 1) -> Flow[list[Finding]]:
    """Correctness of the solutions that critiques lead to, against that of the solutions criticised.

    Args:
        rounds: critiques that each build on the last correction; later ones doubt the earlier.

    Solutions of the critic's own are its self-critique, solutions of other sources its cross-critique. A solution that
    the critique calls right stays as it is. The verifier labels the corrections.
    """
    work = [
        (case.example, candidate, right)
        for case in cases
        for candidate, right in zip(case.candidates, labels(case), strict=True)
        if right is not None
    ]
    if not work:
        raise Abstain("no candidate is labelled")
    texts = yield from gather(correct(task, example, candidate, rounds) for example, candidate, _ in work)
    results = [
        Correction(right, judged(task, example, candidate, text, right), cluster(example))
        for (example, candidate, right), text in zip(work, texts, strict=True)
    ]
    return effect(results)


def correct(task: Task, example: Example, candidate: Candidate, rounds: int) -> Flow[str | None]:
    """The solution after `rounds` critiques were followed; None when a critique was unreadable or not to be had."""
    text = candidate.text
    sampling = Sampling(0.0, max_tokens=task.sampling.max_tokens, stop=task.sampling.stop)
    try:
        for _ in range(rounds):
            (review,) = yield from write_reviews(task, example, text)
            if review.right is None:
                return None
            if not review.right:
                prompt = forms.about(example, forms.refine(example.question, text, review.text))
                (reply,) = yield from sample(prompt, sampling=sampling)
                text = reply.text
    except Abstain:
        return None
    return text


def judged(task: Task, example: Example, candidate: Candidate, text: str | None, before: bool) -> bool | None:
    """Whether the correction is right, by the verifier; an unchanged text keeps its label."""
    if text is None:
        return None
    if text == candidate.text:
        return before
    value = task.verify(example, text).value
    return None if value is None else value >= 0.5


def effect(results: Sequence[Correction]) -> list[Finding]:
    """`gain` in accuracy against 0, accuracy `after`, `wrong_to_right` and `right_to_wrong` among wrong and right."""
    known = [r for r in results if r.after is not None]
    if not known:
        raise Abstain("no critique could be read")
    left_out = len(results) - len(known)
    before, after = [float(r.before) for r in known], [float(bool(r.after)) for r in known]
    groups = [r.group for r in known]
    test = paired_permutation(after, before, groups=groups)
    gain, sure = test.effect.value or 0.0, test.p is not None and test.p < 0.05
    verdict = ("critiques help" if gain > 0 else "critiques harm") if sure else "no effect of critiques found"
    wrong, right = [r for r in known if not r.before], [r for r in known if r.before]
    return [
        finding("gain", test, verdict=verdict, left_out=left_out),
        finding("after", proportion(after, groups=groups), left_out=left_out),
        finding("wrong_to_right", proportion([float(bool(r.after)) for r in wrong], groups=[r.group for r in wrong])),
        finding("right_to_wrong", proportion([float(not r.after) for r in right], groups=[r.group for r in right])),
    ]
