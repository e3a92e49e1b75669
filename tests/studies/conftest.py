"""A task whose answers tell what is planted, and a scripted model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.types import Example, Generation, Reply, Request, Sample, Sampling, Signal, Usage, form, user
from whetstone.models.scripted import ScriptedModel


class Letters:
    """Every question's right answer is `r`; anything else is wrong. Texts are `answer` plus a tail."""

    name = "letters"
    sampling = Sampling(temperature=1.0, max_tokens=8)

    def __init__(self, levels: tuple[str, ...] = ("",)) -> None:
        self.levels = levels

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        for i in range(n or 50):
            level = self.levels[i % len(self.levels)]
            prompt = user(form("solve", "{question}", question=f"level{level} question{i}"))
            yield Example(f"{split}-{i}", prompt, "r", meta={"level": level} if level else {})

    def read(self, example: Example, text: str) -> str | None:
        return text[0] if text else None

    def verify(self, example: Example, text: str) -> Signal:
        return Signal(float(text[:1] == "r"), "binary")

    def process(self, example: Example, text: str) -> Signal:
        return Signal(None, "binary", abstained="no steps")

    def complete(self, example: Example, text: str) -> bool | None:
        return None


def speaking(answer: Callable[[Sample, random.Random], str]) -> ScriptedModel:
    """A model that answers a sample by a function of the request and its own dice, and can do nothing else."""

    def reply(request: Request) -> Reply | Exception:
        if not isinstance(request, Sample):
            return Unsupported("samples only")
        dice = random.Random(f"{request.sampling.seed}/{request.prompt[-1].text}/{request.sampling.temperature}")
        text = answer(request, dice)
        return Generation(text, usage=Usage(10, max(1, len(text))))

    return ScriptedModel(reply)


@pytest.fixture
def letters() -> type[Letters]:
    return Letters


@pytest.fixture
def model_that() -> Callable[[Callable[[Sample, random.Random], str]], ScriptedModel]:
    return speaking
