"""Voting helps where the right answer is the most frequent one, and hurts where a wrong one is."""

from __future__ import annotations

from whetstone.studies.majority_voting_helps import majority_voting_helps


def planted(request, dice):
    if "levelhard" in request.prompt[-1].text:
        return dice.choices("rw", (0.3, 0.7))[0]
    return dice.choices("rabcd", (0.5, 0.125, 0.125, 0.125, 0.125))[0]


def test_finds_where_a_vote_helps_and_where_it_hurts(letters, drive_on, model_that):
    model = model_that(planted)
    found = {
        f.name: f for f in majority_voting_helps(model, letters(("easy", "hard")), drive_on(model), questions=120, k=9)
    }
    easy, hard = found["majority over one sample/easy"], found["majority over one sample/hard"]
    assert (easy.verdict, hard.verdict) == ("voting beats one sample", "voting is worse than one sample")
    assert easy.estimate > 0.25
    assert hard.estimate < -0.1
    assert easy.p < 0.001
    assert easy.n == hard.n == 60
    curve = found["majority over one sample"].detail["accuracy_by_votes"]
    assert list(curve) == ["1", "3", "5", "9"]


def test_finds_nothing_where_all_samples_are_the_same(letters, drive_on, model_that):
    model = model_that(lambda request, dice: "r")
    overall, greedy = majority_voting_helps(model, letters(), drive_on(model), questions=30)
    assert overall.estimate == greedy.estimate == 0.0
    assert "do not differ" in overall.verdict
