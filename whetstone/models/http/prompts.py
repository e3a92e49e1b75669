"""Prompts as servers read them: forms in English, images and sounds byte for byte."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Form, Media, Message, Prompt
from whetstone.models.text import as_text, holds_media

FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav"}


def messages(prompt: Prompt) -> list[dict[str, Any]]:
    """The messages of a chat. A message of text alone is a plain string, which every server reads."""
    return [{"role": message.role, "content": _content(message)} for message in prompt]


def plain(prompt: Prompt) -> str:
    """One text to continue: a single message as it is, a conversation with the speakers named.

    Raises:
        Unsupported: the prompt holds an image or a sound.
    """
    if holds_media(prompt):
        raise Unsupported("plain completions read text only; use api=chat for images and sounds")
    return as_text(prompt)


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(part, Media) for part in message.parts):
        return message.text
    parts: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Media):
            parts.append(_media(part))
            continue
        text = part.text if isinstance(part, Form) else part
        if parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += text
        else:
            parts.append({"type": "text", "text": text})
    return parts


def _media(media: Media) -> dict[str, Any]:
    if media.data is None:
        if media.url is None:
            raise ModelError(f"an {media.kind} of the prompt has neither data nor url")
        kind = f"{media.kind}_url"
        return {"type": kind, kind: {"url": media.url}}
    data = b64encode(media.data).decode()
    if media.kind == "image":
        return {"type": "image_url", "image_url": {"url": f"data:{media.mime};base64,{data}"}}
    sound = FORMATS.get(media.mime) or media.mime.partition("/")[2]
    return {"type": "input_audio", "input_audio": {"data": data, "format": sound}}
