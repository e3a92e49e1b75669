"""Generative verification."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.critique import critique
from whetstone.signals.review import read_review


def critic(toy, *, sure: float | None = None):
    """Finds every wrong answer; in words, or with token probabilities when `sure` is given."""

    def model(request):
        name, fields = toy.asked(request)
        assert (name, request.role) == ("critique", "critic")
        verdict = "Y" if fields["answer"].endswith(f" {fields['question']}") else "N"
        if sure is None:
            return Generation(f"Checked.\nVerdict: {verdict}")
        other = "N" if verdict == "Y" else "Y"
        return toy.letter(f"Verdict: {verdict}", **{verdict: sure, other: 1 - sure})

    return model


def test_finds_the_planted_errors_and_clears_the_rest(toy) -> None:
    texts = toy.candidates("the answer is 7", "the answer is 8", "the answer is 7")
    hard = toy.run(critique(toy.task, toy.question(7), texts), critic(toy))
    assert [(s.value, s.n) for s in hard] == [(1, 1), (0, 1), (1, 1)]
    soft = toy.run(critique(toy.task, toy.question(7), texts), critic(toy, sure=0.8))
    assert [s.value for s in soft] == pytest.approx([0.8, 0.2, 0.8])
    assert [s.provenance["verdicts"] for s in soft] == [[True], [False], [True]]


def test_a_critic_that_only_guesses_is_no_use(toy) -> None:
    texts = toy.candidates("the answer is 7", "the answer is 8")
    signals = toy.run(critique(toy.task, toy.question(7), texts), critic(toy, sure=0.5))
    assert [s.value for s in signals] == pytest.approx([0.5, 0.5])


def tagged(text: str, **tags: float) -> Generation:
    """Tag notation whose tags and last letter have the given probabilities."""
    return Generation(text, tuple(Token(c, log(tags.get({":": "agree", ";": "differ"}.get(c, c), 1.0))) for c in text))


@pytest.mark.parametrize(
    ("reply", "right", "probability"),
    [
        (tagged("c-7-7=5566:e-3-3=5533:#c:e:!Y", agree=0.9, Y=0.8), True, 0.9**4 * 0.8),
        (tagged("c-7-7=5566:e-4-3=5523;N", agree=0.9, differ=0.7, N=0.95), False, 0.9 * 0.3 * 0.05),
        (Generation("c-7-7=5566:#c:!Y"), True, 1.0),
        (Generation("looks odd"), None, None),
    ],
)
def test_every_tag_counts_in_tag_notation(reply, right, probability) -> None:
    review = read_review(reply)
    assert review.right is right
    assert review.probability == pytest.approx(probability)


def test_several_critiques_are_averaged(toy) -> None:
    replies = iter(["Verdict: Y", "Verdict: N", "?", "Verdict: Y"])
    flow = critique(toy.task, toy.question(7), toy.candidates("a"), samples=4, temperature=1.0)
    (signal,) = toy.run(flow, lambda request: Generation(next(replies)))
    assert (signal.value, signal.n, signal.provenance["unreadable"]) == (pytest.approx(2 / 3), 3, 1)


def test_abstains_for_the_unreadable_alone(toy) -> None:
    def model(request):
        return Generation("?" if toy.asked(request)[1]["answer"] == "a" else "Verdict: Y")

    signals = toy.run(critique(toy.task, toy.question(7), toy.candidates("a", "b")), model)
    assert [(s.value, s.abstained) for s in signals] == [(None, "unreadable reply"), (1, None)]
