"""Every known way of misbehaving: the reply still comes home, or a named error does, neighbours unharmed."""

from __future__ import annotations

import math
import time

import pytest

from whetstone.core.flow import drive, sample
from whetstone.core.types import Sample, Sampling, user
from whetstone.models.http.errors import GaveUp, RequestRefused

DEEP = b'{"error": ' + b"[" * 100_000
"""Nested deeper than the reader of JSON can go."""
WARM = Sampling(temperature=1.0, max_tokens=20, seed=5, logprobs=2)


def rename(value):
    """All choices get the same number."""
    for choice in value["choices"]:
        choice["index"] = 0


def set_logprob(logprob):
    def change(value):
        for choice in value["choices"]:
            choice["logprobs"]["content"][0]["logprob"] = logprob

    return change


def test_json_too_deep_to_read_is_a_fault_like_any_other(server, connect, http):
    (expected,) = http.ask(connect(), Sample(user("question"), WARM))
    server.faults.extend([http.status(503, DEEP), http.changed(lambda value: DEEP)])
    assert http.ask(connect(), Sample(user("question"), WARM)) == [expected]


def test_transient_faults_are_asked_again(server, connect, http):
    """One of each, and every one of 40 requests still gets exactly the reply of an undisturbed run."""
    requests = [Sample(user(f"question {i}"), WARM) for i in range(40)]
    expected = http.ask(connect(), *requests)
    server.bodies.clear()
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    faults = [
        http.status(429),
        http.status(429, {"error": {"message": "slow down"}}, {"retry-after": "0.05"}),
        http.status(500, b"Internal Server Error"),
        http.status(502, page, kind="text/html"),
        http.status(503),
        http.reset,
        http.cut(0.5),
        http.cut(0.0),
        http.changed(lambda value: b'{"choices": [{"message": {"content": "caf\xe9"}}]}'),
        http.changed(lambda value: {"choices": []}),
        http.changed(lambda value: {"choices": [{"index": 0, "message": {"content": 7}}]}),
        http.changed(lambda value: b"[1, 2]"),
        http.changed(lambda value: {"error": {"message": "out of memory"}}),
        http.changed(lambda value: value["choices"][0].update(finish_reason="abort")),
    ]
    server.faults.extend(faults)
    model = connect()
    assert http.ask(model, *requests) == expected
    assert len(server.bodies) == 40 + len(faults)
    assert model.counts["calls"] == 40 + len(faults)
    assert sum(n for name, n in model.counts.items() if name.startswith("asked again")) == len(faults)


def test_retry_after_is_honoured(server, connect, http):
    server.faults.append(http.status(429, headers={"retry-after": "0.7"}))
    began = time.monotonic()
    replies = http.ask(connect(concurrency=1), *[Sample(user(f"{i}")) for i in range(3)])
    assert time.monotonic() - began >= 0.7
    assert [reply.finish for reply in replies] == ["stop"] * 3


def test_a_wait_beyond_the_deadline_is_refused_at_once(server, connect, http):
    server.always = http.status(429, headers={"retry-after": "3600"})
    began = time.monotonic()
    replies = http.ask(connect(deadline=30), *[Sample(user(f"{i}")) for i in range(20)])
    assert time.monotonic() - began < 10
    assert all(isinstance(reply, GaveUp) and "3600 seconds" in str(reply) for reply in replies)


def test_an_endless_trickle_ends_at_the_timeout(server, connect, http):
    server.faults.append(http.drip)
    began = time.monotonic()
    (reply,) = http.ask(connect(timeout=0.5), Sample(user("q")))
    assert reply.finish == "stop"
    assert 0.5 <= time.monotonic() - began < 5


def test_a_server_that_stays_silent_is_given_up_for_all(server, connect, http):
    server.always = http.silence
    began = time.monotonic()
    replies = http.ask(connect(timeout=0.2, deadline=0.5, concurrency=1), *[Sample(user(f"{i}")) for i in range(50)])
    assert all(isinstance(reply, GaveUp) and server.url in str(reply) for reply in replies)
    assert time.monotonic() - began < 5


def test_nonsense_for_ever_is_given_up_with_the_last_reason(server, connect, http):
    server.always = http.status(500, {"error": {"message": "CUDA error\ndevice-side assert"}})
    (reply,) = http.ask(connect(), Sample(user("q")))
    assert isinstance(reply, GaveUp)
    assert "\n" not in str(reply)
    assert "500: CUDA error device-side assert" in str(reply)
    assert len(server.bodies) == 5


def test_a_bad_request_fails_alone(server, connect, http):
    async def fault(state, body, send):
        if body["messages"][0]["content"] == "7":
            await http.answer(send, 400, {"error": {"message": "this prompt is flagged"}})
        else:
            await state.honest(state.paths[-1], body, send)

    server.always = fault
    driven = drive({str(i): sample(user(f"{i}")) for i in range(20)}, {"policy": connect()})
    assert set(driven.failures) == {"7"}
    assert driven.failures["7"].error == RequestRefused.__name__
    assert "this prompt is flagged" in driven.failures["7"].message
    assert len(driven.results) == 19


