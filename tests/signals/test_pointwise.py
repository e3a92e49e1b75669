"""A judge's score."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.pointwise import TEMPLATES, pointwise


def test_reads_scores_and_weighs_them_by_probability(toy) -> None:
    def plain(request):
        name, fields = toy.asked(request)
        assert (name, request.role) == ("score", "judge")
        return Generation("Score: 9" if fields["answer"].endswith(fields["question"]) else "Score: 2")

    texts = toy.candidates("the answer is 3", "the answer is 4")
    assert [s.value for s in toy.run(pointwise(toy.task, toy.question(3), texts), plain)] == [9, 2]

    def weighing(request):
        top = (("7", log(0.6)), (" 8", log(0.3)), ("seven", log(0.1)))
        return Generation("Score: 7", (Token("Score: ", -0.1), Token("7", log(0.6), top)))

    (signal, _) = toy.run(pointwise(toy.task, toy.question(3), texts), weighing)
    assert signal.value == pytest.approx((7 * 0.6 + 8 * 0.3) / 0.9)


@pytest.mark.parametrize("style", sorted(TEMPLATES))
def test_styles_differ_in_wording_only(toy, style) -> None:
    (request,) = next(pointwise(toy.task, toy.question(3), toy.candidates("a"), style=style))
    assert toy.asked(request)[0] == "score"
    assert toy.asked(request)[1].items() >= {"question": "3", "answer": "a"}.items()
    assert ("explain" in request.prompt[0].text, "analyze" in request.prompt[0].text) == (
        style == "rate_explain",
        style == "analyze_rate",
    )


def test_a_score_out_of_range_is_unreadable(toy) -> None:
    (signal,) = toy.run(pointwise(toy.task, toy.question(3), toy.candidates("a")), lambda request: Generation("11"))
    assert signal.abstained == "unreadable reply"


@pytest.mark.parametrize(
    ("scale", "readable", "not_readable"),
    [("binary", "0", "2"), ("likert", "5", "6"), ("ten", "10", "0"), ("hundred", "100", "101")],
)
def test_scales(toy, scale, readable, not_readable) -> None:
    for text, value in ((readable, float(readable)), (not_readable, None)):
        flow = pointwise(toy.task, toy.question(3), toy.candidates("a"), scale=scale)
        assert toy.run(flow, lambda request, text=text: Generation(f"Score: {text}"))[0].value == value


def test_steps_are_written_once_and_shown(toy) -> None:
    flow = pointwise(toy.task, toy.question(3), toy.candidates("a", "b"), steps=True)
    assert [toy.asked(request)[0] for request in next(flow)] == ["evaluation_steps"]
    batch = flow.send([Generation("1. Read it.")])
    assert ["1. Read it." in request.prompt[0].text for request in batch] == [True, True]
