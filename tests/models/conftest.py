"""Tiny networks and tokenizers, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from whetstone.core.types import Model, Reply, Request
from whetstone.models.transformers import TransformersModel

CHARACTERS = "_$Q?=+-0123456789abcdefghijklmnopTYNCRP<>I|!;#:@"
TEXT = ["the cat sat on the mat and the dog sat on the log", "naïve café, über Straße", "Yes. No. A, B or C?\n\n"] * 4


def character_tokenizer() -> Any:
    """One token a character, end token `$`."""
    tokenizer = Tokenizer(models.WordLevel({c: i for i, c in enumerate(CHARACTERS)}, unk_token="_"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="$", pad_token="_", unk_token="_")


def byte_tokenizer(chat_template: str | None = None) -> Any:
    """Byte-level pairs, so that one character may need several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<end>", "<user>", "<assistant>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", chat_template=chat_template)


def llama(seed: int = 0, *, vocabulary: int = len(CHARACTERS), kv_heads: int = 2, positions: int = 128) -> Any:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=kv_heads,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
        initializer_range=0.2,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
    )
    return LlamaForCausalLM(config).eval()


def gpt2(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=300,
        n_positions=128,
        n_embd=32,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.2,
    )
    return GPT2LMHeadModel(config).eval()


def qwen2(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=None,
        eos_token_id=0,
        initializer_range=0.2,
    )
    return Qwen2ForCausalLM(config).eval()


def ask(model: Model, requests: Sequence[Request]) -> list[Reply | Exception]:
    """Replies in the order of the requests."""
    session = model.open()
    for ticket, request in enumerate(requests):
        session.put(ticket, request)
    replies: dict[int, Reply | Exception] = {}
    while len(replies) < len(requests):
        replies.update(session.poll())
    return [replies[ticket] for ticket in range(len(requests))]


@pytest.fixture(scope="session")
def tiny() -> SimpleNamespace:
    """The makers above."""
    return SimpleNamespace(
        character_tokenizer=character_tokenizer,
        byte_tokenizer=byte_tokenizer,
        llama=llama,
        gpt2=gpt2,
        qwen2=qwen2,
        ask=ask,
    )


@pytest.fixture
def model() -> TransformersModel:
    """A Llama over characters."""
    return TransformersModel.of(llama(), character_tokenizer())
