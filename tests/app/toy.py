"""A toy world and a toy trainable model, both exact: what `improve` does is checked without a network.

The world asks for the last digit of a sum, at levels 1 to 4. The model has one skill a level, a number that raises the
logit of the right digit; training on right digits raises it, on wrong ones lowers it. Asked whether an answer is right
it always says yes, and asked to compare it always prefers the first: a judge that nobody should trust.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from whetstone.core.errors import Unsupported
from whetstone.core.types import (
    Example,
    Form,
    Generation,
    Prompt,
    Reply,
    Request,
    Sample,
    Sampling,
    Score,
    Signal,
    Token,
    Usage,
    form,
    user,
)

LEVELS = (1, 2, 3, 4)
SKILL = {1: 4.0, 2: 2.6, 3: 1.8, 4: -2.0}
SPLITS = {"train": 0, "dev": 1, "test": 2}


class ToyTask:
    """`12+7@2`: the last digit of 12 + 7, at level 2."""

    def __init__(self, levels: Sequence[int] = LEVELS) -> None:
        self.levels = tuple(levels)

    @property
    def name(self) -> str:
        return f"toy:levels={self.levels[0]}-{self.levels[-1]}"

    @property
    def sampling(self) -> Sampling:
        return Sampling(max_tokens=4)

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        for i in count() if n is None else range(n):
            level = self.levels[i % len(self.levels)]
            rng = Random(f"{split}/{seed}/{i}")
            a, b = rng.randrange(1000), 3 * rng.randrange(300) + SPLITS[split]
            question = f"{a}+{b}@{level}"
            prompt = user(form("solve", "Last digit of {question}?", question=question))
            yield Example(f"{split}-{seed}-{i}", prompt, str((a + b) % 10), meta={"level": level})

    def read(self, example: Example, text: str) -> str | None:
        return text[-1] if text[-1:].isdigit() else None

    def verify(self, example: Example, text: str) -> Signal:
        return Signal(float(self.read(example, text) == example.target), "binary")

    def process(self, example: Example, text: str) -> Signal:
        return Signal(None, "binary", 0, abstained="one step only")

    def complete(self, example: Example, text: str) -> bool | None:
        return None


def field(prompt: Prompt, name: str) -> str:
    part = prompt[-1].parts[0]
    assert isinstance(part, Form)
    value = part[name]
    return value if isinstance(value, str) else value.text


@cache
def features(question: str) -> tuple[int, int, Tensor]:
    """Level, right digit and fixed noise of a question."""
    total, _, level = question.partition("@")
    right = sum(map(int, total.split("+"))) % 10
    rng = Random(question)
    return int(level), right, torch.tensor([rng.gauss(0, 0.8) for _ in range(10)])


class ToySession:
    def __init__(self, model: ToyModel) -> None:
        self.model, self.queue = model, []

    def put(self, ticket: int, request: Request) -> None:
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        batch, self.queue = self.queue[:64], self.queue[64:]
        replies = [(ticket, self.model.answer(request)) for ticket, request in batch]
        log = os.environ.get("TOY_LOG")
        if log:
            answered = [r for (_, r), (_, reply) in zip(batch, replies, strict=True) if isinstance(reply, Generation)]
            with Path(log).open("a") as out:
                out.writelines(f"{self.model.fingerprint} {sha256(repr(r).encode()).hexdigest()}\n" for r in answered)
        return replies

    def close(self) -> None:
        self.queue = []


class ToyModel:
    """One number a level, and a bias that training may spoil."""

    name = "toy"
    learning_rate = 4.0

    def __init__(self) -> None:
        self.skill = torch.tensor([SKILL[level] for level in LEVELS], requires_grad=True)
        self.changed()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def changed(self) -> None:
        self._fingerprint = sha256(self.skill.detach().numpy().tobytes()).hexdigest()[:16]

    def open(self) -> ToySession:
        return ToySession(self)

    def logits(self, question: str) -> Tensor:
        level, right, noise = features(question)
        return noise + self.skill[level - 1] * torch.eye(10)[right]

    def answer(self, request: Request) -> Reply | Exception:
        asked = request.prompt[-1].parts[0]
        if not isinstance(asked, Form):
            return Unsupported("the toy reads forms only")
        usage = Usage(8, 1)
        if asked.name == "solve":
            logp = torch.log_softmax(self.logits(field(request.prompt, "question")).detach(), 0)
            if isinstance(request, Sample):
                if request.sampling.temperature == 0:
                    digit = int(logp.argmax())
                else:
                    weights = torch.softmax(logp / request.sampling.temperature, 0).tolist()
                    digit = Random(request.sampling.seed).choices(range(10), weights)[0]
            elif isinstance(request, Score):
                digit = int(request.continuation[-1])
            else:
                return Unsupported("the toy has no embeddings")
            top = tuple((str(d), float(logp[d])) for d in logp.argsort(descending=True)[:5].tolist())
            token = Token(str(digit), float(logp[digit]), top, float(-(logp.exp() * logp).sum()), float(-logp.mean()))
            return Generation(str(digit), (token,), usage=usage)
        fixed = {"p_true": ("Y", "N"), "compare": ("A", "B")}.get(asked.name)
        if fixed is None:
            return Unsupported(f"the toy cannot play {asked.name!r}")
        token = Token(fixed[0], -0.02, ((fixed[0], -0.02), (fixed[1], -4.0)))
        if isinstance(request, Score):
            token = Token(request.continuation, -0.02 if request.continuation == fixed[0] else -4.0, token.top)
            return Generation(request.continuation, (token,), usage=usage)
        return Generation(fixed[0], (token,), usage=usage)

    def logprobs(self, items: Sequence[tuple[Prompt, str]]) -> tuple[Tensor, Tensor]:
        rows = [torch.log_softmax(self.logits(field(prompt, "question")), 0)[int(text[-1])] for prompt, text in items]
        return torch.stack(rows)[:, None], torch.ones(len(items), 1)

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        return torch.optim.SGD([self.skill], lr=lr)

    def parameters(self) -> list[Tensor]:
        return [self.skill]

    def state(self) -> dict[str, Tensor]:
        return {"skill": self.skill.detach().clone()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        with torch.no_grad():
            self.skill.copy_(state["skill"])
        self.changed()

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "skill.json").write_text(json.dumps(self.skill.tolist()))

    def encode_length(self, prompt: Prompt, completion: str) -> int:
        return 9
