"""What clients ask: JSON bodies, checked field by field, as requests to a model.

A field that this server does not know or offer is refused by name, so that nobody believes it was heeded.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from math import isfinite
from typing import Any, Literal, cast

from whetstone.core.types import Message, Prompt, Sample, Sampling
from whetstone.models.serve.requests import Reading, Wanted, raw

MOST = 1024
ALTERNATIVES = 20
SHORT = 16
"""`max_tokens` of a plain completion that names none, as OpenAI's interface has it."""

SHARED = {"model", "max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "n", "logprobs", "stream"}
SHARED |= {"prompt_logprobs"}
FIELDS = {
    "completions": SHARED | {"prompt", "echo"},
    "chat": SHARED
    | {"messages", "max_completion_tokens", "top_logprobs", "continue_final_message", "add_generation_prompt"},
    "embeddings": {"model", "input", "encoding_format"},
}
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "best_of": (1,),
    "suffix": ("",),
    "response_format": ({"type": "text"},),
    "tools": ([],),
    "tool_choice": ("none",),
    "modalities": (["text"],),
}
"""Fields of OpenAI's interface that are not offered, with the values that ask for nothing."""
UNHEEDED = {"user", "metadata", "store", "service_tier", "stream_options", "safety_identifier", "prompt_cache_key"}
"""Fields that change no reply."""

ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}

Api = Literal["completions", "chat"]


class Refused(Exception):
    """A request that this server will not answer; the message says what to change."""

    def __init__(self, message: str, field: str | None = None, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.field, self.status, self.code = field, status, code


@dataclass(frozen=True)
class Asked:
    """A call, read.

    Attributes:
        prompts: what is to be continued, each `n` times.
        texts: the raw texts of plain completions, for echoing.
        sampling: of the first sample of each prompt; None when nothing is to be written.
        reads: whether log-probabilities of the prompts' own tokens are asked for.
        alternatives: how many alternatives to name for each token; None: no log-probabilities of samples.
    """

    api: Api
    prompts: tuple[Prompt, ...]
    texts: tuple[str, ...]
    sampling: Sampling | None
    n: int
    reads: bool
    echo: bool
    alternatives: int | None
    stream: bool

    @property
    def requests(self) -> list[Wanted]:
        """Prompt by prompt: its reading if there is one, then its samples."""
        wanted: list[Wanted] = []
        for prompt in self.prompts:
            if self.reads:
                wanted.append(Reading(prompt))
            if self.sampling is not None:
                wanted += [Sample(prompt, _seeded(self.sampling, i)) for i in range(self.n)]
        return wanted


def read(api: Api, body: Mapping[str, Any], *, context: int) -> Asked:
    """A call to `/v1/completions` or `/v1/chat/completions`.

    Args:
        body: its JSON.
        context: `max_tokens` of a chat that names none.

    Raises:
        Refused: something is missing, of the wrong kind or not offered.
    """
    check(api, body)
    texts: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...]
    if api == "chat":
        prompts = (_messages(body),)
        name = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
        limit = _whole(body, name, context, least=1)
        wanted = _flag(body, "logprobs")
        alternatives = _whole(body, "top_logprobs", 0, most=ALTERNATIVES) if wanted else None
    else:
        texts = _texts(body, "prompt")
        prompts = tuple(map(raw, texts))
        limit = _whole(body, "max_tokens", SHORT)
        given = body.get("logprobs")
        alternatives = None if given is None else _whole(body, "logprobs", 0, most=ALTERNATIVES)
    echo = _flag(body, "echo")
    reads = (echo and alternatives is not None) or body.get("prompt_logprobs") is not None
    if reads and _whole(body, "prompt_logprobs", 0):
        raise Refused("prompt_logprobs above 0 is not offered; 0 gives the prompt's own tokens", "prompt_logprobs")
    if not limit and not echo:
        raise Refused("max_tokens must be at least 1", "max_tokens")
    n = _whole(body, "n", 1, least=1)
    if n * len(prompts) > MOST:
        raise Refused(f"{n * len(prompts)} replies in one call are too many; ask for {MOST} at most", "n")
    sampling = Sampling(
        temperature=_number(body, "temperature", 1.0, 0.0, 100.0),
        top_p=_number(body, "top_p", 1.0, 0.0, 1.0),
        top_k=max(_whole(body, "top_k", 0, least=-1), 0),
        max_tokens=limit,
        stop=_stops(body.get("stop")),
        seed=_seed(body.get("seed")),
        logprobs=alternatives,
    )
    return Asked(
        api,
        prompts,
        texts,
        sampling if limit else None,
        n,
        reads,
        echo,
        alternatives,
        _flag(body, "stream"),
    )


