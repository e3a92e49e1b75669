"""P(IK): the model's probability that it knows the answer, before any answer is seen."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task
from whetstone.signals import forms
from whetstone.signals.p_true import yes_against_no
from whetstone.signals.values import known


@method("signal", checked="tests/signals/test_p_ik.py::test_finds_the_questions_that_the_model_knows")
def p_ik(task: Task, example: Example, candidates: Sequence[Candidate], *, role: str = "policy") -> Flow[list[Signal]]:
    """Probability of Y against N when asked whether it can answer the question; the same for every candidate.

    Args:
        role: who is asked.

    Kind "probability", n = 1. A trained model answers in words what Kadavath et al., "Language Models (Mostly) Know
    What They Know", read from a value head; an untrained one is only asked, which the paper found to be weak.
    """
    value = yield from yes_against_no(forms.about(example, forms.p_ik(example.question)), role)
    return [known("p_ik", value, "probability", role=role)] * len(candidates)
