"""Calls are read field by field."""

from __future__ import annotations

import pytest

from whetstone.models.serve.asked import Refused, inputs, read
from whetstone.models.serve.requests import Reading, raw, raw_text

HELLO = {"role": "user", "content": "Hello"}


def completions(**body):
    return read("completions", {"model": "m", "prompt": "Hello", **body}, context=100)


def chat(**body):
    return read("chat", {"model": "m", "messages": [HELLO], **body}, context=100)


def test_what_is_not_said_has_the_values_of_openai():
    asked = completions()
    assert (asked.sampling.max_tokens, asked.sampling.temperature, asked.sampling.top_p) == (16, 1.0, 1.0)
    assert asked.sampling.logprobs is None
    assert chat().sampling.max_tokens == 100
    assert chat(max_completion_tokens=7, max_tokens=9).sampling.max_tokens == 7


def test_a_missing_seed_is_drawn_and_a_given_one_is_kept_for_the_first_sample():
    assert completions().sampling.seed != completions().sampling.seed
    seeds = [request.sampling.seed for request in completions(seed=5, n=3).requests]
    assert seeds[0] == 5
    assert len(set(seeds)) == 3
    assert seeds == [request.sampling.seed for request in completions(seed=5, n=3).requests]


def test_the_order_of_requests_is_reading_then_samples_of_each_prompt():
    asked = completions(prompt=["a", "b"], echo=True, logprobs=1, n=2)
    assert [type(request) is Reading for request in asked.requests] == [True, False, False] * 2
    assert raw_text(asked.requests[3].prompt) == "b"
    assert all(type(r) is Reading for r in completions(echo=True, logprobs=1, max_tokens=0).requests)


def test_parts_of_text_are_joined_and_developers_are_systems():
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    prompt = chat(messages=[{"role": "developer", "content": "be brief"}, {"role": "user", "content": parts}]).prompts[
        0
    ]
    assert [(message.role, message.text) for message in prompt] == [("system", "be brief"), ("user", "Hello")]


def test_fields_that_ask_for_nothing_are_taken():
    chat(tools=None, frequency_penalty=0, user="me", stream_options={"include_usage": True}, response_format=None)
    assert chat(response_format={"type": "text"}, top_k=-1).sampling.top_k == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": None}]}, "messages"),
        ({"messages": [HELLO, {"role": "assistant", "content": "x"}]}, "messages"),
        ({"continue_final_message": True}, "continue_final_message"),
        ({"add_generation_prompt": False}, "add_generation_prompt"),
        ({"logprobs": 2}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"prompt_logprobs": 5}, "prompt_logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"seed": 1.5}, "seed"),
        ({"stop": [1]}, "stop"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [{}]}, "tools"),
        ({"prompt": "x"}, "prompt"),
        ({"guided_regex": "a"}, "guided_regex"),
    ],
)
def test_a_refusal_names_the_field(body, field):
    with pytest.raises(Refused) as caught:
        chat(**body)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_inputs():
    assert inputs({"model": "m", "input": "a"}) == ("a",)
    assert inputs({"model": "m", "input": ["a", "b"], "encoding_format": "base64"}) == ("a", "b")
    for change in ({"input": []}, {"input": [1]}, {"encoding_format": "int8"}, {"dimensions": 2}):
        with pytest.raises(Refused):
            inputs({"input": "a", **change})


def test_raw_text_is_what_raw_made():
    assert raw_text(raw("{x}")) == "{x}"
    assert raw_text(chat().prompts[0]) is None
