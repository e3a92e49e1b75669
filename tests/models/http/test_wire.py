"""JSON of real servers, read without any of them."""

from __future__ import annotations

import json
from collections import Counter
from math import inf

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.types import Generation, Message, Sample, Sampling, Score, user
from whetstone.models.http.errors import (
    ContextOverflow,
    MissingKey,
    RequestRefused,
    Trouble,
    UnknownModel,
    WrongBaseUrl,
    refusal,
    wait_of,
)
from whetstone.models.http.replies import generations, spell
from whetstone.models.http.settings import Settings
from whetstone.models.http.wire import Changed, Wire


def entries(*pieces):
    return [{"token": piece, "bytes": None} for piece in pieces]


def raw(*pieces):
    return [{"token": piece.decode("utf-8", "replace"), "bytes": list(piece)} for piece in pieces]


@pytest.mark.parametrize(
    ("tokens", "text", "shares"),
    [
        (entries("a", " b"), "a b", ["a", " b"]),
        (entries("a", " b", "<end>"), "a b", ["a", " b"]),
        (entries("a", " b\n\nQ", ":"), "a b", ["a", " b"]),
        (entries(" a", " b"), "a b", ["a", " b"]),
        (entries("\n", "a", " b"), "a b", ["", "a", " b"]),
        (entries("<end>"), "", []),
        (entries("a", "c"), "a b", None),
        (entries("a"), "a b", None),
        (raw(b"caf", b"\xc3", b"\xa9", b"!"), "café!", ["caf", "", "é", "!"]),
        (raw(b"\xf0\x9f", b"\x98\x80"), "😀", ["", "😀"]),
        (entries("caf", "\ufffd", "\ufffd"), "café", None),
    ],
)
def test_tokens_spell_the_text_or_are_left_out(tokens, text, shares):
    assert spell(tokens, text) == shares


def reply(**changes):
    choice = {"index": 0, "message": {"content": "a b"}, "finish_reason": "stop", **changes}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}


