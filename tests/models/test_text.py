from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.types import Media, Message, user
from whetstone.models.grit import CHECKPOINT
from whetstone.models.text import TextCodec
from whetstone.models.transformers import TransformersModel

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


def nameless(tokenizer):
    """The same, without saying which token stands for the unknown."""
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, eos_token="$", pad_token="_")


def test_what_the_vocabulary_lacks_is_never_read_as_padding(tiny):
    """Also where the tokenizer does not name the token that it puts in its place."""
    for tokenizer in (tiny.character_tokenizer(), nameless(tiny.character_tokenizer())):
        codec = TextCodec(tokenizer, None, [1])
        assert codec.decode(codec.prompt(user("Q7+1?"))) == "Q7+1?"
        for text, strange in (("Q7 + 1?", " "), ("Q7+1?☃", "☃")):
            with pytest.raises(Unsupported, match=f"cannot spell '{strange}' in"):
                codec.prompt(user(text))
        with pytest.raises(Unsupported, match="cannot spell 'Z' in 'c-7Z'"):
            codec.continuation("c-7Z")


def test_a_model_that_learnt_an_unknown_token_reads_it(tiny):
    """The prompt may hold it, as in training; a continuation that is scored may not."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "<pad>": 1, "$": 2, "a": 3, "b": 4}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="$")
    codec = TextCodec(wrapped, None, [2])
    assert codec.prompt(user("a☃b")) == (3, 0, 4)
    with pytest.raises(Unsupported, match="cannot spell '☃'"):
        codec.continuation("a☃")


def test_characters_that_the_tokenizer_leaves_out_are_not_passed_over(tiny):
    tokenizer = Tokenizer(models.BPE({"$": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]))
    codec = TextCodec(PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="$"), None, [0])
    assert codec.prompt(user("abb")) == (3, 2)
    for ask in (lambda text: codec.prompt(user(text)), codec.continuation):
        with pytest.raises(Unsupported, match="cannot spell '☃' in 'a☃b'"):
            ask("a☃b")


def test_half_a_character_is_named(tiny):
    codec = TextCodec(tiny.byte_tokenizer(), None, [0])
    for ask in (lambda text: codec.prompt(user(text)), codec.continuation):
        with pytest.raises(Unsupported, match=r"holds '\\ud83d', which is half"):
            ask("a\ud83d")


def test_grit_s_own_folder_read_without_its_dialect():
    codec = TransformersModel(CHECKPOINT, device="cpu").codec
    assert codec.decode(codec.prompt(user("Q63c-7e-3?"))) == "Q63c-7e-3?"
    with pytest.raises(Unsupported, match="cannot spell 'S' in 'Say yes'"):
        codec.prompt(user("Say yes"))
    with pytest.raises(Unsupported, match="cannot spell 'y'"):
        codec.continuation("yes")
