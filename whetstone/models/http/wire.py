"""What is said to a server: requests to JSON, JSON to replies, and what was learned about the server on the way.

Servers differ in what they accept. What one refuses by name is left out from then on where that changes no text (and
counted), else the request is answered with `Unsupported`, so that a method abstains.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Embed, Embedding, Generation, Prompt, Reply, Request, Sample, Score, Usage
from whetstone.models.http import scoring
from whetstone.models.http.errors import (
    MEDIA,
    RequestRefused,
    Trouble,
    UnknownModel,
    WrongBaseUrl,
    message_of,
    one_line,
)
from whetstone.models.http.prompts import messages, plain
from whetstone.models.http.replies import generations, parse
from whetstone.models.http.scoring import NotOffered
from whetstone.models.http.settings import Settings
from whetstone.models.text import holds_media

NEEDED = ("top_k", "top_p", "temperature", "stop", "response_format", "continue_final_message", "add_generation_prompt")
"""Fields that change the text: without them a request cannot be answered."""


class Changed(Exception):
    """Something was learned: the same requests are asked again in another way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: where to, with what body, and by which way of scoring ("" for other requests).

    A `trial` only finds out whether that way can be believed here.
    """

    path: str
    body: Mapping[str, Any]
    way: str = ""
    trial: bool = False


class Wire:
    """One model's way of speaking.

    Attributes:
        seen: counts of what was left out or came back unusable, by reason.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seen: Counter[str] = Counter()
        self.without: set[str] = set()
        self.choices = settings.choices
        self.alternatives = scoring.ALTERNATIVES
        ways = ("echo", "prompt_logprobs") if settings.api == "completions" else ("prompt_logprobs", "first_token")
        self.ways = {"auto": list(ways), "none": []}.get(settings.scoring, [settings.scoring])
        self.untried = settings.scoring == "auto"
        self.declined: list[str] = []
        self.extra = {"model": settings.model, **settings.extra}

    def groups(self, asked: Sequence[tuple[int, Request]]) -> list[list[tuple[int, Request]]]:
        """Divide requests into calls."""
        together = self.choices > 1
        scores = self.ways[:1] == ["first_token"]
        if not together and not scores:
            return [[pair] for pair in asked]
        calls: list[list[tuple[int, Request]]] = []
        open_calls: dict[Prompt | Sample, list[tuple[int, Request]]] = {}
        for ticket, request in asked:
            if isinstance(request, Sample) and together:
                key: Prompt | Sample = replace(request, sampling=replace(request.sampling, seed=0))
                most = self.choices
            elif isinstance(request, Score) and scores:
                key, most = request.prompt, scoring.ALTERNATIVES
            else:
                calls.append([(ticket, request)])
                continue
            call = open_calls.get(key)
            if call is None or len(call) >= most:
                call = open_calls[key] = []
                calls.append(call)
            call.append((ticket, request))
        return calls

    # ------------------------------------------------------------------------------------- asking

    def ask(self, requests: Sequence[Request]) -> Asked:
        """The call that answers these requests together.

        Raises:
            Unsupported: this server cannot answer them.
        """
        first, way, trial = requests[0], "", False
        if isinstance(first, Sample):
            path, body = self._sample(first, len(requests))
        elif isinstance(first, Score):
            if not self.ways:
                why = f" ({'; '.join(self.declined)})" if self.declined else ""
                raise Unsupported(f"{self.settings.model} on this server cannot score given texts{why}")
            way, path = self.ways[0], self._path
            trial = way == "echo" and self.untried
            most = min(scoring.ALTERNATIVES, self.alternatives)
            body = scoring.trial(first) if trial else scoring.body(way, self.settings.api, first, most)
        else:
            if first.layer != -1:
                raise Unsupported("servers give no hidden states of inner layers")
            path, body = "/embeddings", {"input": plain(first.prompt)}
        if "max_tokens" in body and "max_tokens" in self.without:
            body["max_completion_tokens"] = body.pop("max_tokens")
        return Asked(path, {**self.extra, **body}, way, trial)

    @property
    def _path(self) -> str:
        return "/chat/completions" if self.settings.api == "chat" else "/completions"

    def _sample(self, request: Sample, count: int) -> tuple[str, dict[str, Any]]:
        sampling = request.sampling
        if sampling.max_tokens < 1:
            raise ModelError("max_tokens must be at least 1")
        body: dict[str, Any] = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
        if sampling.top_p != 1.0:
            body["top_p"] = sampling.top_p
        if sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.temperature > 0 and "seed" not in self.without:
            body["seed"] = sampling.seed
        if count > 1:
            body["n"] = count
        if self.settings.schema is not None:
            described = {"name": "reply", "schema": self.settings.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        if sampling.logprobs is not None and "logprobs" not in self.without:
            k = min(sampling.logprobs, self.alternatives)
            if self.settings.api == "completions":
                body["logprobs"] = max(k, 1)
            else:
                body |= {"logprobs": True, **({"top_logprobs": k} if k else {})}
        if self.settings.api == "completions":
            return self._path, {"prompt": plain(request.prompt), **body}
        if request.prompt[-1].role == "assistant":
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return self._path, {"messages": messages(request.prompt), **body}

    # ------------------------------------------------------------------------------------- reading

    def read(self, requests: Sequence[Request], asked: Asked, data: bytes) -> list[Reply | Exception]:
        """Replies to the first of the requests; those that the server left out are missing.

        Raises:
            Trouble: the reply is broken.
            Changed: the requests have to be asked in another way.
        """
        value = parse(data)
        try:
            return self._read(requests, asked, value)
        except NotOffered as missing:
            raise self._next_way(asked.way, str(missing)) from missing
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Trouble("fault", f"a reply of an unknown shape ({error!r})") from error

    def _read(self, requests: Sequence[Request], asked: Asked, value: dict[str, Any]) -> list[Reply | Exception]:
        first = requests[0]
        if isinstance(first, Sample):
            sampling = first.sampling
            wanted = sampling.logprobs if "logprobs" in asked.body else None
            replies = generations(
                value,
                count=len(requests),
                alternatives=wanted,
                limit=sampling.max_tokens,
                seen=self.seen,
                stop=sampling.stop,
            )
            if len(replies) < len(requests):
                self.seen["choices that the server left out (asked again)"] += len(requests) - len(replies)
                self.choices = max(min(self.choices, len(replies)), 1)
            return [self._checked(reply) for reply in replies]
        if isinstance(first, Score) and asked.trial:
            return [self._tried(scoring.in_place(value, first))]
        if isinstance(first, Score):
            return list(scoring.read(asked.way, value, [r for r in requests if isinstance(r, Score)]))
        vector = value["data"][0]["embedding"]
        used = (value.get("usage") or {}).get("prompt_tokens") or 0
        return [Embedding(tuple(map(float, vector)), Usage(used, 0))]

    def _tried(self, believed: bool | None) -> Exception:
        """What a trial of the echo leads to."""
        self.seen["calls that only tried out scoring by echo"] += 1
        if believed is None:
            return Unsupported(
                "from this prompt it cannot be told whether the server's echo is off by a token; "
                "scoring=echo takes it on trust"
            )
        if not believed:
            raise NotOffered("its echo gives each token the log-probability of the next one")
        self.untried = False
        raise Changed

    def _checked(self, reply: Generation) -> Reply | Exception:
        """With a schema, a whole reply that is not JSON shows that the server ignores it."""
        if self.settings.schema is None or reply.finish != "stop":
            return reply
        try:
            read_json(reply.text)
        except ValueError:
            return Unsupported(f"{self.settings.model} on this server does not follow a JSON schema")
        return reply

    # ------------------------------------------------------------------------------------- learning

    def refused(self, requests: Sequence[Request], asked: Asked, data: bytes, error: Exception) -> Exception:
        """What a refusal means: `Changed` when the requests can be asked in another way, else the final error.

        Args:
            data: the server's answer.
            error: what it means by itself.
        """
        first, body = requests[0], asked.body
        said, _ = message_of(data)
        if isinstance(first, Embed):
            broken = isinstance(error, Trouble) and "embedding" not in said.lower()
            known = isinstance(error, (RequestRefused, WrongBaseUrl, UnknownModel, Trouble))
            return Unsupported(f"this server gives no vectors: {error}") if known and not broken else error
        if not isinstance(error, (RequestRefused, Trouble)):
            return error
        name = named(data, said, body)
        if name in ("max_tokens", "seed"):
            return self._leave_out(name)
        if name in ("logprobs", "top_logprobs") and asked.way in ("", "first_token"):
            most = body.get("top_logprobs", 0) if "messages" in body else body["logprobs"] - 1
            return self._fewer(most, asked.way)
        if isinstance(error, Trouble):
            return error
        if asked.way:
            return self._next_way(asked.way, said)
        if name == "n":
            self.choices = 1
            return Changed()
        if holds_media(first.prompt) and MEDIA.search(said):
            return Unsupported(f"{self.settings.model} on this server takes no such image or sound: {error}")
        if name in NEEDED:
            return Unsupported(f"this server does not take {name}: {error}")
        return error

    def _leave_out(self, name: str) -> Changed:
        if name != "max_tokens" and name not in self.without:
            self.seen[f"{name} left out, which the server refuses"] += 1
        self.without.add(name)
        return Changed()

    def _fewer(self, refused: int, way: str) -> Changed:
        """Ask for fewer alternatives than `refused`; without any, for no log-probabilities."""
        if refused < 1:
            return self._next_way(way, "no log-probabilities") if way else self._leave_out("logprobs")
        fewer = 5 if refused > 5 else 0
        if fewer < self.alternatives:
            self.alternatives = fewer
            self.seen[f"alternatives cut to {fewer}, as the server refuses more"] += 1
        return Changed()

    def _next_way(self, way: str, said: str) -> Changed:
        """Give up a way of scoring."""
        if self.ways[:1] == [way]:
            self.ways.pop(0)
            self.declined.append(f"{way}: {one_line(said, 80)}")
            self.seen[f"scoring by {way} is not offered ({one_line(said, 80)})"] += 1
        return Changed()


def named(data: bytes, said: str, body: Mapping[str, Any]) -> str:
    """The field of a body that a refusal names, else ""."""
    try:
        param = read_json(data)["error"]["param"]
    except (ValueError, KeyError, TypeError):
        param = None
    if isinstance(param, str) and param in body:
        return param
    places = {name: found.start() for name in body if (found := re.search(rf"\b{re.escape(name)}\b", said))}
    places.pop("model", None)
    places.pop("messages", None)
    return min(places, key=lambda name: places[name]) if places else ""
