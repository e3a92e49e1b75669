"""P(IK)."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.p_ik import p_ik


def test_finds_the_questions_that_the_model_knows(toy) -> None:
    """It knows even questions: every candidate of one question gets the same value."""

    def model(request):
        name, fields = toy.asked(request)
        assert (name, set(fields)) == ("p_ik", {"question"})
        p = 0.8 if int(fields["question"]) % 2 == 0 else 0.1
        return Generation("", (Token("x", log(p if request.continuation == "Y" else 1 - p)),))

    flows = {str(i): p_ik(toy.task, toy.question(i), toy.candidates("a", "b")) for i in range(6)}
    values = {key: [s.value for s in signals] for key, signals in toy.every(flows, model).results.items()}
    assert values == {str(i): pytest.approx([0.8 if i % 2 == 0 else 0.1] * 2) for i in range(6)}
