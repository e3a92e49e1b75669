"""The gap of verifiers whose hit and false-alarm rates are planted."""

from __future__ import annotations

import random

import pytest

from whetstone.core.types import Candidate, Example, Generation, user
from whetstone.studies._graded import Graded
from whetstone.studies._verifiers import Marks, weights
from whetstone.studies.generation_verification_gap import filtered, gap, generation_verification_gap


def rows(n: int, k: int, accuracy: float, seed: int = 0) -> list[Graded]:
    dice, out = random.Random(seed), []
    for i in range(n):
        correct = tuple(dice.random() < accuracy for _ in range(k))
        candidates = tuple(Candidate(str(j), Generation("r" if c else "w")) for j, c in enumerate(correct))
        out.append(Graded(Example(f"q{i}", user("?")), candidates, tuple(c.text for c in candidates), correct))
    return out


@pytest.mark.parametrize(("hit", "alarm"), [(1.0, 0.0), (0.9, 0.2), (0.5, 0.5), (0.3, 0.8)])
def test_recovers_the_gap_of_verifiers_with_known_noise(hit, alarm):
    accuracy, data, dice = 0.4, rows(400, 64, 0.4), random.Random(1)
    kept = [[float(dice.random() < (hit if right else alarm)) for right in row.correct] for row in data]
    found, relative = gap("planted", data, kept)
    expected = accuracy * hit / (accuracy * hit + (1 - accuracy) * alarm) - accuracy
    assert found.estimate == pytest.approx(expected, abs=0.01)
    assert relative.estimate == pytest.approx(expected / (1 - accuracy), abs=0.02)
    if hit == alarm:
        assert found.interval[0] < 0 < found.interval[1]
        assert "nothing for sure" in found.verdict
    else:
        assert found.p < 0.01
        assert ("helps" if expected > 0 else "hurts") in found.verdict


def test_a_question_of_which_nothing_is_kept_counts_with_all_its_answers():
    assert filtered((True, False, False, False), (0, 0, 0, 0)) == 0.25
    assert filtered((True, False, False, False), (1, 1, 0, 0)) == 0.5


def test_probabilities_use_the_threshold_and_scores_the_quantile():
    assert weights([Marks((0.6, 0.4, None), True)], 0.5, 0.5) == [[1.0, 0.0, 0.0]]
    assert weights([Marks((-1.0, -3.0), False), Marks((-2.0, None), False)], 0.5, 0.5) == [[1.0, 0.0], [0.0, 0.0]]
    assert weights([Marks((None, None), True), Marks((0.9,), True)], 0.5, 0.5) == [None, [1.0]]


def test_runs_over_signals_and_a_judge_and_says_who_abstains(letters, drive_on, model_that):
    def planted(request, dice):
        form = request.prompt[-1].parts[0]
        if form.name == "compare":
            return "A" if form["first"][0] == "r" else "B" if form["second"][0] == "r" else "E"
        return dice.choices("rwx", (0.6, 0.2, 0.2))[0]

    model = model_that(planted)
    found = {
        f.name: f
        for f in generation_verification_gap(
            model, letters(), drive_on(model), questions=60, verifiers=("vote_share", "pairwise_judge", "p_true")
        )
    }
    assert found["gap of vote_share"].estimate > 0.1
    assert found["gap of pairwise_judge"].estimate > 0.1
    assert found["gap of p_true"].estimate is None
    assert "abstains" in found["gap of p_true"].verdict


@pytest.mark.parametrize(("weight", "word"), [(0.0, "rejects"), (1.0, "accepts")])
def test_a_verifier_that_always_says_the_same_is_called_so(weight, word):
    data = rows(30, 4, 0.5)
    found = gap("constant", data, [[weight] * 4 for _ in data])[0]
    assert found.estimate == 0.0
    assert f"{word} every answer" in found.verdict
