"""What clients get: replies of a model as JSON in the shape of OpenAI's interface."""

from __future__ import annotations

import struct
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from whetstone.core.types import Embedding, Generation, Token
from whetstone.models.serve.asked import Asked
from whetstone.models.serve.requests import Given, Read

FLOOR = -9999.0
"""Stands for minus infinity, which JSON cannot write."""
FINISH = {"stop": "stop", "length": "length", "filter": "content_filter"}
OBJECT = {"chat": "chat.completion", "completions": "text_completion"}
NAMES = {"chat": "chatcmpl", "completions": "cmpl"}


@dataclass(frozen=True)
class Prompted:
    """The replies to one prompt."""

    text: str
    reading: Read | None
    samples: Sequence[Generation]


def answer(asked: Asked, given: Sequence[Given], model: str) -> dict[str, Any]:
    """The answer to a call whose requests were all answered.

    Args:
        given: replies in the order of `asked.requests`.
        model: the model's name.
    """
    choices: list[dict[str, Any]] = []
    read, written, prompt_logprobs = 0, 0, None
    for prompted in _by_prompt(asked, given):
        reading, samples = prompted.reading, prompted.samples
        read += len(reading.ids) if reading else samples[0].usage.prompt if samples else 0
        written += sum(sample.usage.completion for sample in samples)
        if reading and asked.alternatives is None:
            prompt_logprobs = _prompt_logprobs(reading)
        for sample in samples or [Generation("", ())]:
            body = _chat(asked, sample) if asked.api == "chat" else _plain(asked, prompted, sample)
            finish = FINISH[sample.finish] if samples else "length"
            choices.append({"index": len(choices), **body, "finish_reason": finish})
    value: dict[str, Any] = {
        "id": f"{NAMES[asked.api]}-{uuid.uuid4().hex}",
        "object": OBJECT[asked.api],
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": _usage(read, written),
    }
    if prompt_logprobs is not None:
        value["prompt_logprobs"] = prompt_logprobs
    return value


def pieces(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An answer as the events of a stream: each choice in one piece."""
    chat = value["object"] == OBJECT["chat"]
    head = {name: value[name] for name in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk" if chat else value["object"]
    for choice in value["choices"]:
        finish = {"finish_reason": choice["finish_reason"]}
        if chat:
            shown = {"index": choice["index"], "delta": choice["message"], "logprobs": choice["logprobs"]}
            yield {**head, "choices": [{**shown, "finish_reason": None}]}
            yield {**head, "choices": [{"index": choice["index"], "delta": {}, **finish}]}
        else:
            yield {**head, "choices": [choice]}
    yield {**head, "choices": [], "usage": value["usage"]}


def models(name: str) -> dict[str, Any]:
    """The one model that is here."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "whetstone"}


def vectors(replies: Sequence[Embedding], model: str, *, packed: bool) -> dict[str, Any]:
    """The answer to a call for embeddings; `packed` writes them as little-endian float32 in base 64."""
    data = []
    for i, reply in enumerate(replies):
        vector: Any = list(reply.vector)
        if packed:
            vector = b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        data.append({"object": "embedding", "index": i, "embedding": vector})
    return {"object": "list", "data": data, "model": model, "usage": _usage(sum(r.usage.prompt for r in replies), 0)}


def _by_prompt(asked: Asked, given: Sequence[Given]) -> Iterator[Prompted]:
    step = asked.reads + (asked.n if asked.sampling is not None else 0)
    for i in range(len(asked.prompts)):
        mine = given[i * step : (i + 1) * step]
        reading = next((reply for reply in mine if isinstance(reply, Read)), None)
        samples = [reply for reply in mine if isinstance(reply, Generation)]
        yield Prompted(asked.texts[i] if asked.texts else "", reading, samples)


def _chat(asked: Asked, sample: Generation) -> dict[str, Any]:
    logprobs = None
    if asked.alternatives is not None and sample.tokens is not None:
        logprobs = {"content": [_token(token) for token in sample.tokens], "refusal": None}
    message = {"role": "assistant", "content": sample.text, "refusal": None}
    return {"message": message, "logprobs": logprobs}


def _token(token: Token) -> dict[str, Any]:
    return {**_named(token.text, token.logprob), "top_logprobs": [_named(*pair) for pair in token.top]}


def _named(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": max(logprob, FLOOR), "bytes": list(text.encode("utf-8", "replace"))}


def _plain(asked: Asked, prompted: Prompted, sample: Generation) -> dict[str, Any]:
    text = prompted.text + sample.text if asked.echo else sample.text
    if asked.alternatives is None or sample.tokens is None:
        return {"text": text, "logprobs": None}
    tokens: list[tuple[str, float | None, dict[str, float] | None]] = []
    if asked.echo and prompted.reading is not None:
        tokens.append((prompted.reading.first, None, None))
        # a model that gives no alternatives of given tokens must not seem to have chosen them
        tokens += [(t.text, max(t.logprob, FLOOR), None) for t in prompted.reading.rest.tokens or ()]
    tokens += [(t.text, max(t.logprob, FLOOR), _likeliest(t)) for t in sample.tokens]
    starts = accumulate((len(text) for text, _, _ in tokens), initial=0 if asked.echo else len(prompted.text))
    lists = {
        "tokens": [text for text, _, _ in tokens],
        "token_logprobs": [logprob for _, logprob, _ in tokens],
        "top_logprobs": [top for _, _, top in tokens],
        "text_offset": list(starts)[:-1],
    }
    return {"text": text, "logprobs": lists}


def _likeliest(token: Token) -> dict[str, float]:
    """The alternatives by text, and the token itself; of several with one text the likeliest."""
    top: dict[str, float] = {}
    for text, logprob in (*token.top, (token.text, token.logprob)):
        top.setdefault(text, max(logprob, FLOOR))
    return top


def _prompt_logprobs(reading: Read) -> list[dict[str, Any] | None]:
    """Per token of the prompt a mapping from its id, as vLLM writes it; nothing for the first."""
    places: list[dict[str, Any] | None] = [None]
    for token_id, token in zip(reading.ids[1:], reading.rest.tokens or (), strict=True):
        places.append({str(token_id): {"logprob": max(token.logprob, FLOOR), "decoded_token": token.text}})
    return places


def _usage(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
