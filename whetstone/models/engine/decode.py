"""The decoding loop: waiting rows enter and finished rows leave at every step; nobody waits for the longest row."""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whetstone.core.errors import ModelError
from whetstone.core.types import Generation, Reply, Token, Usage
from whetstone.models.engine.cache import Cache, Slots
from whetstone.models.engine.network import Network
from whetstone.models.engine.prompted import Prefill
from whetstone.models.engine.prompts import Prompts, ahead
from whetstone.models.engine.rows import Job, Rows
from whetstone.models.engine.sampling import choose, measures, uniforms
from whetstone.models.text import TextCodec

Done = list[tuple[int, Reply | Exception]]
SORTED = 16
"""Of how many times the slots' jobs at a time the shortest prompts go first; jobs beyond them wait their turn."""


class Decoder:
    """Rows that are being generated, one slot each.

    Args:
        network: computes logits.
        codec: ids to text.
        prompts: the session's prompts.
        device: where the network is.
        slots: most rows that run at once.
        memory: most bytes for the keys and values of running rows; one row always runs.
    """

    def __init__(
        self, network: Network, codec: TextCodec, prompts: Prompts, *, device: torch.device, slots: int, memory: int
    ) -> None:
        self.network, self.codec, self.prompts = network, codec, prompts
        self.device, self.slots, self.memory = device, slots, memory
        self.queued: deque[Job] = deque()
        self.waiting: deque[Job] = deque()
        self.rows = Rows(slots)
        self.cache: Cache | None = None
        self.logits: Tensor | None = None
        self.ends = np.zeros(0, bool)
        self.stops: dict[tuple[str, ...], int] = {(): 0}
        self.stop_table = np.zeros((1, 0), bool)

    @property
    def crowded(self) -> bool:
        """Are there more jobs than slots?"""
        return bool(self.queued or self.waiting)

    @property
    def busy(self) -> bool:
        """Is there anything to do?"""
        return self.crowded or self.rows.count > 0

    def step(self) -> Done:
        """Let waiting jobs in, then draw one token for every row; returns the rows that this finished."""
        self._admit()
        rows, n = self.rows, self.rows.count
        assert self.logits is not None
        logprobs = torch.log_softmax(self.logits[:n], -1)
        chosen = choose(
            logprobs,
            self._tensor(uniforms(rows.stream[:n], rows.made[:n])),
            self._control(rows.temperature[:n], 1.0),
            self._control(rows.top_k[:n], 0),
            self._control(rows.top_p[:n], 1.0),
        )
        drawn = chosen.cpu().numpy()
        self._remember(logprobs, chosen, drawn)
        finished = self.ends[drawn] | (rows.made[:n] >= rows.limit[:n]) | self.stop_table[rows.stop[:n], drawn]
        done = self._leave(np.flatnonzero(finished), chosen)
        if rows.count:
            self._advance(chosen[: rows.count])
        return done

    # ---------------------------------------------------------------------------------- entering

    def _admit(self) -> None:
        """Let waiting jobs into free slots: copy the keys and values of their prompts, and the logits after them."""
        if not self.waiting:
            # rows of like length run together: each step costs as much as its longest row
            batch = [self.queued.popleft() for _ in range(min(len(self.queued), SORTED * self.slots))]
            self.waiting.extend(sorted(batch, key=lambda job: len(job.prompted.ids)))
        reach = int(self.rows.reach[: self.rows.count].max(initial=0))
        groups: dict[int, list[Job]] = {}
        count = self.rows.count
        while self.waiting and count < self.slots:
            job = self.waiting[0]
            if job.prompted.prefill is None:
                self.prompts.read(ahead(other.prompted for other in self.waiting))
            prefill = job.prompted.prefill
            assert prefill is not None
            reach = max(reach, job.reach)
            count += 1
            if count > 1 and count * reach * prefill.token_bytes > self.memory:
                break
            groups.setdefault(id(prefill), []).append(self.waiting.popleft())
        for group in groups.values():
            self._enter(group)

    def _enter(self, jobs: list[Job]) -> None:
        """Start jobs whose prompts were read together."""
        prefill = jobs[0].prompted.prefill
        assert prefill is not None
        if self.cache is None or self.logits is None:
            self._begin(prefill)
        assert self.cache is not None
        assert self.logits is not None
        slots = self.rows.enter(jobs, [self._stop_set(job.request.sampling.stop) for job in jobs])
        self.cache.enter(slots, [job.prompted for job in jobs], prefill)
        self.logits[self._tensor(slots)] = prefill.logits[[job.prompted.row for job in jobs]]
        for job in jobs:
            self.prompts.release(job.prompted)

    def _begin(self, like: Prefill) -> None:
        """Make the cache, and the tables that need the size of the vocabulary."""
        size = like.logits.shape[1]
        self.cache = self.network.cache(like.past, self.slots)
        self.logits = like.logits.new_zeros(self.slots, size)
        self.ends = np.isin(np.arange(size), self.codec.ends)
        self.stop_table = np.zeros((1, size), bool)

    def _stop_set(self, stop: tuple[str, ...]) -> int:
        """The row of `stop_table` with the tokens that may complete one of these strings."""
        if stop not in self.stops:
            lasts = {text[-1] for text in stop if text}
            row = np.zeros((1, self.stop_table.shape[1]), bool)
            for token, piece in enumerate(self.codec.pieces[: row.shape[1]]):
                # a lone byte of a longer character shows as U+FFFD and may complete anything
                row[0, token] = "\ufffd" in piece or any(last in piece for last in lasts)
            self.stops[stop] = len(self.stop_table)
            self.stop_table = np.concatenate([self.stop_table, row])
        return self.stops[stop]

    # ---------------------------------------------------------------------------------- running

    def _remember(self, logprobs: Tensor, chosen: Tensor, drawn: NDArray[np.int64]) -> None:
        """Write the drawn tokens, and what is asked about them, into the rows' histories."""
        rows, n = self.rows, self.rows.count
        at = np.arange(n)
        made = np.minimum(rows.made[:n], rows.tokens.shape[1] - 1)
        rows.tokens[at, made] = drawn
        rows.made[:n] += 1
        if not rows.wants[:n].any():
            return
        rows.stats[at, made] = measures(logprobs, chosen).cpu().numpy().T
        k = min(rows.top_ids.shape[2], logprobs.shape[1])
        if k:
            top = logprobs.topk(k)
            rows.top_ids[at, made, :k] = top.indices.cpu().numpy()
            rows.top_logprobs[at, made, :k] = top.values.cpu().numpy()

    def _advance(self, chosen: Tensor) -> None:
        """Read each row's new token."""
        assert self.logits is not None
        self.logits[: len(chosen)] = self.network.step(self.cache, chosen)

    # ---------------------------------------------------------------------------------- leaving

    def _leave(self, slots: Slots, chosen: Tensor) -> Done:
        """Answer rows that may be at their end; the last rows, with their new tokens, fill the gaps."""
        if not slots.size:
            return []
        assert self.cache is not None
        assert self.logits is not None
        diverged = self.logits[self._tensor(slots)].isnan().any(1).tolist()
        replies = [self._finish(slot, bad) for slot, bad in zip(slots.tolist(), diverged, strict=True)]
        left = slots[[reply is not None for reply in replies]]
        filled, sources = self.rows.leave(left)
        self.cache.leave(left)
        if filled.size:
            self.cache.move(filled, sources)
            chosen[self._tensor(filled)] = chosen[self._tensor(sources)]
        return [reply for reply in replies if reply is not None]

    def _finish(self, slot: int, diverged: bool) -> tuple[int, Reply | Exception] | None:
        """Answer a row that drew an end token, reached its limit or wrote a stop string; None if it did not."""
        rows, job = self.rows, self.rows.jobs[slot]
        made = int(rows.made[slot])
        ids: list[int] = rows.tokens[slot, :made].tolist()
        ended = bool(self.ends[ids[-1]])
        body = ids[:-1] if ended else ids
        text = self.codec.decode(body)
        sampling = job.request.sampling
        cuts = [cut for stop in sampling.stop if stop and (cut := text.find(stop)) >= 0]
        if not (cuts or ended or made >= job.limit):
            return None
        if diverged:
            return job.ticket, ModelError("the model's logits are not numbers; its weights have diverged")
        kept = text[: min(cuts)] if cuts else text
        tokens = None
        if sampling.logprobs is not None:
            tokens = self._tokens(slot, self._shares(body, text, len(kept)), sampling.logprobs)
        finish: Literal["stop", "length"] = "stop" if cuts or ended else "length"
        return job.ticket, Generation(kept, tokens, finish, Usage(len(job.prompted.ids), made))

    def _shares(self, body: list[int], text: str, end: int) -> list[str]:
        """The text of each token, as far as it begins before character `end` of the text."""
        shares = self.codec.split(body, text)
        if end < len(text):
            starts = accumulate(map(len, shares), initial=0)
            shares = [share[: end - start] for share, start in zip(shares, starts, strict=False) if start < end]
        return shares

    def _tokens(self, slot: int, shares: list[str], k: int) -> tuple[Token, ...]:
        count = len(shares)
        stats = self.rows.stats[slot, :count].tolist()
        tops: list[tuple[tuple[str, float], ...]] = [()] * count
        if k:
            ids = self.rows.top_ids[slot, :count, :k].tolist()
            logprobs = self.rows.top_logprobs[slot, :count, :k].tolist()
            tops = [
                tuple((self.codec.piece(token), logprob) for token, logprob in zip(*pair, strict=True))
                for pair in zip(ids, logprobs, strict=True)
            ]
        return tuple(
            Token(share, logprob, top, entropy, certainty)
            for share, (logprob, entropy, certainty), top in zip(shares, stats, tops, strict=True)
        )

    # ---------------------------------------------------------------------------------- devices

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def _control(self, column: NDArray[Any], neutral: float) -> Tensor | None:
        """A column on the device; None when every row has the neutral value."""
        return None if (column == neutral).all() else self._tensor(column)
