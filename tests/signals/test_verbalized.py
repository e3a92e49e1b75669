"""Stated confidence."""

from __future__ import annotations

import pytest

from whetstone.core.types import Generation
from whetstone.signals.verbalized import verbalized


def test_reads_the_planted_confidence(toy) -> None:
    def model(request):
        name, fields = toy.asked(request)
        assert name == "verbalized"
        return Generation("Confidence: 90" if fields["answer"].endswith(fields["question"]) else "Confidence: 15%")

    texts = toy.candidates("the answer is 3", "the answer is 4")
    signals = toy.run(verbalized(toy.task, toy.question(3), texts), model)
    assert [(s.value, s.kind, s.n, s.stderr) for s in signals] == [
        (0.9, "probability", 1, None),
        (0.15, "probability", 1, None),
    ]


def test_several_samples_are_averaged_and_the_unreadable_counted(toy) -> None:
    replies = iter(["Confidence: 60", "no idea", "Confidence: 80"])
    flow = verbalized(toy.task, toy.question(3), toy.candidates("a"), samples=3, temperature=1.0)
    (signal,) = toy.run(flow, lambda request: Generation(next(replies)))
    assert (signal.value, signal.n, signal.provenance["unreadable"]) == (pytest.approx(0.7), 2, 1)
    assert signal.stderr == pytest.approx(0.1)


def test_abstains_when_nothing_can_be_read(toy) -> None:
    (signal,) = toy.run(verbalized(toy.task, toy.question(3), toy.candidates("a")), lambda request: Generation("?"))
    assert signal.abstained == "unreadable reply"