@pytest.mark.parametrize("wrong", ["fewer", "more", "duplicated"])
def test_wrong_numbers_of_choices(server, connect, http, wrong):
    change = {
        "fewer": lambda value: value["choices"].pop(),
        "more": lambda value: value["choices"].append({**value["choices"][0], "index": 9}),
        "duplicated": rename,
    }[wrong]
    server.faults.append(http.changed(lambda value: change(value) and None))
    requests = [Sample(user("q"), Sampling(seed=i, logprobs=1)) for i in range(3)]
    model = connect(choices=3)
    replies = http.ask(model, *requests)
    assert all(reply.text and reply.finish == "stop" for reply in replies)
    assert len(server.bodies) == {"fewer": 2, "more": 1, "duplicated": 3}[wrong]
    assert any("choices" in name for name in model.counts)


def test_a_server_that_ignores_n_is_asked_one_by_one(server, connect, http):
    server.ignores = {"n"}
    model = connect(choices=8)
    replies = http.ask(model, *[Sample(user("q"), Sampling(seed=i)) for i in range(16)])
    assert len({reply.text for reply in replies}) > 1
    assert len(server.bodies) == 16


@pytest.mark.parametrize(
    "broken",
    [
        set_logprob(math.nan),
        set_logprob(None),
        set_logprob("high"),
        set_logprob(3.0),
        lambda value: value["choices"][0].update(logprobs=None),
        lambda value: value["choices"][0].pop("logprobs") and None,
        lambda value: value["choices"][0]["logprobs"]["content"].clear(),
        lambda value: value["choices"][0]["message"].update(content="something else"),
    ],
)
def test_logprobs_that_cannot_be_used_are_left_out_and_counted(server, connect, http, broken):
    server.faults.append(http.changed(lambda value: broken(value) and None))
    model = connect()
    reply, whole = http.ask(model, Sample(user("a"), WARM), Sample(user("a"), WARM))
    if whole.tokens is None:
        reply, whole = whole, reply
    assert reply.tokens is None
    assert reply.text
    assert whole.tokens
    assert sum(n for name, n in model.counts.items() if name.startswith("replies")) == 1


def test_infinite_alternatives_are_left_out(server, connect, http):
    def change(value):
        for entry in value["choices"][0]["logprobs"]["content"]:
            entry["top_logprobs"].append({"token": "never", "logprob": -math.inf})

    server.faults.append(http.changed(change))
    (reply,) = http.ask(connect(), Sample(user("a"), Sampling(logprobs=20)))
    assert reply.tokens
    assert all("never" not in dict(token.top) for token in reply.tokens)


@pytest.mark.parametrize("text", ["", None])
def test_empty_text_is_a_reply(server, connect, http, text):
    server.faults.append(
        http.changed(lambda value: value["choices"][0].update(message={"content": text}, logprobs={"content": []}))
    )
    (reply,) = http.ask(connect(), Sample(user("q"), WARM))
    assert (reply.text, reply.tokens, reply.finish) == ("", (), "stop")


def test_a_reply_of_ten_megabytes_comes_whole(server, connect, http):
    text = "0123456789abcdef" * (10 * 2**20 // 16)
    server.faults.append(http.changed(lambda value: value["choices"][0].update(message={"content": text})))
    big, small = http.ask(connect(concurrency=1), Sample(user("q")), Sample(user("r")))
    assert big.text == text
    assert small.text


def test_a_reply_without_end_is_refused(server, connect, http, monkeypatch):
    monkeypatch.setattr("whetstone.models.http.transport.LARGEST", 2**20)
    server.always = http.changed(lambda value: b" " * (2**20 + 1))
    (reply,) = http.ask(connect(), Sample(user("q")))
    assert isinstance(reply, RequestRefused)
    assert "MiB" in str(reply)


def test_usage_that_is_missing_is_bounded(server, connect, http):
    server.faults.append(http.changed(lambda value: value.pop("usage") and None))
    (reply,) = http.ask(connect(), Sample(user("q")))
    assert reply.usage.completion == len(reply.text.encode())


def test_concurrency_follows_the_server(server, connect, http):
    """A server that takes 20 at a time: most of its answers are useful ones, and it is kept busy."""
    refused = 0

    async def limited(state, body, send):
        nonlocal refused
        if state.running > 20:
            refused += 1
            await http.status(429)(state, body, send)
        else:
            await http.sleep(0.02)
            await state.honest(state.paths[-1], body, send)

    server.always = limited
    driven = drive({str(i): sample(user(f"{i}")) for i in range(300)}, {"policy": connect()})
    assert len(driven.results) == 300
    assert refused < 60
    assert server.most >= 20
