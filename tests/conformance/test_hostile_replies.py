"""Replies meant to break a reader: no method fails on them, takes long over them or makes a number of them."""

from __future__ import annotations

import sys
from functools import partial
from math import isfinite
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_methods import able, build, every_setting, words

from whetstone.core.flow import drive
from whetstone.core.registry import Method
from whetstone.core.types import Generation, Reply, Request, Sample
from whetstone.models.scripted import ScriptedModel

LONG = 20_000
SECONDS = 10  # of processor time, where all but a reader of quadratic cost takes a tenth of one

RUNS = ("\n", " ", ".", "*", "'", "[", "(", "<", "-", "9", "a", "\t", "!", "\x00", "{", "\\", '"')
"""Repeated, between a beginning that a reader looks for and an end that it does not expect."""
BEGINNINGS = (
    *(
        "",
        "x",
        "Verdict:",
        "verdict is",
        "Score:",
        "Score of A:",
        "Confidence:",
        "Ranking: A >",
        "\\boxed{",
        "[[",
        "- ",
    ),
    *("1. ", "+ ", "Read: ", "Run: is it? =>", "Speed: ", "the answer is ", '{"verdict": ', "A or ", "!"),
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
    "[[A]] ",
)
ODD = (
    *(
        "",
        "\u00b2",
        "\u0663",
        "\uff11\uff10",
        "\udc80\ud800",
        "\u2028",
        "\x1b[31m",
        "NaN",
        "inf",
        "-0",
        "1e999",
        "%s {0} {question}",
    ),
    *(
        "Score: \u00b2",
        "Score: NaN",
        "Score: 1e999",
        "Confidence: 1e400%",
        "the answer is 1/0",
        "the answer is 1e999999999",
    ),
    *(
        "Verdict: A\nVerdict: B",
        "Ranking: A > A > A",
        "Run: x => 9**9**9**9",
        "Run: y => 'a' * 10**9",
        ".*+?[](){}|\\^$",
    ),
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


@pytest.mark.parametrize("seed", range(2))
@every_setting
def test_no_reply_breaks_or_stalls_a_method(toy: Any, known: Method, chosen: dict[str, Any], seed: int) -> None:
    began = process_time()
    done = drive({"a": build(toy, known, chosen)}, {"policy": ScriptedModel(partial(hostile, toy, seed))})
    assert not done.failures, next(iter(done.failures.values())).traceback
    assert process_time() - began < SECONDS
    result = done.results["a"]
    if known.kind == "signal":
        assert all(one.value is None or isfinite(one.value) for one in result)
    if known.kind == "audit":
        assert all(one.estimate is None or isfinite(one.estimate) for one in result)
