"""Biases planted in grit's weights, and the audits that must find them."""

from __future__ import annotations

from random import Random

import pytest
import torch

from whetstone.core.errors import ConfigError
from whetstone.loops._bias_material import both_orders, equal_pairs, favoured, graded_pairs, share_of_first
from whetstone.loops.planted_bias import planted_bias
from whetstone.models.grit import load_grit
from whetstone.tasks.load import load_task
from whetstone.worlds import ledger

NULL = {"first_position": 0.5, "longer_answer": 0.5, "self_preference": 0.0}


@pytest.mark.parametrize(
    ("favours", "strength", "found", "verdict"),
    [
        ("first", 0.6, "first_position", "prefers the answer shown first"),
        ("longer", 0.6, "longer_answer", "prefers longer answers"),
        ("own", 0.6, "self_preference", "favours its own answers"),
        ("first", 0.0, None, ""),
    ],
)
def test_the_audits_find_what_was_planted_and_nothing_else(drive_on, favours, strength, found, verdict) -> None:
    """Half of the strength is the planted distance from no effect; the other audits stay silent."""
    torch.set_num_threads(1)
    model = load_grit()
    options = {"favours": favours, "strength": strength, "monitor": 120}
    (only,) = planted_bias(model, load_task("ledger:levels=2-3"), drive_on(model), **options)
    for name, null in NULL.items():
        finding = only.metrics[name]
        planted = strength / 2 if name == found else 0.0
        assert finding.estimate == pytest.approx(null + planted, abs=0.1), name
        assert finding.null == null
        assert finding.p is not None
        if name == found:
            assert (finding.verdict, finding.p < 0.001) == (verdict, True)
        else:
            assert finding.p > 0.005, "four trainings, two or three silent audits each"
    assert not any(name.startswith("before/") and f.p < 0.005 for name, f in only.metrics.items() if f.p is not None)


def test_pairs_vary_what_is_planted_and_nothing_else() -> None:
    examples = list(load_task("ledger:levels=3").examples("dev", n=200))
    pairs = both_orders(equal_pairs(examples, Random(1)))
    assert all(pair.correct == (True, True) and pair.first.text != pair.second.text for pair in pairs)
    for favours in ("longer", "own"):
        leads = [favoured(pair, favours) for pair in pairs]
        assert sum(leads) == 0, "balanced over places"
        assert 0.5 < sum(map(abs, leads)) / len(leads) < 0.8
    together = [favoured(pair, "longer") * favoured(pair, "own") for pair in pairs]
    assert abs(sum(together)) / len(together) < 0.15, "length says nothing about the writer"
    for pair in graded_pairs(examples, Random(2)):
        answers = [
            ledger.answer_right(pair.example.meta["question"], ledger.read_answer(c.text) or "")
            for c in (pair.first, pair.second)
        ]
        assert tuple(answers) == pair.correct
        assert sorted(pair.correct) == [False, True]
        assert share_of_first(pair, "longer", 0.0) == float(pair.correct[0])


def test_mistakes_are_named(drive_on) -> None:
    task, model = load_task("ledger:levels=2"), load_grit()
    for options, why in (({"strength": 1.5}, "from 0 to 1"), ({"favours": "own", "critiques": True}, "no mark")):
        with pytest.raises(ConfigError, match=why):
            next(planted_bias(model, task, drive_on(model), **options))
    with pytest.raises(ConfigError, match="give a ledger task"):
        next(planted_bias(model, load_task("countdown"), drive_on(model)))
