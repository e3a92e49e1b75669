"""A session: requests in, replies out, and whatever waits is worked on in large batches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import torch

from whetstone.core.errors import ModelError, Unsupported, WhetstoneError
from whetstone.core.types import Embed, Embedding, Request, Sample, Score
from whetstone.models.engine.decode import Decoder, Done
from whetstone.models.engine.network import Network
from whetstone.models.engine.prompted import Prompted
from whetstone.models.engine.prompts import PREFILL_TOKENS, Prompts
from whetstone.models.engine.rows import Job
from whetstone.models.engine.score import ScoreJob, score
from whetstone.models.text import TextCodec

Embedder = Callable[[Sequence[tuple[Sequence[int], int]]], Sequence[Embedding | Exception]]


class EngineSession:
    """A session on a network. Single threaded: the work is done inside `poll`.

    Args:
        network: computes logits.
        codec: text to ids and back.
        embedder: (prompt ids, layer) pairs to vectors.
        device: where the network is.
        slots: most rows that run at once.
        context: most tokens of prompt and reply together.
        memory: most bytes for the keys and values of running rows; one row always runs.
        threads: how many threads torch may use during `poll`; None leaves its setting alone.
    """

    def __init__(
        self,
        network: Network,
        codec: TextCodec,
        embedder: Embedder,
        *,
        device: torch.device,
        slots: int,
        context: int,
        memory: int,
        threads: int | None = None,
    ) -> None:
        self.threads = threads
        self.codec, self.embedder, self.context, self.slots = codec, embedder, context, slots
        self.network = network
        self.prompts = Prompts(network, codec, device)
        self.decoder = Decoder(network, codec, self.prompts, device=device, slots=slots, memory=memory)
        self.scores: deque[ScoreJob] = deque()
        self.embeds: deque[tuple[int, Embed, Prompted]] = deque()
        self.done: Done = []

    def put(self, ticket: int, request: Request) -> None:
        """Queue a request; one that cannot be read is answered with its error at the next poll."""
        try:
            self._queue(ticket, request)
        except WhetstoneError as error:
            self.done.append((ticket, error))

    def poll(self, timeout: float | None = None) -> Done:
        """Work until a reply is there; as long as more rows wait for slots, until a sixteenth of the slots is free."""
        before = torch.get_num_threads()
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                return self._work(timeout)
        finally:
            if self.threads is not None:
                torch.set_num_threads(before)

    def _work(self, timeout: float | None) -> Done:
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            if self.scores:
                self._score()
            if self.embeds:
                self._embed()
            enough = len(self.done) >= (max(self.slots // 16, 1) if self.decoder.crowded else 1)
            if enough or not self.decoder.busy or (until is not None and time.monotonic() >= until):
                done, self.done = self.done, []
                return done
            self.done += self.decoder.step()

    def close(self) -> None:
        """Drop what is queued and running."""
        self.scores.clear()
        self.embeds.clear()
        self.done.clear()
        self.prompts.known.clear()
        old = self.decoder
        self.decoder = Decoder(
            self.network, self.codec, self.prompts, device=old.device, slots=old.slots, memory=old.memory
        )

    def _queue(self, ticket: int, request: Request) -> None:
        prompted = self.prompts.find(request.prompt)
        length = len(prompted.ids)
        if isinstance(request, Sample):
            if request.sampling.max_tokens < 1:
                raise ModelError("max_tokens must be at least 1")
            self._fit(length, 1)
            limit = min(request.sampling.max_tokens, self.context - length)
            self.decoder.queued.append(Job(ticket, request, prompted, limit))
        elif isinstance(request, Score):
            continuation = self.codec.continuation(request.continuation)
            self._fit(length, len(continuation))
            self.scores.append(ScoreJob(ticket, request, prompted, continuation))
        else:
            self._fit(length, 0)
            self.embeds.append((ticket, request, prompted))
        self.prompts.hold(prompted)

    def _fit(self, prompt: int, more: int) -> None:
        if prompt + more > self.context:
            raise Unsupported(
                f"{prompt} tokens of prompt and {more} more exceed the model's context of {self.context}: "
                "shorten the prompt or use a model with a longer context"
            )

    def _score(self) -> None:
        """Answer the next scores, as many as share a few passes over their prompts."""
        jobs: list[ScoreJob] = []
        unread: set[int] = set()
        tokens = 0
        while self.scores:
            prompted = self.scores[0].prompted
            if prompted.prefill is None and id(prompted) not in unread:
                unread.add(id(prompted))
                tokens += len(prompted.ids)
                if jobs and tokens > 4 * PREFILL_TOKENS:
                    break
            jobs.append(self.scores.popleft())
        self.prompts.read(job.prompted for job in jobs)
        self.done += score(self.decoder.network, self.codec, jobs)
        for job in jobs:
            self.prompts.release(job.prompted)

    def _embed(self) -> None:
        """Answer all queued embeddings."""
        jobs = list(self.embeds)
        self.embeds.clear()
        replies = self.embedder([(prompted.ids, request.layer) for _, request, prompted in jobs])
        for (ticket, _, prompted), reply in zip(jobs, replies, strict=True):
            self.done.append((ticket, reply))
            self.prompts.release(prompted)
