"""A model that repeats replies from a JSONL file: real outputs without the model that gave them.

One reply a line:

    {"kind": "sample", "prompt": [{"role": "user", "text": "2+3?"}], "text": "5", "finish": "stop",
     "tokens": [{"text": "5", "logprob": -0.1}], "usage": [4, 1]}

`kind` is sample (the default), score (with `continuation`) or embed (with `layer` and `vector`); `tokens`, `finish`
and `usage` may be missing. `prompt` may be a plain string: one user message.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError
from whetstone.core.types import Embed, Embedding, Generation, Media, Reply, Request, Sample, Score, Token, Usage

Key = tuple[str, str, str]


class RecordedModel:
    """Repeats what a file holds.

    Args:
        path: the JSONL file.
        name: what the model is called; the file's name by default.

    Samples of one prompt are given out in the file's order, each once in a session; scores and embeddings as often
    as they are asked for. A request that the file does not hold gets a `ModelError` that says which.

    Raises:
        ModelError: the file cannot be read, or a line of it is not a reply.
    """

    def __init__(self, path: Path | str, *, name: str = "") -> None:
        self.path = Path(path)
        self.name = name or f"recorded:{self.path.name}"
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {self.path}: {error.strerror}") from error
        self.fingerprint = sha256(content).hexdigest()
        self.replies: dict[Key, list[Reply]] = {}
        for number, line in enumerate(content.split(b"\n"), 1):
            if line.strip():
                try:
                    key, reply = _parse(read_json(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ModelError(f"{self.path}, line {number}: not a recorded reply ({error!r})") from error
                self.replies.setdefault(key, []).append(reply)

    def open(self) -> RecordedSession:
        """Start a session; it gives out each prompt's samples from the first."""
        return RecordedSession(self)


class RecordedSession:
    """Answers every request at the next poll, in the order put."""

    def __init__(self, model: RecordedModel) -> None:
        self.model = model
        self.given: dict[Key, int] = {}
        self.queue: deque[tuple[int, Request]] = deque()

    def put(self, ticket: int, request: Request) -> None:
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> list[tuple[int, Reply | Exception]]:
        done = [(ticket, self._answer(request)) for ticket, request in self.queue]
        self.queue.clear()
        return done

    def close(self) -> None:
        self.queue.clear()

    def _answer(self, request: Request) -> Reply | Exception:
        key = _key(request)
        replies = self.model.replies.get(key, [])
        turn = self.given.get(key, 0) if isinstance(request, Sample) else 0
        if turn < len(replies):
            self.given[key] = turn + 1
            return replies[turn]
        has = f"has {len(replies)} of the {turn + 1} replies asked for" if replies else "has no reply"
        detail = f" with {key[2]!r}" if key[2] else ""
        return ModelError(f"{self.model.path} {has} to the {key[0]}{detail} of {request.prompt[-1].text[-120:]!r}")


def record(request: Request, reply: Reply) -> str:
    """One line of a recording.

    Raises:
        ModelError: the prompt holds an image or a sound, which a recording does not keep.
    """
    if any(isinstance(part, Media) for message in request.prompt for part in message.parts):
        raise ModelError("a recording keeps text prompts only")
    line: dict[str, Any] = {
        "kind": type(request).__name__.lower(),
        "prompt": [{"role": message.role, "text": message.text} for message in request.prompt],
        "usage": [reply.usage.prompt, reply.usage.completion],
    }
    if isinstance(request, Score):
        line["continuation"] = request.continuation
    if isinstance(request, Embed):
        line["layer"] = request.layer
    if isinstance(reply, Embedding):
        line["vector"] = list(reply.vector)
    else:
        line |= {"text": reply.text, "finish": reply.finish}
        if reply.tokens is not None:
            line["tokens"] = [_token(token) for token in reply.tokens]
    return json.dumps(line, ensure_ascii=False)


def _token(token: Token) -> dict[str, Any]:
    line: dict[str, Any] = {"text": token.text, "logprob": token.logprob}
    if token.top:
        line["top"] = [list(pair) for pair in token.top]
    if token.entropy is not None:
        line["entropy"] = token.entropy
    if token.certainty is not None:
        line["certainty"] = token.certainty
    return line


def _key(request: Request) -> Key:
    messages = json.dumps([[message.role, message.text] for message in request.prompt], ensure_ascii=False)
    if isinstance(request, Score):
        return "score", messages, request.continuation
    if isinstance(request, Embed):
        return "embed", messages, str(request.layer)
    return "sample", messages, ""


def _parse(line: Mapping[str, Any]) -> tuple[Key, Reply]:
    prompt = line["prompt"]
    turns = [["user", prompt]] if isinstance(prompt, str) else [[turn["role"], turn["text"]] for turn in prompt]
    kind = line.get("kind", "sample")
    messages = json.dumps(turns, ensure_ascii=False)
    usage = Usage(*line.get("usage", ()))
    if kind == "embed":
        return (kind, messages, str(line.get("layer", -1))), Embedding(tuple(map(float, line["vector"])), usage)
    if kind not in ("sample", "score"):
        raise ValueError(f"unknown kind {kind!r}")
    tokens = None
    if line.get("tokens") is not None:
        tokens = tuple(
            Token(
                token["text"],
                float(token["logprob"]),
                tuple((text, float(logprob)) for text, logprob in token.get("top", ())),
                token.get("entropy"),
                token.get("certainty"),
            )
            for token in line["tokens"]
        )
    finish = line.get("finish", "stop")
    if finish not in ("stop", "length", "filter"):
        raise ValueError(f"unknown finish {finish!r}")
    continuation = line["continuation"] if kind == "score" else ""
    return (kind, messages, continuation), Generation(line.get("text", continuation), tokens, finish, usage)
