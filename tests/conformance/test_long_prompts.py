"""A prompt that does not fit a model's context silences what needed it, and nothing else."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.registry import Method, load, methods
from whetstone.core.types import Candidate, Case, Embed, Embedding, Generation, Reply, Request, Score, Signal, Token

REFUSAL = "600 tokens of prompt and 1 more exceed the model's context of 512"
LONG = "well, " * 100 + "the answer is 99"
ASKING = [m for kind in ("signal", "judge", "strategy") for m in methods(kind)]
AUDITS = methods("audit")
named = {"ids": lambda m: f"{m.kind}-{m.name}"}


def refuse(request: Request) -> Reply:
    raise Unsupported(REFUSAL)


def short_sighted(request: Request) -> Reply:
    """Answers everything that does not show the long text."""
    if LONG in request.prompt[-1].text or (isinstance(request, Score) and request.continuation == LONG):
        raise Unsupported(REFUSAL)
    if isinstance(request, Embed):
        return Embedding((1.0, 0.0))
    grade = 1 + len(request.prompt[-1].text) % 3
    said = f"+ being quick\nScore of A: 6\nScore of B: 5\nConfidence: 70\nScore: {grade}\nthe answer is 3\nVerdict: "
    text = request.continuation if isinstance(request, Score) else said
    letters = ("A", "B") if "compare" in repr(request) else ("Y", "N")
    tokens = tuple(Token(piece, log(0.7), ((piece, log(0.7)), ("N", log(0.2)))) for piece in (text, letters[0]))
    return Generation("".join(token.text for token in tokens), tokens)


def case(toy: Any, i: int) -> Case:
    texts = (f"the answer is {i}", LONG if i == 0 else "so the answer is 99", f"so the answer is {i}")
    made = tuple(
        Candidate(f"c{j}", Generation(text, (Token(text, log(0.5)),)), ("mine", "yours")[j % 2])
        for j, text in enumerate(texts)
    )
    return Case(toy.question(i), made, (True, False, True))


@pytest.mark.parametrize("known", ASKING, **named)
def test_methods_abstain_with_the_reason(toy: Any, known: Method) -> None:
    material = case(toy, 1)
    extra = {"signal": (material.candidates,), "judge": material.candidates[:2], "strategy": ()}[known.kind]
    done = toy.every({"a": load(known.name, known.kind)(toy.task, material.example, *extra)}, refuse)
    result = done.results["a"]
    if known.kind == "judge":
        assert result.choice is None
        assert REFUSAL in result.reason
    elif known.kind == "strategy":
        assert result.answer is None
        assert REFUSAL in (result.confidence.abstained or "")
    else:
        assert all(s.value is not None or s.abstained for s in result)


@pytest.mark.parametrize("known", AUDITS, **named)
def test_one_long_answer_does_not_silence_an_audit(toy: Any, known: Method) -> None:
    class Labelled(type(toy.task)):  # type: ignore[misc]
        def verify(self, example: Any, text: str) -> Signal:
            return Signal(1.0, "binary")

    flow = load(known.name, "audit")(Labelled(), [case(toy, i) for i in range(8)])
    findings = toy.every({"a": flow}, short_sighted).results["a"]
    assert any(finding.estimate is not None for finding in findings), findings
