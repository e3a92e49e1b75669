"""Between text and token ids: chat template, dialect or plain text, tokeniser, end tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Media, Prompt
from whetstone.models.dialect import Dialect

HALF = re.compile("[\ud800-\udfff]")
"""Half of a character in UTF-16, which JSON can hold and no tokenizer reads."""


class TextCodec:
    """Reads prompts and writes texts for one model.

    Args:
        tokenizer: a Hugging Face tokenizer.
        dialect: renders prompts instead of the tokenizer's chat template.
        ends: ids that end a text, most usual first.

    Without dialect and chat template a single message is taken as plain text to continue, and a conversation is
    written with `User:` and `Assistant:`. A last message by the assistant is continued, not answered.
    """

    def __init__(self, tokenizer: Any, dialect: Dialect | None, ends: Sequence[int]) -> None:
        if not ends:
            raise ModelError("the checkpoint names no end-of-text token (eos_token_id)")
        self.tokenizer, self.dialect = tokenizer, dialect
        self.ends = tuple(ends)
        self.end = tokenizer.eos_token_id if tokenizer.eos_token_id in self.ends else self.ends[0]
        self.continuation = lru_cache(maxsize=4096)(self._continuation)
        self._anchor = self._encode("\n")

    def prompt(self, prompt: Prompt) -> tuple[int, ...]:
        """Token ids of a prompt.

        Raises:
            Unsupported: it holds an image or a sound, the dialect cannot express it, or characters that the
                vocabulary lacks would be read as something else.
            ModelError: it is empty.
        """
        if holds_media(prompt):
            raise Unsupported("this model reads text only")
        if self.dialect is not None:
            text = self.dialect.encode(prompt)
        else:
            text = self._chat(prompt) if self.tokenizer.chat_template else as_text(prompt)
        ids = self._encode(text, special=self.dialect is not None or not self.tokenizer.chat_template)
        if ids and ids[-1] in self.ends:
            ids = ids[:-1]
        if self._unknown in ids and self._unknown in self._other:
            raise self._strange(text)
        self._keep_all(text)
        if not ids:
            raise ModelError("the prompt is empty")
        return ids

    def _continuation(self, text: str) -> tuple[int, ...]:
        """Token ids of a text that follows a prompt directly.

        Raises:
            Unsupported: the model's vocabulary cannot spell it.
        """
        ids = self._encode("\n" + text)
        if ids[: len(self._anchor)] == self._anchor:
            ids = ids[len(self._anchor) :]
        else:
            ids = self._encode(text)
        if self._unknown in ids:
            raise self._strange(text)
        if (self.dialect is not None or not ids) and self.decode(ids) != text:
            raise self._strange(text)
        self._keep_all(text)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without special tokens."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None:
            return str(backend.decode(list(ids), skip_special_tokens=True))
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    @cached_property
    def pieces(self) -> list[str]:
        """The text of every token by itself; special tokens are empty."""
        count = len(self.tokenizer)
        names = self.tokenizer.convert_ids_to_tokens(list(range(count)))
        texts = self.tokenizer.batch_decode(
            [[i] for i in range(count)], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return [
            " " + text if name and name.startswith("▁") and not text.startswith(" ") else text
            for name, text in zip(names, texts, strict=True)
        ]

    def piece(self, token: int) -> str:
        """The text of one token; an id that the tokenizer does not know is empty."""
        return self.pieces[token] if token < len(self.pieces) else ""

    def split(self, ids: Sequence[int], text: str) -> list[str]:
        """The share of each token in `text`, so that the shares joined are the text."""
        shares = [self.piece(token) for token in ids]
        if "".join(shares) == text:
            return shares
        # a character may need several tokens, and some tokenizers drop a leading space
        shares, start = [], 0
        for count in range(1, len(ids) + 1):
            head = self.decode(ids[:count])
            end = len(head) if text.startswith(head) else start
            shares.append(text[start:end])
            start = end
        if shares:
            shares[-1] += text[start:]
        return shares

    @cached_property
    def _unknown(self) -> int | None:
        """The token that stands for what the vocabulary lacks; few tokenizers name it as special."""
        if self.tokenizer.unk_token_id is not None:
            return int(self.tokenizer.unk_token_id)
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        name = getattr(getattr(backend, "model", None), "unk_token", None)
        return None if backend is None or name is None else backend.token_to_id(name)

    @cached_property
    def _other(self) -> set[int | None]:
        """What the unknown token means besides: padding or an end, or nothing that the tokenizer tells of."""
        named = self.tokenizer.unk_token_id is not None
        return {self.tokenizer.pad_token_id, *self.ends, *(() if named else (self._unknown,))}

    @cached_property
    def _drops(self) -> bool:
        """Does the tokenizer leave out what its vocabulary lacks, without any token in its place?"""
        return hasattr(self.tokenizer, "backend_tokenizer") and not self._encode("\U0010fffd")

    def _keep_all(self, text: str) -> None:
        """Raise Unsupported where the tokenizer leaves out a character of the text."""
        if not self._drops:
            return
        offsets = self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).offsets
        kept = {place for start, end in offsets for place in range(start, end)}
        if any(place not in kept and not character.isspace() for place, character in enumerate(text)):
            raise self._strange(text)

    def _strange(self, text: str) -> Unsupported:
        """The error of a text that the vocabulary cannot spell; it names the first character that is at fault."""
        for character in text:
            ids = self._encode(character)
            if self._unknown in ids or not (ids or character.isspace()):
                return Unsupported(f"the model's vocabulary cannot spell {character!r} in {text[:40]!r}")
        return Unsupported(f"the model's vocabulary cannot spell {text[:40]!r}")

    def _encode(self, text: str, special: bool = False) -> tuple[int, ...]:
        half = HALF.search(text)
        if half:
            raise Unsupported(f"the text holds {half[0]!r}, which is half a character")
        return tuple(self.tokenizer.encode(text, add_special_tokens=special))

    def _chat(self, prompt: Prompt) -> str:
        turns = [{"role": message.role, "content": message.text} for message in prompt]
        going_on = prompt[-1].role == "assistant"
        try:
            text = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=not going_on, continue_final_message=going_on
            )
        except Exception as error:  # templates are programs of their own and raise what they like
            raise ModelError(f"the model's chat template refuses this conversation: {error}") from error
        return str(text)


def as_text(prompt: Prompt) -> str:
    """One text to continue: a single message as it is, a conversation with the speakers named."""
    if len(prompt) == 1:
        return prompt[0].text
    speakers = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    lines = [speakers[message.role] + message.text for message in prompt]
    if prompt[-1].role != "assistant":
        lines.append("Assistant:")
    return "\n\n".join(lines)


def holds_media(prompt: Prompt) -> bool:
    """Is there an image or a sound in it?"""
    return any(isinstance(part, Media) for message in prompt for part in message.parts)
