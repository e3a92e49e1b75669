"""A model of this machine, able to continue raw texts and to say how likely a prompt's own tokens are."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from whetstone.core.errors import Unsupported, WhetstoneError
from whetstone.core.types import Form, Generation, Message, Prompt, Reply, Score
from whetstone.models.engine.prompted import Prompted
from whetstone.models.engine.score import ScoreJob
from whetstone.models.engine.session import EngineSession
from whetstone.models.serve.requests import Given, Read, Reading, Wanted, raw_text
from whetstone.models.text import TextCodec
from whetstone.models.transformers import TransformersModel


class LocalModel:
    """A `TransformersModel` as a server needs it; weights and fingerprint are those of the model."""

    reads = True

    def __init__(self, model: TransformersModel) -> None:
        self.name, self.fingerprint, self.context = model.name, model.fingerprint, model.context
        self._model = copy.copy(model)
        self._model.codec = ServedCodec(model.tokenizer, model.dialect, model.codec.ends)

    def open(self) -> LocalSession:
        """Start a session."""
        return LocalSession(self._model.open())


class ServedCodec(TextCodec):
    """Reads raw texts too, and for a dialect a reply that is to be continued."""

    def prompt(self, prompt: Prompt) -> tuple[int, ...]:
        text = raw_text(prompt)
        if text is not None:
            ids = self._encode(text, special=True)
            return self._known(ids[:-1] if ids and ids[-1] in self.ends else ids, text)
        if self.dialect is not None and len(prompt) > 1 and prompt[-1].role == "assistant":
            return self.split_prompt(prompt)
        return super().prompt(prompt)

    def split_prompt(self, prompt: Prompt) -> tuple[int, ...]:
        """Token ids of a prompt; a last message by the assistant is a continuation of what stands before it."""
        if prompt[-1].role == "assistant" and len(prompt) > 1:
            return (*self.prompt(prompt[:-1]), *self.continuation(prompt[-1].text))
        return self.prompt(prompt)

    def _known(self, ids: tuple[int, ...], text: str) -> tuple[int, ...]:
        if not ids:
            raise Unsupported("the prompt is empty")
        if self._unknown in ids:
            raise self._strange(text)
        self._keep_all(text)
        return ids


class LocalSession:
    """An engine session that takes a `Reading` as well."""

    def __init__(self, inner: EngineSession) -> None:
        self.inner = inner
        self.readings: dict[int, tuple[tuple[int, ...], str]] = {}

    def put(self, ticket: int, request: Wanted) -> None:
        """Queue a request."""
        if not isinstance(request, Reading):
            self.inner.put(ticket, request)
            return
        try:
            self._read(ticket, request)
        except WhetstoneError as error:
            self.inner.done.append((ticket, error))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Given]]:
        """Work until a reply is there."""
        return [(ticket, self._given(ticket, reply)) for ticket, reply in self.inner.poll(timeout)]

    def close(self) -> None:
        """Drop what is queued and running."""
        self.readings.clear()
        self.inner.close()

    def _read(self, ticket: int, request: Reading) -> None:
        """Score all tokens after the first; its id, not its text, is the prompt, so that no token is cut anew."""
        codec, prompts = self.inner.codec, self.inner.prompts
        assert isinstance(codec, ServedCodec)
        ids = codec.split_prompt(request.prompt)
        if len(ids) > self.inner.context:
            raise Unsupported(f"{len(ids)} tokens exceed the model's context of {self.inner.context}")
        text, first = codec.decode(ids), codec.decode(ids[:1])
        key = (Message("system", (Form("token", str(ids[0])),)),)
        prompted = prompts.known.get(key) or Prompted(key, ids[:1])
        self.readings[ticket] = ids, first
        rest = text[len(first) :] if text.startswith(first) else codec.decode(ids[1:])
        self.inner.scores.append(ScoreJob(ticket, Score(key, rest), prompted, ids[1:]))
        prompts.hold(prompted)

    def _given(self, ticket: int, reply: Reply | Exception) -> Given:
        if ticket not in self.readings:
            return reply
        ids, first = self.readings.pop(ticket)
        return Read(ids, first, reply) if isinstance(reply, Generation) else reply
