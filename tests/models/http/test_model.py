"""The backend against an honest server."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.flow import drive, sample
from whetstone.core.types import (
    Candidate,
    Embed,
    Example,
    Generation,
    Media,
    Message,
    Sample,
    Sampling,
    Score,
    form,
    user,
)
from whetstone.models.http.pool import Stopped
from whetstone.signals.pairwise_judge import pairwise_judge
from whetstone.store import open_store
from whetstone.tasks.load import load_task

WARM = Sampling(temperature=1.0, max_tokens=20, seed=5, logprobs=2)


def test_a_chat_comes_back_with_tokens_that_spell_the_text(server, connect, http):
    (reply,) = http.ask(connect(), Sample(user("hello"), WARM))
    assert "".join(token.text for token in reply.tokens) == reply.text
    expected = http.logprobs([token.text for token in reply.tokens], "<user>hello")
    assert [token.logprob for token in reply.tokens] == expected
    assert all(len(token.top) == 2 and token.top[0][1] >= token.top[1][1] for token in reply.tokens)
    assert reply.finish == "stop"
    assert reply.usage.prompt == 1
    assert reply.usage.completion == len(reply.tokens)


def test_what_is_sent(server, connect, http):
    sampling = Sampling(0.5, top_p=0.9, top_k=7, max_tokens=11, stop=("\n", "Q"), seed=3, logprobs=0)
    prompt = (Message("system", ("be brief",)), *user(form("solve", "Solve {question}!", question="{x}")))
    http.ask(connect(extra={"reasoning_effort": "low"}), Sample(prompt, sampling), Sample(prompt, Sampling(0.0)))
    warm, greedy = server.bodies
    assert warm == {
        "model": "m",
        "reasoning_effort": "low",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Solve {x}!"}],
        "max_tokens": 11,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 7,
        "stop": ["\n", "Q"],
        "seed": 3,
        "logprobs": True,
    }
    assert greedy.keys() == {"model", "reasoning_effort", "messages", "max_tokens", "temperature"}


def test_stop_and_length(connect, http):
    model = connect()
    (whole,) = http.ask(model, Sample(user("a long story"), WARM))
    word = whole.text.split()[-1]
    stopped, short = http.ask(
        model,
        Sample(user("a long story"), replace(WARM, stop=(word,))),
        Sample(user("a long story"), replace(WARM, max_tokens=1)),
    )
    assert stopped.text == whole.text[: whole.text.index(word)]
    assert "".join(token.text for token in stopped.tokens) == stopped.text
    assert (short.finish, len(short.tokens)) == ("length", 1)


def test_plain_completions(server, connect, http):
    (reply,) = http.ask(connect(api="completions"), Sample(user("once upon"), WARM))
    assert server.paths == ["/v1/completions"]
    assert server.bodies[0]["prompt"] == "once upon"
    assert "".join(token.text for token in reply.tokens) == reply.text
    assert all(len(token.top) == 2 for token in reply.tokens)


def test_many_requests_get_their_own_replies(server, connect):
    server.delay = 0.05  # long enough for more than 16 to wait together, also on a busy machine
    flows = {str(i): sample(user(f"question {i}"), n=2, sampling=WARM) for i in range(100)}
    first = drive(flows, {"policy": connect()}, seed=1)
    assert not first.failures
    server.delay = 0.0
    again = drive(
        {str(i): sample(user(f"question {i}"), n=2, sampling=WARM) for i in reversed(range(100))},
        {"policy": connect(concurrency=3)},
        seed=1,
    )
    assert first.results == again.results
    assert 16 < server.most <= 256


def test_one_call_for_many_samples(server, connect):
    model = connect(choices=4)
    driven = drive({"a": sample(user("q"), n=6, sampling=WARM), "b": sample(user("r"), n=1)}, {"policy": model})
    assert sorted(body.get("n", 1) for body in server.bodies) == [1, 2, 4]
    assert len({reply.text for reply in driven.results["a"]}) > 1
    replies = driven.results["a"]
    assert sum(reply.usage.completion for reply in replies) == sum(len(reply.tokens) for reply in replies)
    assert [reply.usage.prompt for reply in replies] == [1, 0, 0, 0, 1, 0]


def test_images_and_sounds_arrive_byte_for_byte(server, connect, http):
    image, sound = bytes(range(256)) * 3, b"RIFF\x00\xff"
    prompt = user(
        "look: ", form("f", "({x})", x="1"), Media("image", "image/png", image), Media("audio", "audio/wav", sound),
        Media("image", "image/jpeg", url="https://example.org/a.jpg"), "and say",
    )  # fmt: skip
    http.ask(connect(), Sample(prompt))
    text, picture, heard, linked, last = server.bodies[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": "look: (1)"}
    head, _, data = picture["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data, validate=True) == image
    assert heard["input_audio"]["format"] == "wav"
    assert base64.b64decode(heard["input_audio"]["data"], validate=True) == sound
    assert linked == {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}}
    assert last == {"type": "text", "text": "and say"}


def test_a_judge_sees_the_picture_of_the_question_and_the_store_keeps_it(server, connect, tmp_path):
    """Driver, store and backend in one; the second time nothing is asked."""
    image = Media("image", "image/png", bytes(range(256)))
    example = Example("e", user("What is this?", image), "What is this?")
    candidates = [Candidate(name, Generation(f"answer {name}")) for name in "ab"]
    with open_store(tmp_path) as store:
        for _ in range(2):
            flow = pairwise_judge(load_task("ledger"), example, *candidates)
            driven = drive({"judged": flow}, {"policy": store.cached(connect(identity="one"))})
            assert not driven.failures
            assert len(server.bodies) == 2, "one call for each order"
    for body in server.bodies:
        *_, picture = body["messages"][0]["content"]
        assert base64.b64decode(picture["image_url"]["url"].partition(",")[2], validate=True) == image.data


def test_text_only_servers_refuse_images(server, connect, http):
    prompt = user("look", Media("image", "image/png", b"x"))
    (plain,) = http.ask(connect(api="completions"), Sample(prompt))
    assert isinstance(plain, Unsupported)
    assert server.bodies == []
    server.always = http.status(400, {"error": {"message": "m is not a multimodal model"}})
    (refused,) = http.ask(connect(), Sample(prompt))
    assert isinstance(refused, Unsupported)
    assert "not a multimodal model" in str(refused)


def test_structured_output(server, connect, http):
    schema = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
    (reply,) = http.ask(connect(schema=schema), Sample(user("q")))
    assert reply.text == '{"answer": 4}'
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == schema
    server.ignores = {"response_format"}
    (ignored,) = http.ask(connect(schema=schema), Sample(user("q")))
    server.refuses = {"response_format"}
    (refused,) = http.ask(connect(schema=schema), Sample(user("q")))
    assert isinstance(ignored, Unsupported)
    assert isinstance(refused, Unsupported)


def test_embeddings(server, connect, http):
    (reply,) = http.ask(connect(), Embed(user("two words")))
    assert reply.vector == (0.5, -1.0)
    server.always = http.status(404, {"detail": "Not Found"})
    missing, inner = http.ask(connect(), Embed(user("q")), Embed(user("q"), layer=3))
    assert isinstance(missing, Unsupported)
    assert isinstance(inner, Unsupported)
    said = "Llama model must be created with embedding=True to call this method"
    server.always = http.status(500, {"error": {"message": said}})
    (broken,) = http.ask(connect(), Embed(user("q")))
    assert isinstance(broken, Unsupported)
    assert said in str(broken)


def test_several_servers_share_the_work_and_cover_for_each_other(server, connect, http):
    other = http.Server()
    running = http.Running(other)
    try:
        urls = f"{server.url},http://127.0.0.1:{running.port}/v1"
        driven = drive({str(i): sample(user(f"{i}")) for i in range(60)}, {"policy": connect(url=urls)})
        assert len(driven.results) == 60
        assert min(len(server.bodies), len(other.bodies)) > 15
        other.always = http.status(503)
        before = len(server.bodies)
        driven = drive({str(i): sample(user(f"{i}")) for i in range(60)}, {"policy": connect(url=urls)})
        assert len(driven.results) == 60
        assert len(server.bodies) == before + 60
    finally:
        running.stop()
    driven = drive({str(i): sample(user(f"{i}")) for i in range(50)}, {"policy": connect(url=urls)})
    assert len(driven.results) == 50


def test_closing_a_session_leaves_others_alone(server, connect):
    server.delay = 0.2
    model = connect()
    first, second = model.open(), model.open()
    for ticket in range(20):
        first.put(ticket, Sample(user("a")))
    first.poll(0.01)
    second.put(0, Sample(user("b")))
    first.close()
    ((ticket, reply),) = second.poll()
    assert (ticket, reply.finish) == (0, "stop")
    assert second.poll() == []


def test_closed_connections_end_the_waiting(server, connect, http):
    server.always = http.silence
    model = connect()
    session = model.open()
    session.put(0, Sample(user("q")))
    assert session.poll(0.1) == []
    model.close()
    with pytest.raises(Stopped, match="connections were closed"):
        session.poll()
    server.always = None
    (reply,) = http.ask(model, Sample(user("q")))
    assert reply.finish == "stop"


@pytest.mark.parametrize(
    ("api", "offered", "way"),
    [
        ("completions", {"echo"}, "echo"),
        ("completions", {"prompt_logprobs"}, "prompt_logprobs"),
        ("chat", {"prompt_logprobs"}, "prompt_logprobs"),
    ],
)
@pytest.mark.parametrize("refuse", [True, False])
def test_scores(server, connect, http, api, offered, way, refuse):
    setattr(server, "refuses" if refuse else "ignores", {"echo", "prompt_logprobs"} - offered)
    model = connect(api=api)
    replies = http.ask(model, *[Score(user(f"question {i}"), " alpha beta") for i in range(20)])
    assert model.wire.ways[0] == way
    for i, reply in enumerate(replies):
        assert [token.text for token in reply.tokens] == [" alpha", " beta"]
        assert [token.logprob for token in reply.tokens] == http.logprobs([" alpha", " beta"], f"{i}")
        assert reply.usage.completion == 2


@pytest.mark.parametrize("echo", ["late", "late, last one missing"])
def test_an_echo_that_is_off_by_one_is_not_believed(server, connect, http, echo):
    """As llama-cpp-python answers: every given token with the log-probability that it would have one place later."""
    server.echo, server.ignores = echo, {"prompt_logprobs"}
    model = connect(api="completions")
    requests = [Score(user(f"question {i}"), " alpha beta") for i in range(20)]
    for reply in http.ask(model, *requests):
        assert isinstance(reply, Unsupported)
        assert "gives each token the log-probability of the next one" in str(reply)
        assert "\n" not in str(reply)
    assert model.counts["calls that only tried out scoring by echo"] <= 8
    (trusted,) = http.ask(connect(api="completions", scoring="echo"), requests[0])
    assert [token.logprob for token in trusted.tokens] != http.logprobs([" alpha", " beta"], "0")


def test_the_next_way_of_scoring_takes_over_where_the_echo_is_off(server, connect, http):
    server.echo = "late"
    (reply,) = http.ask(connect(api="completions"), Score(user("question"), " alpha beta"))
    assert [token.logprob for token in reply.tokens] == http.logprobs([" alpha", " beta"], "question")


def test_an_echo_is_tried_out_once(server, connect, http):
    model = connect(api="completions", concurrency=1)
    http.ask(model, *[Score(user(f"question {i}"), " alpha") for i in range(20)])
    assert [body["max_tokens"] for body in server.bodies] == [8] + [1] * 20
    server.bodies.clear()
    http.ask(connect(api="completions", scoring="echo"), Score(user("q"), " alpha"))
    assert [body["max_tokens"] for body in server.bodies] == [1]


def test_an_echo_that_shows_nothing_is_tried_again_with_the_next_prompt(server, connect, http):
    """Nothing was written, or one token again and again: right and wrong echoes look the same."""

    def loop(value):
        lists = value["choices"][0]["logprobs"]
        lists["tokens"][1:] = [" a"] * (len(lists["tokens"]) - 1)
        lists["top_logprobs"][1:] = [{" a": -0.1}] * (len(lists["tokens"]) - 1)

    def silent(value):
        lists = value["choices"][0]["logprobs"]
        for name in ("tokens", "token_logprobs", "top_logprobs"):
            lists[name] = lists[name][:1]

    for change in (loop, silent):
        model = connect(api="completions")
        server.faults.append(http.changed(lambda value, change=change: change(value)))
        for i, kind in enumerate((Unsupported, Generation)):
            (reply,) = http.ask(model, Score(user("question"), " alpha"))
            assert isinstance(reply, kind), (i, reply)
        server.bodies.clear()


def test_scores_inside_a_token_are_refused(connect, http):
    (reply,) = http.ask(connect(api="completions"), Score(user("ques"), "tion"))
    assert isinstance(reply, Unsupported)
    assert "inside a token" in str(reply)


def test_scores_of_first_tokens(server, connect, http):
    server.refuses = {"prompt_logprobs"}
    model = connect()
    http.ask(model, Score(user("warm up"), "alpha"))
    before = len(server.bodies)
    known, unknown = http.ask(model, Score(user("q"), "alpha"), Score(user("q"), "never"))
    assert [known.tokens[0].logprob] == http.logprobs(["alpha"], "<user>q")
    assert isinstance(unknown, Unsupported)
    assert len(server.bodies) == before + 1


def test_without_any_way_to_score(server, connect, http):
    server.refuses = {"prompt_logprobs", "logprobs", "echo"}
    for api in ("chat", "completions"):
        (reply,) = http.ask(connect(api=api), Score(user("q"), "alpha"))
        assert isinstance(reply, Unsupported)
    (reply,) = http.ask(connect(scoring="none"), Score(user("q"), "alpha"))
    assert isinstance(reply, Unsupported)


def test_fields_that_a_server_refuses_are_left_out_and_counted(server, connect, http):
    server.refuses = {"seed", "logprobs"}
    model = connect()
    replies = http.ask(model, *[Sample(user(f"{i}"), WARM) for i in range(20)])
    assert all(reply.tokens is None and reply.text for reply in replies)
    assert {"seed left out, which the server refuses", "logprobs left out, which the server refuses"} <= set(
        model.counts
    )
    server.refuses = {"top_k"}
    (reply,) = http.ask(model, Sample(user("q"), Sampling(top_k=5)))
    assert isinstance(reply, Unsupported)


def test_fingerprints(connect):
    one, two = "http://a:1/v1", "http://b:2/v1"
    base = connect(url=one).fingerprint
    assert base == connect(url=one, concurrency=9, timeout=3.0).fingerprint
    assert connect(url=f"{one},{two}").fingerprint == connect(url=f"{two},{one}").fingerprint
    others = [
        connect("n", url=one),
        connect(url=two),
        connect(url=one, api="completions"),
        connect(url=one, extra={"a": 1}),
    ]
    assert len({base, *(model.fingerprint for model in others)}) == 5
    assert connect(url=one, identity="llama").fingerprint == connect(url=two, identity="llama").fingerprint