@pytest.mark.parametrize(
    ("value", "text", "finish"),
    [
        (reply(), "a b", "stop"),
        (reply(finish_reason="length"), "a b", "length"),
        (reply(finish_reason="eos"), "a b", "stop"),
        (reply(finish_reason="content_filter"), "a b", "filter"),
        (reply(finish_reason=None), "a b", "length"),
        (reply(message={"content": None, "refusal": "no"}), "", "filter"),
        (reply(message={"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), "ab", "stop"),
        (reply(message=None, text="plain"), "plain", "stop"),
    ],
)
def test_texts_and_ends(value, text, finish):
    (read,) = generations(value, count=1, alternatives=None, limit=2, seen=Counter())
    assert (read.text, read.finish, read.tokens) == (text, finish, None)


def test_usage_is_shared_out_without_loss():
    choices = [{"index": i, "message": {"content": "x" * i}} for i in range(4)]
    value = {"choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 11}}
    read = generations(value, count=4, alternatives=None, limit=20, seen=Counter())
    assert sum(g.usage.completion for g in read) == 11
    assert [g.usage.prompt for g in read] == [9, 0, 0, 0]


def test_tokens_of_vllm_and_llama_cpp():
    """Older completions layout: alternatives as a mapping, infinities among them, offsets ignored."""
    value = {
        "choices": [
            {
                "text": "Y",
                "finish_reason": "length",
                "logprobs": {
                    "tokens": ["Y"],
                    "token_logprobs": [-0.25],
                    "top_logprobs": [{"N": -1.5, "Y": -0.25, "": -inf}],
                    "text_offset": [12],
                },
            }
        ]
    }
    (read,) = generations(value, count=1, alternatives=2, limit=1, seen=Counter())
    assert read.tokens is not None
    assert read.tokens[0].top == (("Y", -0.25), ("N", -1.5))


def test_an_assistants_message_is_continued():
    prompt = (*user("q"), Message("assistant", ("So ",)))
    body = Wire(Settings("m", ("http://h/v1",))).ask([Sample(prompt)]).body
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False
    plain = Wire(Settings("m", ("http://h/v1",), api="completions")).ask([Sample(prompt)]).body
    assert plain["prompt"] == "User: q\n\nAssistant: So "


def test_prompt_logprobs_of_vllm():
    wire = Wire(Settings("m", ("http://h/v1",)))
    request = Score(user("2+2?"), " four!")
    places = [
        None,
        {"5": {"logprob": -9.0, "rank": 400, "decoded_token": "?"}},
        {"7": {"logprob": -0.5, "rank": 1, "decoded_token": " four"}},
        {"0": {"logprob": -2.5, "rank": 3, "decoded_token": "!"}, "9": {"logprob": -0.1, "decoded_token": "."}},
    ]
    value = {"choices": [{"message": {"content": "x"}}], "prompt_logprobs": places, "usage": {"prompt_tokens": 4}}
    (read,) = wire.read([request], wire.ask([request]), json.dumps(value).encode())
    assert isinstance(read, Generation)
    assert [(t.text, t.logprob) for t in read.tokens or ()] == [(" four", -0.5), ("!", -2.5)]
    assert (read.usage.prompt, read.usage.completion) == (2, 2)
    straddling = [None, {"5": {"logprob": -9.0, "decoded_token": "? four"}}, places[3]]
    value["prompt_logprobs"] = straddling
    (read,) = wire.read([request], wire.ask([request]), json.dumps(value).encode())
    assert isinstance(read, Unsupported)


def test_an_echo_whose_tokens_do_not_spell_the_prompt_costs_one_request_alone():
    """The bytes of a character spread over several tokens: another prompt may still be scored by echo."""
    wire = Wire(Settings("m", ("http://h/v1",), api="completions"))
    request = Score(user("naïve?"), " yes")
    tokens = ["na", "\ufffd", "\ufffd", "ve?", " yes", " no"]
    lists = {"tokens": tokens, "token_logprobs": [None] + [-0.5] * 5, "top_logprobs": [{t: -0.5} for t in tokens]}
    data = json.dumps({"choices": [{"text": "naïve? yes no", "logprobs": lists}]}).encode()
    (tried,) = wire.read([request], wire.ask([request]), data)
    wire.untried = False
    (scored,) = wire.read([request], wire.ask([request]), data)
    assert isinstance(tried, Unsupported)
    assert isinstance(scored, Unsupported)
    assert "do not spell the prompt" in str(scored)
    assert wire.ways[0] == "echo"


def test_max_tokens_by_its_newer_name():
    wire = Wire(Settings("m", ("http://h/v1",)))
    request = Sample(user("q"), Sampling(max_tokens=9))
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    data = json.dumps({"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}).encode()
    asked = wire.ask([request])
    assert isinstance(wire.refused([request], asked, data, RequestRefused("x")), Changed)
    body = wire.ask([request]).body
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body


def test_fewer_alternatives_before_none():
    wire = Wire(Settings("m", ("http://h/v1",)))
    request = Sample(user("q"), Sampling(logprobs=20))
    said = b'{"message": "Requested sample logprobs of 20, which is greater than max allowed: 5", "code": 400}'
    seen = []
    for _ in range(3):
        asked = wire.ask([request])
        seen.append((asked.body.get("logprobs"), asked.body.get("top_logprobs")))
        wire.refused([request], asked, said, RequestRefused("x"))
        wire.refused([request], asked, said, RequestRefused("x"))
    assert seen == [(True, 20), (True, 5), (True, None)]
    assert "logprobs" not in wire.ask([request]).body


def test_a_set_of_names_in_a_refusal_is_read_alike_in_any_order():
    """As transformers serve prints the fields that it does not know."""
    request, found = Sample((*user("q"), Message("assistant", ("the",)))), set()
    for names in (
        "'continue_final_message', 'add_generation_prompt'",
        "'add_generation_prompt', 'continue_final_message'",
    ):
        wire = Wire(Settings("m", ("http://h/v1",)))
        data = json.dumps({"error": f"Unexpected fields in the request: {{{names}}}"}).encode()
        error = refusal(422, {}, data, url="http://h/v1", model="m", key="K")
        refused = wire.refused([request], wire.ask([request]), data, error)
        assert isinstance(refused, Unsupported)
        found.add(str(refused))
    assert len(found) == 1
    assert "{'add_generation_prompt', 'continue_final_message'}" in found.pop()


def test_a_refusal_that_names_its_field_by_a_path():
    wire = Wire(Settings("m", ("http://h/v1",), extra={"top(k": 1}))
    request = Sample(user("q"))
    data = json.dumps({"error": {"message": "seed is not offered", "param": ["body", "seed"]}}).encode()
    assert isinstance(wire.refused([request], wire.ask([request]), data, RequestRefused("x")), Changed)
    assert "seed" in wire.without


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error": {"message": "max context length is 512", "code": 400}}', ContextOverflow),
        (400, '{"error": {"message": "invalid temperature for this model"}}', RequestRefused),
        (400, '{"error": {"message": "m is not a valid model ID"}}', UnknownModel),
        (404, '{"object": "error", "message": "The model `m` does not exist.", "code": 404}', UnknownModel),
        (400, '{"detail": "Invalid model name passed in model=m"}', UnknownModel),
        (404, '{"detail": "Not Found"}', WrongBaseUrl),
        (405, "", WrongBaseUrl),
        (403, "<html><body>Forbidden</body></html>", MissingKey),
        (422, '{"detail": [{"loc": ["body", "n"], "msg": "Extra inputs are not permitted"}]}', RequestRefused),
        (500, "", Trouble),
    ],
)
def test_refusals(status, body, kind):
    error = refusal(status, {}, body.encode(), url="http://h/v1", model="m", key="K")
    assert type(error) is kind
    assert str(error).startswith("http://h/v1")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
    ],
)
def test_retry_after(headers, seconds):
    assert wait_of(headers) == seconds


@pytest.mark.parametrize(("text", "finish"), [("a|b", "stop"), ("a|", "stop"), ("a| and on and on", "length")])
def test_a_stop_text_that_the_server_kept_is_cut(text, finish):
    seen = Counter()
    value = reply(message={"content": text}, finish_reason=finish)
    (found,) = generations(value, count=1, alternatives=None, limit=9, seen=seen, stop=("#", "|"))
    assert (found.text, found.finish) == ("a", "stop")
    assert seen["replies that hold their stop text (cut there)"] == 1
