"""A real model, small enough to train in a test, and a task that it half knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from whetstone.core.errors import Unsupported
from whetstone.core.flow import Flow, drive
from whetstone.core.types import (
    Example,
    Generation,
    Model,
    Prompt,
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
from whetstone.models.grit.network import optimizer
from whetstone.models.transformers import TransformersModel

CHARACTERS = "0123456789+=$T?"
IDS = {character: i for i, character in enumerate(CHARACTERS)}
END = IDS["$"]


class Recurrent(nn.Module):
    """Two layers over characters."""

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(CHARACTERS), hidden)
        self.layers = nn.GRU(hidden, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, len(CHARACTERS))

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.layers(self.embedding(ids))[0])


class Tiny:
    """A `Trainable` over `Recurrent`; answers one request at a time."""

    name = "tiny"
    learning_rate = 1e-2

    def __init__(self, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = Recurrent()
        self.changes = 0
        self.changed()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def open(self) -> TinySession:
        return TinySession(self)

    def encode(self, prompt: Prompt, completion: str) -> tuple[list[int], int]:
        question = [IDS[c] for c in prompt[-1].text]
        return [*question, *(IDS[c] for c in completion), END], len(question)

    def encode_length(self, prompt: Prompt, completion: str) -> int:
        return len(self.encode(prompt, completion)[0])

    def logprobs(self, items: Sequence[tuple[Prompt, str]]) -> tuple[Tensor, Tensor]:
        rows = [self.encode(*item) for item in items]
        width = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([row + [END] * (width - len(row)) for row, _ in rows])
        all_logprobs = self.network(ids[:, :-1]).log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        longest = max(len(row) - start for row, start in rows)
        out, mask = all_logprobs.new_zeros(len(rows), longest), torch.zeros(len(rows), longest)
        for i, (row, start) in enumerate(rows):
            out[i, : len(row) - start] = all_logprobs[i, start - 1 : len(row) - 1]
            mask[i, : len(row) - start] = 1
        return out, mask

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.network.parameters(), lr=lr, weight_decay=weight_decay)

    def parameters(self) -> list[Tensor]:
        return list(self.network.parameters())

    def changed(self) -> None:
        self.changes += 1
        digest = sha256()
        for tensor in self.network.state_dict().values():
            digest.update(tensor.numpy().tobytes())
        self._fingerprint = digest.hexdigest()

    def state(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.network.load_state_dict(state)
        self.changed()

    def save(self, folder: Path) -> None:
        raise NotImplementedError


class TinySession:
    """Batches whatever waits."""

    def __init__(self, model: Tiny) -> None:
        self.model = model
        self.waiting: list[tuple[int, Request]] = []

    def put(self, ticket: int, request: Request) -> None:
        self.waiting.append((ticket, request))

    @torch.no_grad()
    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        every, self.waiting = self.waiting, []
        waiting = [(ticket, request) for ticket, request in every if set(request.prompt[-1].text) <= set(CHARACTERS)]
        readable = {ticket for ticket, _ in waiting}
        done: list[tuple[int, Reply | Exception]] = [
            (ticket, Unsupported("tiny reads digits only")) for ticket, _ in every if ticket not in readable
        ]
        for length in sorted({len(request.prompt[-1].text) for _, request in waiting}):
            batch = [(t, r) for t, r in waiting if isinstance(r, Sample) and len(r.prompt[-1].text) == length]
            done += self.sample(batch)
        return done

    def sample(self, batch: Sequence[tuple[int, Sample]]) -> list[tuple[int, Reply | Exception]]:
        ids = torch.tensor([[IDS[c] for c in request.prompt[-1].text] for _, request in batch])
        draws = [random.Random(request.sampling.seed) for _, request in batch]
        texts: list[list[Token]] = [[] for _ in batch]
        open_rows = set(range(len(batch)))
        for _ in range(min(request.sampling.max_tokens for _, request in batch)):
            logprobs = self.model.network(ids)[:, -1].log_softmax(-1)
            chosen = []
            for row, (_, request) in enumerate(batch):
                temperature = request.sampling.temperature
                if temperature == 0:
                    choice = int(logprobs[row].argmax())
                else:
                    weights = (logprobs[row] / temperature).softmax(-1).tolist()
                    choice = draws[row].choices(range(len(weights)), weights)[0]
                chosen.append(choice)
                if row in open_rows:
                    texts[row].append(Token(CHARACTERS[choice], float(logprobs[row, choice])))
                    if choice == END:
                        open_rows.discard(row)
            if not open_rows:
                break
            ids = torch.cat([ids, torch.tensor(chosen)[:, None]], 1)
        return [
            (
                ticket,
                Generation(
                    "".join(t.text for t in tokens if t.text != "$"),
                    tuple(tokens),
                    "length" if row in open_rows else "stop",
                    Usage(ids.shape[1], len(tokens)),
                ),
            )
            for row, ((ticket, _), tokens) in enumerate(zip(batch, texts, strict=True))
        ]

    def close(self) -> None:
        self.waiting = []


class Largest:
    """`4+7`, answered by `=7`: the largest digit. Level 1 has two digits, level 2 three."""

    name = "largest"
    sampling = Sampling(temperature=1.0, max_tokens=4)

    def __init__(self, *, blind: bool = False, levels: Sequence[int] = (1, 2)) -> None:
        self.blind, self.levels = blind, levels

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        rng = random.Random(f"{split}/{seed}")
        for i in range(400 if n is None else n):
            level = self.levels[i % len(self.levels)]
            terms = [rng.randrange(10) for _ in range(level + 1)]
            question = "+".join(map(str, terms))
            target = str(max(terms))
            yield Example(
                f"{split}{seed}-{i}",
                user(form("solve", "{question}", question=question)),
                target,
                meta={"level": level},
            )

    def read(self, example: Example, text: str) -> str | None:
        return text[1] if len(text) == 2 and text[0] == "=" and text[1].isdigit() else None

    def verify(self, example: Example, text: str) -> Signal:
        if self.blind:
            raise AssertionError("gold was looked at")
        return Signal(float(self.read(example, text) == example.target), "binary")

    def process(self, example: Example, text: str) -> Signal:
        return Signal(None, "binary", abstained="no steps")

    def complete(self, example: Example, text: str) -> bool | None:
        return None


def accuracy_of(model: Model, task: Largest, *, n: int = 200, temperature: float = 0.0) -> float:
    """Share of right answers on the test split."""
    examples = list(task.examples("test", n=n))

    def answer(example: Example) -> Flow[bool]:
        reply = (yield [Sample(example.prompt, replace(task.sampling, temperature=temperature))])[0]
        assert isinstance(reply, Generation)
        return task.read(example, reply.text) == example.target

    done = drive({example.id: answer(example) for example in examples}, {"policy": model}, seed=7)
    return sum(done.results.values()) / n


@pytest.fixture(scope="session")
def base_state() -> dict[str, Tensor]:
    """Weights trained on answers of which a third are wrong: right by vote, wrong often enough by sample."""
    model, task, rng = Tiny(), Largest(), random.Random(0)
    optimizer = model.optimizer(lr=1e-2)
    for step in range(150):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / 150)
        batch = []
        for example in task.examples("corpus", n=128, seed=step):
            digit = example.target if rng.random() > 0.35 else str(rng.randrange(10))
            batch.append((example.prompt, f"={digit}"))
        logprobs, mask = model.logprobs(batch)
        loss = -(logprobs * mask).sum() / mask.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.state()


@pytest.fixture
def tiny(base_state: dict[str, Tensor]) -> Tiny:
    """The half-trained model, fresh."""
    torch.set_num_threads(1)
    model = Tiny()
    model.load_state(base_state)
    return model


@pytest.fixture
def largest() -> type[Largest]:
    return Largest


@pytest.fixture
def accuracy() -> Callable[..., float]:
    """accuracy(model, temperature=...): share of right answers on the test split."""
    return lambda model, **options: accuracy_of(model, Largest(), **options)


@pytest.fixture(scope="session")
def reader() -> Callable[..., TransformersModel]:
    """reader(words, seed=...): an untrained two-layer Llama that reads and writes these words."""
    return make_reader


def make_reader(words: Sequence[str], *, seed: int = 0, hidden: int = 64) -> TransformersModel:
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(["<pad>", "<end>", "<unknown>", *words]))}
    words_of = Tokenizer(models.WordLevel(vocabulary, unk_token="<unknown>"))
    words_of.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words_of, eos_token="<end>", pad_token="<pad>", unk_token="<unknown>"
    )
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
        initializer_range=0.1,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
    )
    network = LlamaForCausalLM(config).eval()
    return TransformersModel.of(network, tokenizer, optimizer=optimizer, learning_rate=2e-2, name="reader")