def inputs(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of a call to `/v1/embeddings`. Raises Refused."""
    check("embeddings", body)
    if body.get("encoding_format", "float") not in ("float", "base64"):
        raise Refused("encoding_format must be float or base64", "encoding_format")
    return _texts(body, "input")


def check(api: str, body: Mapping[str, Any]) -> None:
    """Refuse fields that are not offered."""
    for name, value in body.items():
        if name in FIELDS[api] or name in UNHEEDED or value is None:
            continue
        if name not in NEUTRAL:
            raise Refused(f"this server does not know the field {name}", name)
        if value not in NEUTRAL[name]:
            raise Refused(f"{name} is not offered here", name)


def _seeded(sampling: Sampling, index: int) -> Sampling:
    """The sampling of sample `index`: the first has the seed that was asked for."""
    if not index:
        return sampling
    digest = sha256(f"{sampling.seed}/{index}".encode()).digest()
    return replace(sampling, seed=int.from_bytes(digest[:4], "big") >> 1)


def _seed(value: Any) -> int:
    if value is None:
        return secrets.randbits(31)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("seed must be a whole number", "seed")
    return value % 2**63


def _stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise Refused("stop must be a text or a list of texts", "stop")
    return tuple(filter(None, stops))


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Refused(f"{name} must be a text or a list of texts; token numbers are not offered", name)
    return tuple(texts)


def _messages(body: Mapping[str, Any]) -> Prompt:
    turns = body.get("messages")
    if not isinstance(turns, list) or not turns:
        raise Refused("messages must be a list of at least one message", "messages")
    prompt = tuple(map(_message, turns))
    going_on = _flag(body, "continue_final_message")
    if going_on != (prompt[-1].role == "assistant"):
        if going_on:
            raise Refused("continue_final_message needs a last message by the assistant", "continue_final_message")
        raise Refused(
            "the last message is the assistant's; set continue_final_message to have it continued", "messages"
        )
    if _flag(body, "add_generation_prompt", not going_on) == going_on:
        raise Refused("add_generation_prompt must be the opposite of continue_final_message", "add_generation_prompt")
    return prompt


def _message(turn: Any) -> Message:
    if not isinstance(turn, dict):
        raise Refused("a message must be an object with role and content", "messages")
    role = ROLES.get(turn.get("role", ""))
    if role is None:
        raise Refused(f"messages by {turn.get('role')!r} are not offered; there are {', '.join(ROLES)}", "messages")
    content = turn.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list):
        raise Refused("the content of a message must be a text or a list of parts", "messages")
    return Message(role, ("".join(map(_part, parts)),))


def _part(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind != "text" or not isinstance(part.get("text"), str):
        raise Refused(f"a content part of type {kind!r} is not offered; this server reads text only", "messages")
    return cast(str, part["text"])


def _flag(body: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Refused(f"{name} must be true or false", name)
    return value


def _whole(body: Mapping[str, Any], name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise Refused(f"{name} must be a whole number {bounds}", name)
    return value


def _number(body: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    kind = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not kind or not isfinite(value) or not low <= value <= high:
        raise Refused(f"{name} must be a number from {low:g} to {high:g}", name)
    return float(value)
