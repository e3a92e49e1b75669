"""A toy world for tests of methods: questions `17`, answers `the answer is 17`, models that are functions.

The task's verifier raises, since no signal, judge, strategy or audit may look at the target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from math import log
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from whetstone.core.errors import ModelError
from whetstone.core.flow import Driven, Flow, drive
from whetstone.core.types import (
    Candidate,
    Case,
    Example,
    Form,
    Generation,
    Model,
    Reply,
    Request,
    Sample,
    Sampling,
    Signal,
    Token,
    Usage,
    form,
    user,
)
from whetstone.models.scripted import ScriptedModel

Answer = Callable[[Request], Reply | Exception]


class ToyTask:
    """The answer to a question is the question."""

    name = "toy"
    sampling = Sampling(temperature=1.0, max_tokens=32)

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        return (question(i) for i in range(n or 3))

    def read(self, example: Example, text: str) -> str | None:
        found = re.findall(r"the answer is (\d+)", text)
        return found[-1] if found else None

    def verify(self, example: Example, text: str) -> Signal:
        raise AssertionError("a method looked at the target")

    process = verify

    def complete(self, example: Example, text: str) -> bool | None:
        return None


def question(i: int) -> Example:
    """An example whose right answer is `i`; it carries no target."""
    return Example(f"q{i}", user(form("solve", "What is {question}?", question=str(i))), group=f"q{i}")


def asked(request: Request) -> tuple[str, dict[str, str]]:
    """Name and fields of the form that a request asks; a plain prompt has the name "" and its text as `text`."""
    part = request.prompt[-1].parts[0]
    if not isinstance(part, Form):
        return "", {"text": request.prompt[-1].text}
    return part.name, {k: v.text if isinstance(v, Form) else v for k, v in part.fields}


def luck(request: Request) -> Random:
    """A generator that depends on the request alone, as a model's sampling does."""
    seed = request.sampling.seed if isinstance(request, Sample) else 0
    return Random(f"{request.prompt!r}/{seed}")


def said(text: str, *probabilities: float, alternatives: Mapping[str, float] | None = None) -> Generation:
    """A reply of one token a probability (the text cut into equal parts); none given: no tokens at all."""
    tokens = None
    if probabilities:
        cut = [round(i * len(text) / len(probabilities)) for i in range(len(probabilities) + 1)]
        parts = [text[a:b] for a, b in pairwise(cut)]
        top = tuple((t, log(p)) for t, p in (alternatives or {}).items())
        tokens = tuple(Token(part, log(p), top) for part, p in zip(parts, probabilities, strict=True))
    return Generation(text, tokens, usage=Usage(5, 5))


def letter(text: str, **probabilities: float) -> Generation:
    """A reply whose last character is a token with these alternatives."""
    top = tuple(sorted(((name, log(p)) for name, p in probabilities.items()), key=lambda pair: -pair[1]))
    last = Token(text[-1], log(probabilities[text[-1]]), top)
    return Generation(text, (*(Token(c, -0.01, ((c, -0.01),)) for c in text[:-1]), last), usage=Usage(5, 5))


def candidates(*texts: str | Generation, source: str = "toy") -> tuple[Candidate, ...]:
    return tuple(
        Candidate(f"c{i}", text if isinstance(text, Generation) else Generation(text), source)
        for i, text in enumerate(texts)
    )


def every(flows: Mapping[str, Flow[Any]], answer: Answer, **options: Any) -> Driven[Any]:
    """Drive flows against a function; any failure fails the test."""
    done = drive(flows, {"policy": ScriptedModel(answer)}, **options)
    assert not done.failures, next(iter(done.failures.values())).traceback
    return done


def run(flow: Flow[Any], answer: Answer | None = None, **options: Any) -> Any:
    """The result of one flow."""
    return every({"flow": flow}, answer or no_model, **options).results["flow"]


class Drive:
    """A `Runner` over one model, in which no flow may fail but for what the model cannot do; `calls` keeps the names of
    the phases."""

    def __init__(self, model: Model, *, seed: int = 0) -> None:
        self.model, self.seed = model, seed
        self.calls: list[str] = []

    def __call__(self, name: str, flows: Mapping[str, Flow[object]]) -> Driven[object]:
        self.calls.append(name)
        driven = drive({f"{name}/{key}": flow for key, flow in flows.items()}, {"policy": self.model}, seed=self.seed)
        for failure in driven.failures.values():
            assert failure.error == "Unsupported", failure.traceback
        start = len(name) + 1
        return replace(
            driven,
            results={key[start:]: value for key, value in driven.results.items()},
            spent={key[start:]: value for key, value in driven.spent.items()},
        )


def no_model(request: Request) -> Exception:
    return ModelError("this method must not ask anything")


def case(i: int, texts: tuple[str, ...], right: tuple[bool | None, ...], source: str = "toy") -> Case:
    return Case(question(i), candidates(*texts, source=source), right)


@pytest.fixture
def drive_on() -> type[Drive]:
    return Drive


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    return SimpleNamespace(
        task=ToyTask(),
        question=question,
        asked=asked,
        luck=luck,
        said=said,
        letter=letter,
        candidates=candidates,
        case=case,
        every=every,
        run=run,
    )
