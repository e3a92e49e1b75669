"""Requests and replies survive JSON exactly; equal requests have equal keys and others have not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.core.types import (
    Embed,
    Embedding,
    Form,
    Generation,
    Media,
    Message,
    Sample,
    Sampling,
    Score,
    Token,
    Usage,
    form,
    user,
)
from whetstone.store.encoding import (
    COMPRESS_FROM,
    decode_reply,
    decode_request,
    dumps,
    encode_reply,
    encode_request,
    key_of,
    loads,
    pack,
    unpack,
)

anything = st.text(st.characters(exclude_categories=()))  # lone and paired surrogates included
media = st.builds(
    Media,
    st.sampled_from(["image", "audio"]),
    st.just("image/png"),
    st.none() | st.binary(),
    st.none() | st.just("https://example.org/a.png"),
)
forms = st.recursive(
    st.builds(Form, anything, anything, st.just(())),
    lambda inner: st.builds(
        Form, anything, anything, st.lists(st.tuples(anything, anything | inner), max_size=3).map(tuple)
    ),
    max_leaves=4,
)
messages = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant"]),
    st.lists(anything | forms | media, max_size=3).map(tuple),
)
prompts = st.lists(messages, max_size=3).map(tuple)
samplings = st.builds(
    Sampling,
    st.floats(0, 2),
    st.floats(0, 1),
    st.integers(0, 100),
    st.integers(1, 10**6),
    st.lists(anything, max_size=2).map(tuple),
    st.integers(0, 2**31 - 1),
    st.none() | st.integers(0, 20),
)
requests = (
    st.builds(Sample, prompts, samplings, anything)
    | st.builds(Score, prompts, anything, anything)
    | st.builds(Embed, prompts, st.integers(-40, 40), anything)
)
numbers = st.floats(allow_nan=True, allow_infinity=True)
tokens = st.builds(
    Token,
    anything,
    numbers,
    st.lists(st.tuples(anything, numbers), max_size=3).map(tuple),
    st.none() | numbers,
    st.none() | numbers,
)
usages = st.builds(Usage, st.integers(0, 10**9), st.integers(0, 10**9))
replies = st.builds(
    Generation,
    anything,
    st.none() | st.lists(tokens, max_size=4).map(tuple),
    st.sampled_from(["stop", "length", "filter"]),
    usages,
) | st.builds(Embedding, st.lists(numbers, max_size=8).map(tuple), usages)


@given(requests)
def test_requests_survive(request) -> None:
    body = dumps(encode_request(request))
    assert decode_request(loads(unpack(pack(body)))) == request
    assert dumps(encode_request(decode_request(loads(body)))) == body, "the canonical form is a fixed point"


@given(replies)
def test_replies_survive(reply) -> None:
    """Compared as text, since NaN differs from itself."""
    assert repr(decode_reply(loads(unpack(pack(dumps(encode_reply(reply))))))) == repr(reply)


def test_nan_and_infinities_are_kept() -> None:
    reply = Generation("x", (Token("x", math.nan, (("y", -math.inf),)),))
    back = decode_reply(loads(dumps(encode_reply(reply))))
    assert isinstance(back, Generation)
    assert back.tokens is not None
    assert math.isnan(back.tokens[0].logprob)
    assert back.tokens[0].top == (("y", -math.inf),)


def test_unknown_is_not_empty() -> None:
    """No logprobs (None) and no tokens (an empty text) are two things."""
    for value in (None, ()):
        back = decode_reply(loads(dumps(encode_reply(Generation("", value)))))
        assert isinstance(back, Generation)
        assert back.tokens == value


@given(requests, requests)
def test_equal_requests_have_equal_keys_and_others_have_not(first, second) -> None:
    keys = [key_of("f", dumps(encode_request(request))) for request in (first, second)]
    assert (keys[0] == keys[1]) == (first == second)


def test_every_field_of_a_request_is_in_its_key() -> None:
    base = Sample(user(form("solve", "{q}", q="a")), Sampling(), "policy")
    sampling = base.sampling
    variants = [
        base,
        replace(base, role="judge"),
        replace(base, prompt=user(form("solve", "{q}", q="b"))),
        replace(base, prompt=user(form("solve", "{q}!", q="a"))),
        replace(base, prompt=user(form("other", "{q}", q="a"))),
        replace(base, prompt=user("a")),
        replace(base, prompt=(Message("system", base.prompt[0].parts),)),
        replace(base, prompt=base.prompt * 2),
        *(
            replace(base, sampling=replace(sampling, **{name: value}))
            for name, value in {
                "temperature": 0.5,
                "top_p": 0.5,
                "top_k": 1,
                "max_tokens": 1,
                "stop": ("x",),
                "seed": 1,
                "logprobs": 0,
            }.items()
        ),
        Score(base.prompt, "a"),
        Score(base.prompt, "b"),
        Embed(base.prompt),
        Embed(base.prompt, 0),
    ]
    keys = {key_of("f", dumps(encode_request(request))) for request in variants}
    assert len(keys) == len(variants)
    assert key_of("f", b"{}") != key_of("g", b"{}")


def test_whole_temperatures_are_one_request() -> None:
    keys = {dumps(encode_request(Sample(user("q"), Sampling(temperature=value)))) for value in (1, 1.0)}
    assert len(keys) == 1


def test_keys_stay_the_same_between_versions() -> None:
    """A change here makes every stored reply unreachable: it needs a migration."""
    request = Sample(user("2+2?"), Sampling(temperature=0.7, seed=3))
    assert key_of("weights", dumps(encode_request(request))).hex()[:16] == "8fabc734b50f5b43"


def test_long_values_are_compressed() -> None:
    body = dumps({"text": "so " * COMPRESS_FROM})
    assert len(pack(body)) < len(body) / 10
    assert pack(b'{"a":1}') == b'{"a":1}'


def test_records_take_dataclasses_and_scalars() -> None:
    value = {
        "token": Token("x", -1.0),
        "tuple": (1, 2),
        "set": {"b", "a"},
        "bytes": b"\x00",
        "numpy": [np.float64(0.5), np.float32(0.5), np.int64(2), np.bool_(True)],
    }
    assert loads(dumps(value)) == {
        "token": {"text": "x", "logprob": -1.0, "top": [], "entropy": None, "certainty": None},
        "tuple": [1, 2],
        "set": ["a", "b"],
        "bytes": "AA==",
        "numpy": [0.5, 0.5, 2, True],
    }
    with pytest.raises(TypeError, match="cannot record a object"):
        dumps(object())
