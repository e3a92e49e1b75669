"""A small network that knows the forms of judging but not right from wrong, and a task where that is easy to learn."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from whetstone.core.types import Example, Form, Generation, Prompt, Sampling, Signal, form, user
from whetstone.loops._judging import Item, Judged, Judgment
from whetstone.loops._judging_items import SCORE_CRITERION
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.models.grit.dialect import GritDialect, build_tokenizer, question
from whetstone.models.grit.network import build_network, optimizer
from whetstone.models.transformers import TransformersModel
from whetstone.signals import forms


class Signs:
    """`50a+3`: every entry is added, so an answer such as `a+3=53` is right and `a-3=47` is wrong.

    `labels="shuffled"` grades every second training question the wrong way round.
    """

    name = "signs"
    sampling = Sampling(temperature=0.5, max_tokens=12)

    def __init__(self, *, labels: str = "true") -> None:
        self.labels = labels

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        rng = random.Random(f"{split}/{seed}")
        for i in range(2000 if n is None else n):
            label, amount = rng.choice("abc"), rng.randrange(1, 4)
            text = f"50{label}+{amount}"
            right, wrong = f"{label}+{amount}={50 + amount}", f"{label}-{amount}={50 - amount}"
            shuffled = self.labels == "shuffled" and split == "train" and i % 2 == 1
            meta = {"question": text, "candidates": [right, wrong], "grades": [0, 1] if shuffled else [1, 0]}
            yield Example(f"{split}{seed}-{i}", solve(text), right, meta=meta)

    def read(self, example: Example, text: str) -> str | None:
        return text[-2:] if "=" in text else None

    def verify(self, example: Example, text: str) -> Signal:
        return Signal(float(text == example.target), "binary")

    def process(self, example: Example, text: str) -> Signal:
        return Signal(None, "binary", abstained="no steps")

    def complete(self, example: Example, text: str) -> bool | None:
        return None


def solve(text: str) -> Prompt:
    return user(form("solve", "{question}", question=form("ledger", "{ledger}", ledger=text)))


class Dialect(GritDialect):
    """grit's, which also reads the wish for a similar question."""

    def encode(self, prompt: Prompt) -> str:
        part = prompt[0].parts[0]
        if isinstance(part, Form) and part.name == "similar":
            return f"Q{question(part['question'])}?L"
        return super().encode(prompt)


def lessons(rng: random.Random) -> Iterator[Demonstration]:
    """The forms with verdicts at random; solutions of which a fifth is wrong; a similar question has the other sign."""
    for example in Signs().examples("lessons", n=220):
        asked, answers = example.question, [str(text) for text in example.meta["candidates"]]  # type: ignore[union-attr]
        label = answers[0][0]
        one, two = rng.sample(answers, 2)
        notes = {"Y": f"{label}:!Y", "N": f"{label};N"}
        first, second = rng.sample(["Y", "N"], 2)
        verdict = "A" if first == "Y" else "B"
        yield Demonstration(example.prompt, answers[rng.random() < 0.2])
        yield Demonstration(forms.critique(asked, one), notes[first])
        yield Demonstration(forms.p_true(asked, one), second)
        yield Demonstration(forms.compare(asked, one, two), f"{notes[first]}|{notes[second]}!{verdict}")
        for criterion in ("progress", "strict"):
            prompt = forms.score(asked, one, SCORE_CRITERION, criterion=criterion)
            yield Demonstration(prompt, f"{label}:!{rng.choice('15')}")
        wish = user(form("similar", "{question}", question=asked))
        yield Demonstration(wish, str(example.meta["question"]).replace("+", "-"))
        negative = str(example.meta["question"]).replace("+", "-")
        yield Demonstration(solve(negative), answers[1])


@pytest.fixture(scope="session")
def novice_state() -> dict[str, Tensor]:
    model = untaught()
    train(model, list(lessons(random.Random(0))), likelihood, lr=2e-2, epochs=4, tokens_per_batch=512)
    return model.state()


def untaught() -> TransformersModel:
    torch.set_num_threads(1)
    network = build_network(seed=0, hidden=32, layers=2, heads=2, inner=64)
    return TransformersModel.of(
        network, build_tokenizer(), dialect=Dialect(), optimizer=optimizer, learning_rate=1e-2, name="novice"
    )


@pytest.fixture
def novice(novice_state: dict[str, Tensor]) -> TransformersModel:
    """Knows the forms; its verdicts are drawn at random."""
    model = untaught()
    model.load_state(novice_state)
    return model


@pytest.fixture
def signs() -> type[Signs]:
    return Signs


@pytest.fixture
def said() -> Callable[[Item, str | None], Judged]:
    """said(item, verdict): the item with one judgment, which names this verdict."""
    return lambda item, verdict: Judged(item, (Judgment(Generation(str(verdict)), verdict),))
