"""Early-stopping self-consistency."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.strategies.early_stopping_consistency import (
    early_stopping_consistency,
    expected_samples,
    wrong_stop_risk,
)


def solver(toy, p: float):
    def model(request):
        number = toy.asked(request)[1]["question"]
        return toy.said(f"the answer is {number if toy.luck(request).random() < p else 999}")

    return model


def test_cost_is_the_expected_one(toy) -> None:
    """Planted answer probabilities give the paper's expected number of samples."""
    for p in (0.9, 0.6):
        flows = {str(i): early_stopping_consistency(toy.task, toy.question(i), window=4, most=16) for i in range(400)}
        drawn = [len(outcome.trail) for outcome in toy.every(flows, solver(toy, p)).results.values()]
        assert sum(drawn) / 400 == pytest.approx(expected_samples([p, 1 - p], 4, 16), rel=0.07)


@pytest.mark.parametrize("frequencies", [[1.0], [0.7, 0.3], [0.25] * 4])
def test_the_closed_form_is_the_paper_s_sum(frequencies) -> None:
    w, most = 5, 40
    q, m = sum(p**w for p in frequencies), most // w
    slow = w * (sum(q * (1 - q) ** i * (i + 1) for i in range(m - 1)) + (1 - q) ** (m - 1) * m)
    assert expected_samples(frequencies, w, most) == pytest.approx(slow)


def test_the_risk_grows_with_the_rival() -> None:
    risks = [wrong_stop_risk([1 - p, p], 5) for p in (0.05, 0.2, 0.4)]
    assert risks == sorted(risks)
    assert wrong_stop_risk([1.0], 5) == 0


def test_a_unanimous_window_s_own_answer_is_final(toy) -> None:
    """Windows are disjoint: 1 1 2 | 2 2 2 stops at 2 although 1, 1 were seen before."""
    flow = early_stopping_consistency(toy.task, toy.question(1), window=3, most=9)
    assert len(next(flow)) == 3
    assert len(flow.send([toy.said(f"the answer is {i}") for i in (1, 1, 2)])) == 3
    with pytest.raises(StopIteration) as stop:
        flow.send([toy.said("the answer is 2")] * 3)
    outcome = stop.value.value
    assert (outcome.answer, outcome.confidence.value) == ("2", pytest.approx(4 / 6))
    assert outcome.confidence.provenance["stopped"] == "unanimous"


def test_without_agreement_all_vote_and_unreadable_is_not_agreement(toy) -> None:
    texts = iter(["hm", "hm", "the answer is 1", "the answer is 2", "the answer is 1", "hm"])
    outcome = toy.run(
        early_stopping_consistency(toy.task, toy.question(1), window=2, most=6), lambda request: toy.said(next(texts))
    )
    assert (outcome.answer, len(outcome.trail)) == ("1", 6)
    assert outcome.confidence.provenance["stopped"] == "most"


def test_windows_must_fit(toy) -> None:
    with pytest.raises(ConfigError, match="most=7 must be a multiple of window=5"):
        next(early_stopping_consistency(toy.task, toy.question(1), most=7))
