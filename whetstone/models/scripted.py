"""A model whose replies are written down beforehand: for examples, for tests, and for trying a method by hand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Embed, Generation, Reply, Request, Sample, Score, Token, Usage

Answer = Callable[[Request], Reply | Exception]


class ScriptedModel:
    """Answers from a function, or from a list of texts.

    Args:
        answer: called with each request, or texts given out in turn, over and over. A text answers a `Sample` only;
            `Score` and `Embed` requests get `Unsupported` unless `logprob` is set, which lets texts be scored too.
        name: what the model is called.
        logprob: gives every word of a text this log-probability; None leaves replies without tokens.

    An exception that the function returns or raises becomes the reply to that request alone.
    """

    def __init__(self, answer: Answer | Sequence[str], *, name: str = "scripted", logprob: float | None = None) -> None:
        if isinstance(answer, str):
            raise TypeError("answer is one text; give a sequence of texts or a function")
        self.name = name
        self.logprob = logprob
        self.texts: tuple[str, ...] | None = None if callable(answer) else tuple(answer)
        if self.texts == ():
            raise ModelError("a scripted model needs at least one reply")
        self.answer: Answer = answer if callable(answer) else self._in_turn
        self._turn = 0

    @property
    def fingerprint(self) -> str:
        """Hash of name and texts; for a function, of name and the function's qualified name."""
        answer = getattr(self.answer, "__qualname__", type(self.answer).__qualname__)
        content = [self.name, self.logprob, list(self.texts) if self.texts else answer]
        return sha256(json.dumps(content).encode()).hexdigest()

    def open(self) -> ScriptedSession:
        """Start a session."""
        return ScriptedSession(self.answer)

    def _in_turn(self, request: Request) -> Reply:
        assert self.texts is not None
        if isinstance(request, Embed) or (isinstance(request, Score) and self.logprob is None):
            raise Unsupported(f"{self.name} has texts only and cannot answer a {type(request).__name__}")
        if isinstance(request, Score):
            return generation(request, request.continuation, self.logprob)
        text = self.texts[self._turn % len(self.texts)]
        self._turn += 1
        return generation(request, text, self.logprob)


def generation(request: Sample | Score, text: str, logprob: float | None = None) -> Generation:
    """A reply whose usage counts words; with `logprob`, every word is a token of that log-probability."""
    words = [piece for piece in text.replace(" ", " \0").split("\0") if piece]
    tokens = None if logprob is None else tuple(Token(word, logprob) for word in words)
    prompt = sum(len(message.text.split()) for message in request.prompt)
    return Generation(text, tokens, "stop", Usage(prompt, len(words)))


class ScriptedSession:
    """Answers every request at the next poll, in the order put."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.queue: deque[tuple[int, Request]] = deque()

    def put(self, ticket: int, request: Request) -> None:
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> list[tuple[int, Reply | Exception]]:
        done: list[tuple[int, Reply | Exception]] = []
        while self.queue:
            ticket, request = self.queue.popleft()
            try:
                done.append((ticket, self.answer(request)))
            except Exception as error:
                done.append((ticket, error))
        return done

    def close(self) -> None:
        self.queue.clear()


def read_scripted(path: Path) -> ScriptedModel:
    """A scripted model from a file: `.json` or `.jsonl` of strings, or text with one reply a line.

    Raises:
        ModelError: no such file, no replies in it, or a JSON value that is not a string.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is not UTF-8 text (byte {error.start})") from error
    try:
        if path.suffix == ".json":
            texts = read_json(content)
        elif path.suffix == ".jsonl":
            texts = [read_json(line) for line in content.split("\n") if line.strip()]
        else:
            texts = content.splitlines()
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ModelError(f"{path} must hold a list of strings")
    if not texts:
        raise ModelError(f"{path} holds no replies")
    return ScriptedModel(texts, name=f"scripted:{path.name}")
