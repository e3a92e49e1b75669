from __future__ import annotations

import pytest

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Media, Message, user
from whetstone.models.text import TextCodec

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% if not loop.last or add_generation_prompt %}<end>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
TURNS = (Message("user", ("the cat",)), Message("assistant", ("sat",)))


class Shout:
    def encode(self, prompt):
        if "?" not in prompt[0].text:
            raise Unsupported("no question")
        return "Q" + prompt[0].text


def test_plain_text(tiny):
    codec = TextCodec(tiny.byte_tokenizer(), None, [0])
    assert codec.decode(codec.prompt(user("the cat"))) == "the cat"
    assert codec.decode(codec.prompt(TURNS)) == "User: the cat\n\nAssistant: sat"
    assert codec.decode(codec.prompt((*TURNS, Message("user", ("on",))))).endswith("User: on\n\nAssistant:")


def test_chat_template_answers_or_continues(tiny):
    codec = TextCodec(tiny.byte_tokenizer(TEMPLATE), None, [0])
    assert codec.tokenizer.decode(codec.prompt(user("the cat"))) == "<user>the cat<end><assistant>"
    assert codec.tokenizer.decode(codec.prompt(TURNS)) == "<user>the cat<end><assistant>sat"


def test_refusing_template(tiny):
    codec = TextCodec(tiny.byte_tokenizer("{{ raise_exception('no system') }}"), None, [0])
    with pytest.raises(ModelError, match="no system"):
        codec.prompt(user("a"))


def test_dialect(tiny):
    codec = TextCodec(tiny.character_tokenizer(), Shout(), [1])
    assert codec.decode(codec.prompt(user("7+1?"))) == "Q7+1?"
    with pytest.raises(Unsupported, match="no question"):
        codec.prompt(user("7+1"))


def test_media_are_unsupported(tiny):
    with pytest.raises(Unsupported, match="text only"):
        TextCodec(tiny.byte_tokenizer(), None, [0]).prompt((Message("user", ("a", Media("audio", "audio/wav", b""))),))


def test_empty_prompt(tiny):
    with pytest.raises(ModelError, match="empty"):
        TextCodec(tiny.byte_tokenizer(), None, [0]).prompt(user(""))


def test_no_end_token(tiny):
    with pytest.raises(ModelError, match="end-of-text"):
        TextCodec(tiny.byte_tokenizer(), None, [])


def test_continuation_decodes_to_itself(tiny):
    codec = TextCodec(tiny.byte_tokenizer(), None, [0])
    for text in ("Y", " Y", "the cat", "\n\nNo", "ßü", ""):
        assert codec.decode(codec.continuation(text)) == text


def test_what_cannot_be_spelled_is_said(tiny):
    plain, shout = (TextCodec(tiny.character_tokenizer(), dialect, [1]) for dialect in (None, Shout()))
    for codec in (plain, shout):
        assert codec.decode(codec.continuation("c-7")) == "c-7"
        with pytest.raises(Unsupported, match="cannot spell"):
            codec.continuation("c-7 Z")


def test_shares_join_to_the_text(tiny):
    codec = TextCodec(tiny.byte_tokenizer(), None, [0])
    text = "the cat: naïve 日本 Straße"
    ids = codec.continuation(text)
    shares = codec.split(ids, text)
    assert len(shares) == len(ids)
    assert "".join(shares) == text
    assert "\ufffd" not in "".join(shares)
