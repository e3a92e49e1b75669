"""Texts meant to break a reader: no method fails on them, takes long over them or makes numbers that are none."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import test_methods
from test_methods import able, build, case, every_setting, words

from whetstone.core.flow import drive
from whetstone.core.registry import Method
from whetstone.core.types import Case, Generation, Reply, Request, Sample
from whetstone.models.scripted import ScriptedModel

LONG = 20_000
SECONDS = 10  # of processor time, where all but a reader of quadratic cost takes a tenth of one

RUNS = ("\n", " ", ".", "*", "'", "[", "(", "<", "-", "9", "a", "\t", "!", "\x00", "{", "\\", '"')
"""Repeated, between a beginning that a reader looks for and an end that it does not expect."""
BEGINNINGS = (
    *("", "x", "Verdict:", "verdict is", "Score:", "Score of A:", "Confidence:", "Ranking: A >", "\\boxed{", "[["),
    *("- ", "1. ", "+ ", "Read: ", "Run: is it? =>", "Speed: ", "the answer is ", '{"verdict": ', "A or ", "!"),
)
REPEATED = (
    "Verdict: A\n",
    "verdict is ",
    "A or ",
    "A > ",
    "Score: 7 ",
    "score ",
    "9 ",
    "- x\n",
    "1. Is it?\n",
    "[[A]]",
)
ODD = (
    *("", "\u00b2", "\u0663", "\uff11\uff10", "\udc80\ud800", "\u2028", "\x1b[31m", "NaN", "inf", "-0", "1e999"),
    *("%s {0} {question}", "Score: \u00b2", "Score: NaN", "Score: 1e999", "Confidence: 1e400%", "the answer is 1/0"),
    *("the answer is 1e999999999", "Verdict: A\nVerdict: B", "Ranking: A > A > A", ".*+?[](){}|\\^$"),
    *("Run: x => 9**9**9**9", "Run: y => 'a' * 10**9"),
)


def nasty(luck: Random) -> str:
    """One of the texts above."""
    kind = luck.randrange(3)
    if kind == 0:
        return luck.choice(ODD)
    if kind == 1:
        return luck.choice(REPEATED) * (LONG // 10)
    return f"{luck.choice(BEGINNINGS)}{luck.choice(RUNS) * LONG}{luck.choice(('', 'x', '?', '7', ' A', ']]'))}"


def hostile(toy: Any, seed: int, request: Request) -> Reply:
    """The reply of a model that plays along, with something nasty in its place, before, after or in it."""
    good = able(toy, request)
    if not isinstance(request, Sample) or not isinstance(good, Generation):
        return good
    luck = Random(f"{seed} {toy.luck(request).random()}")
    bad = nasty(luck)
    texts = (bad, f"{good.text}\n{bad}", f"{bad}\n{good.text}", good.text.replace(" ", f" {bad} ", 1))
    text = luck.choice(texts)
    return Generation(text, luck.choice(((), good.tokens, words(luck, text[:400]))), usage=good.usage)


def hostile_case(toy: Any, i: int) -> Case:
    """Answers of which every other one has something nasty in it."""
    luck, usual = Random(i), case(toy, i)
    texts = [
        one.text if j % 2 else f"{nasty(luck)}\n{one.text}\n{nasty(luck)}" for j, one in enumerate(usual.candidates)
    ]
    found = (
        replace(one, generation=replace(one.generation, text=text))
        for one, text in zip(usual.candidates, texts, strict=True)
    )
    return replace(usual, candidates=tuple(found))


def bears(known: Method, flow: Any, model: ScriptedModel) -> None:
    """The flow ends, soon, and every number that it returns is one."""
    began = process_time()
    done = drive({"a": flow}, {"policy": model})
    assert not done.failures, next(iter(done.failures.values())).traceback
    assert process_time() - began < SECONDS
    result = done.results["a"]
    if known.kind == "signal":
        assert all(one.value is None or isfinite(one.value) for one in result)
    if known.kind == "audit":
        assert all(one.estimate is None or isfinite(one.estimate) for one in result)


@pytest.mark.parametrize("seed", range(2))
@every_setting
def test_no_reply_breaks_or_stalls_a_method(toy: Any, known: Method, chosen: dict[str, Any], seed: int) -> None:
    bears(known, build(toy, known, chosen), ScriptedModel(partial(hostile, toy, seed)))


@every_setting
def test_no_answer_breaks_or_stalls_a_method(
    toy: Any, known: Method, chosen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_methods, "case", hostile_case)
    bears(known, build(toy, known, chosen), ScriptedModel(partial(able, toy)))
