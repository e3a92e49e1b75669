"""Requests and replies as JSON and back, without loss: NaN, bytes, lone surrogates, nested forms.

A reply's key is the SHA-256 of the model's fingerprint and the request's canonical JSON, in which every field of the
request stands in a fixed order.
"""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.types import (
    Embed,
    Embedding,
    Form,
    Generation,
    Media,
    Message,
    Part,
    Prompt,
    Reply,
    Request,
    Sample,
    Sampling,
    Score,
    Token,
    Usage,
)

COMPRESS_FROM = 512


def plain(value: object) -> Any:
    """What `json` cannot write by itself: dataclasses, mappings, bytes, sets, numpy and torch scalars."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if callable(item := getattr(value, "item", None)):
        return item()
    raise TypeError(f"cannot record a {type(value).__name__}; pass JSON or a dataclass of JSON")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain).encode


def dumps(value: object) -> bytes:
    """Compact JSON in UTF-8, lone surrogates kept."""
    return _encode(value).encode("utf-8", "surrogatepass")


def loads(data: bytes) -> Any:
    """Inverse of `dumps`."""
    return read_json(data.decode("utf-8", "surrogatepass"))


def pack(data: bytes) -> bytes:
    """Compress a JSON object where that saves space; an object's first byte tells which it is."""
    return data if len(data) < COMPRESS_FROM else zlib.compress(data, 1)


def unpack(data: bytes) -> bytes:
    """Inverse of `pack`."""
    return data if data.startswith(b"{") else zlib.decompress(data)


def key_of(fingerprint: str, request: bytes) -> bytes:
    """Key of the reply of a model (by fingerprint) to a request (canonical JSON): 32 bytes."""
    return sha256(fingerprint.encode("utf-8", "surrogatepass") + b"\0" + request).digest()


# --------------------------------------------------------------------------------------- requests


def encode_request(request: Request) -> dict[str, Any]:
    """The canonical form of a request."""
    prompt = [[message.role, [_encode_part(part) for part in message.parts]] for message in request.prompt]
    if isinstance(request, Sample):
        s = request.sampling
        sampling = {
            "temperature": float(s.temperature),
            "top_p": float(s.top_p),
            "top_k": s.top_k,
            "max_tokens": s.max_tokens,
            "stop": s.stop,
            "seed": s.seed,
            "logprobs": s.logprobs,
        }
        return {"ask": "sample", "role": request.role, "prompt": prompt, "sampling": sampling}
    if isinstance(request, Score):
        return {"ask": "score", "role": request.role, "prompt": prompt, "continuation": request.continuation}
    if isinstance(request, Embed):
        return {"ask": "embed", "role": request.role, "prompt": prompt, "layer": request.layer}
    raise TypeError(f"not a request: {type(request).__name__}")


def decode_request(value: Mapping[str, Any]) -> Request:
    """Inverse of `encode_request`."""
    prompt: Prompt = tuple(Message(role, tuple(map(_decode_part, parts))) for role, parts in value["prompt"])
    if value["ask"] == "sample":
        sampling = {**value["sampling"], "stop": tuple(value["sampling"]["stop"])}
        return Sample(prompt, Sampling(**sampling), value["role"])
    if value["ask"] == "score":
        return Score(prompt, value["continuation"], value["role"])
    return Embed(prompt, value["layer"], value["role"])


def _encode_part(part: Part) -> Any:
    if isinstance(part, str):
        return part
    if isinstance(part, Form):
        values = [[name, _encode_part(value)] for name, value in part.fields]
        return {"form": part.name, "template": part.template, "fields": values}
    data = None if part.data is None else b64encode(part.data).decode()
    return {"media": part.kind, "mime": part.mime, "data": data, "url": part.url}


def _decode_part(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if "form" in value:
        values = tuple((name, _decode_part(inner)) for name, inner in value["fields"])
        return Form(value["form"], value["template"], values)
    data = None if value["data"] is None else b64decode(value["data"])
    return Media(value["media"], value["mime"], data, value["url"])


# ---------------------------------------------------------------------------------------- replies


def encode_reply(reply: Reply) -> dict[str, Any]:
    """A reply as JSON: tokens by column, a vector as base64 of little-endian doubles."""
    usage = [reply.usage.prompt, reply.usage.completion]
    if isinstance(reply, Generation):
        return {"text": reply.text, "finish": reply.finish, "usage": usage, "tokens": _columns(reply.tokens)}
    vector = struct.pack(f"<{len(reply.vector)}d", *reply.vector)
    return {"vector": b64encode(vector).decode(), "usage": usage}


def decode_reply(value: Mapping[str, Any]) -> Reply:
    """Inverse of `encode_reply`."""
    usage = Usage(*value["usage"])
    if "vector" in value:
        raw = b64decode(value["vector"])
        return Embedding(struct.unpack(f"<{len(raw) // 8}d", raw), usage)
    tokens = None if value["tokens"] is None else _tokens(value["tokens"])
    return Generation(value["text"], tokens, value["finish"], usage)


def _columns(tokens: Sequence[Token] | None) -> dict[str, list[Any]] | None:
    if tokens is None:
        return None
    return {
        "text": [token.text for token in tokens],
        "logprob": [token.logprob for token in tokens],
        "top": [token.top for token in tokens],
        "entropy": [token.entropy for token in tokens],
        "certainty": [token.certainty for token in tokens],
    }


def _tokens(columns: Mapping[str, Sequence[Any]]) -> tuple[Token, ...]:
    tops = (tuple((text, logprob) for text, logprob in top) for top in columns["top"])
    rows = zip(columns["text"], columns["logprob"], tops, columns["entropy"], columns["certainty"], strict=True)
    return tuple(Token(*row) for row in rows)
