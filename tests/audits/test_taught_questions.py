"""A small model learns a method's English questions from scratch, and the method works on it with new items."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def taught(monkeypatch):
    """taught(name): a module of the benchmarks, which import each other by bare names."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_a_taught_judge_grades_essays_that_it_never_saw(taught, capsys) -> None:
    taught("taught_questions").run_essays(n=40, lessons=800, reading=4000)
    found = {name: float(value) for name, value in re.findall(r"^ +(kappa/\S+) +(\S+)", capsys.readouterr().out, re.M)}
    assert found["kappa/features"] < 0.5, "what can be counted says little about the words asked for"
    assert found["kappa/judge"] > 0.6, "the model was taught to look for them"
    assert found["kappa/features+judge"] > found["kappa/judge"], "people like long answers, which the teacher overlooks"


def test_no_set_of_words_is_both_taught_and_tested(taught) -> None:
    world = taught("_taught_world")
    sets = {
        split: {frozenset(world.wanted(case.example.question)) for case in world.cases(split, 600)}
        for split in ("reading", "train", "test")
    }
    assert len(sets["test"]) > 50
    assert not sets["test"] & (sets["train"] | sets["reading"])
    assert world.holds("at most 3 words", "red tan")
    assert not world.holds("does it have 'owl'?", "red tan")
