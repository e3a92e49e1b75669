"""Follow-up likelihood."""

from __future__ import annotations

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.follow_up import follow_up


def reader(toy, liked: str):
    """Expects thanks after the liked answer and complaints after any other; every word costs the same."""

    def model(request):
        fields = toy.asked(request)[1]
        thanks = "thank" in request.continuation.lower()
        cost = -0.5 if thanks == (fields["answer"] == liked) else -2.0
        words = request.continuation.split()
        return Generation(request.continuation, tuple(Token(f" {word}", cost) for word in words))

    return model


def test_is_the_hand_computed_difference_and_finds_the_liked_answer(toy) -> None:
    flow = follow_up(
        toy.task, toy.question(1), toy.candidates("good", "bad"), liked="thank you|thank you very much", disliked="no"
    )
    signals = toy.run(flow, reader(toy, "good"))
    assert [s.value for s in signals] == pytest.approx([6 * -0.5 - 1 * -2.0, 6 * -2.0 - 1 * -0.5])
    assert signals[0].n == 3


def test_a_reader_without_preference_gives_equal_values(toy) -> None:
    signals = toy.run(follow_up(toy.task, toy.question(1), toy.candidates("a", "b")), reader(toy, "neither"))
    assert signals[0].value == signals[1].value


def test_abstains_without_utterances_or_logprobs(toy) -> None:
    (none,) = toy.run(follow_up(toy.task, toy.question(1), toy.candidates("a"), liked="", disliked=" | "))
    assert none.abstained == "there are no follow-ups to score"
    (mute,) = toy.run(follow_up(toy.task, toy.question(1), toy.candidates("a")), lambda request: Generation("x"))
    assert mute.abstained == "this backend gives no log-probabilities of a given text"
