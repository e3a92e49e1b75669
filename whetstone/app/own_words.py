"""Requests as a model would meet them: texts that a stand-in made up give way to what the model itself writes there.

A model with a notation of its own refuses a made-up review in English, though it reads the reviews that it writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from whetstone.core.errors import WhetstoneError
from whetstone.core.flow import Flow, drive
from whetstone.core.types import Form, Generation, Message, Model, Part, Request, Sample

LONGEST = 256
"""Tokens of a model's own text at most."""
SHORTEST = 20
"""Characters that tell a piece of a made-up text from a number or a word."""


def in_own_words(model: Model, requests: Mapping[str, Request], made_up: Mapping[str, Sample]) -> dict[str, Request]:
    """Those requests that hold made-up texts, with the model's own in their place.

    Args:
        requests: by any name.
        made_up: each text with the request that it was the reply to; the model is asked that.

    Requests without made-up texts, and those whose texts the model will not write, are left out.
    """
    found = {name: {text for value in values(request) if (text := source(value, made_up))} for name, request in
             requests.items()}  # fmt: skip
    wanted = {text: made_up[text] for texts in found.values() for text in texts}

    def write(request: Sample) -> Flow[str | None]:
        sampling = replace(request.sampling, max_tokens=min(LONGEST, request.sampling.max_tokens))
        try:
            (reply,) = yield [replace(request, sampling=sampling)]
        except WhetstoneError:
            return None
        return reply.text if isinstance(reply, Generation) else None

    own = drive({text: write(request) for text, request in wanted.items()}, {"policy": model}).results
    return {
        name: replace(requests[name], prompt=tuple(spoken(m, made_up, own) for m in requests[name].prompt))
        for name, texts in found.items()
        if texts and all(own.get(text) is not None for text in texts)
    }


def values(request: Request) -> list[str]:
    """All texts of a request's prompt: the fields of its forms and what stands beside them."""
    found: list[str] = []
    parts: list[Part] = [part for message in request.prompt for part in message.parts]
    while parts:
        part = parts.pop()
        if isinstance(part, Form):
            parts += [value for _, value in part.fields]
        elif isinstance(part, str):
            found.append(part)
    return found


def source(value: str, made_up: Mapping[str, Sample]) -> str:
    """The made-up text that a value holds or is pieced together from; "" if there is none."""
    pieces = [piece.strip() for piece in value.split("\n\n")]
    for text in made_up:
        if text in value or (len(pieces[0]) >= SHORTEST and pieces[0] in text):
            return text
    return ""


def spoken(message: Message, made_up: Mapping[str, Sample], own: Mapping[str, str | None]) -> Message:
    """A message with the model's own texts."""

    def say(part: Part) -> Part:
        if isinstance(part, Form):
            fields = tuple((name, say(value)) for name, value in part.fields)
            return replace(part, fields=fields)  # type: ignore[arg-type]  # no field is an image
        text = source(part, made_up) if isinstance(part, str) else ""
        return own[text] or "" if text else part

    return replace(message, parts=tuple(map(say, message.parts)))
