"""Any model can be served; what it cannot do is refused, and what breaks does not break the server."""

from __future__ import annotations

import asyncio
import json
from math import inf

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.types import Embed, Embedding, Generation, Sample, Token, Usage
from whetstone.models.scripted import ScriptedModel
from whetstone.models.serve.site import site


async def post(app, path, body):
    """Status and JSON of the answer to one call, without a network."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = []

    async def receive():
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(event):
        sent.append(event)

    headers = [(b"host", b"localhost")]
    await app({"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}, receive, send)
    return sent[0]["status"], json.loads(b"".join(event.get("body", b"") for event in sent))


def call(app, *calls):
    """Answers to calls made side by side."""

    async def every():
        async with app.router.lifespan_context(app):
            return await asyncio.gather(*(post(app, *each) for each in calls))

    return asyncio.run(every())


def scripted(answer):
    return site(ScriptedModel(answer, name="m"))


def completion(**body):
    return "/v1/completions", {"model": "m", "prompt": "Hello", **body}


def test_a_model_that_only_writes():
    app = site(ScriptedModel(["one two"], logprob=-0.5), name="mine")
    (whole, score) = call(
        app,
        ("/v1/completions", {"model": "mine", "prompt": "Hello", "logprobs": 0}),
        ("/v1/completions", {"model": "mine", "prompt": "Hello", "logprobs": 0, "echo": True}),
    )
    assert whole[0] == 200
    assert whole[1]["choices"][0]["logprobs"]["token_logprobs"] == [-0.5, -0.5]
    assert score[0] == 400
    assert score[1]["error"]["code"] == "unsupported"


def test_calls_made_side_by_side_get_their_own_replies():
    app = scripted(lambda request: Generation(request.prompt[-1].text.upper()))
    answers = call(app, *(completion(prompt=f"text {i}", n=3) for i in range(40)))
    for i, (status, value) in enumerate(answers):
        assert status == 200
        assert [choice["text"] for choice in value["choices"]] == [f"TEXT {i}"] * 3


def test_one_failed_request_fails_its_call_alone():
    def answer(request):
        if "bad" in request.prompt[-1].text:
            return Unsupported("no bad texts")
        return Generation("fine")

    (good, bad) = call(scripted(answer), completion(), completion(prompt=["good", "bad"]))
    assert good[0] == 200
    error = {"message": "no bad texts", "type": "invalid_request_error", "param": None, "code": "unsupported"}
    assert bad == (400, {"error": error})


def test_a_session_that_breaks_is_replaced(capsys):
    class Breaks(ScriptedModel):
        def open(self):
            session = super().open()
            poll = session.poll

            def fragile(timeout=None):
                if any("bad" in request.prompt[-1].text for _, request in session.queue):
                    raise MemoryError("no memory")
                return poll(timeout)

            session.poll = fragile
            return session

    async def one_after_the_other(app):
        async with app.router.lifespan_context(app):
            return [await post(app, *completion(prompt=prompt)) for prompt in ("bad", "good")]

    bad, good = asyncio.run(one_after_the_other(site(Breaks(["fine"], name="m"))))
    assert bad[0] == 500
    assert "the server's log says how" in bad[1]["error"]["message"]
    assert good[0] == 200
    assert "no memory" in capsys.readouterr().err


def test_a_request_that_a_session_cannot_take_fails_alone(capsys):
    class Picky(ScriptedModel):
        def open(self):
            session = super().open()
            put = session.put

            def picky(ticket, request):
                if "bad" in request.prompt[-1].text:
                    raise TypeError("bad text")
                put(ticket, request)

            session.put = picky
            return session

    app = site(Picky(["fine"], name="m"))
    bad, good = call(app, completion(prompt=["good", "bad", "good"]), completion())
    assert bad[0] == 500
    assert good[0] == 200
    assert "bad text" in capsys.readouterr().err


def test_minus_infinity_can_be_written():
    top = (("a", -0.1), ("b", -inf))
    app = scripted(lambda request: Generation("a", (Token("a", -0.1, top),), "length", Usage(1, 1)))
    ((status, value),) = call(app, completion(logprobs=2))
    assert status == 200
    assert value["choices"][0]["logprobs"]["top_logprobs"] == [{"a": -0.1, "b": -9999.0}]
    assert value["choices"][0]["finish_reason"] == "length"


def test_vectors():
    def answer(request):
        assert isinstance(request, Embed)
        return Embedding((0.5, -1.0), Usage(3))

    ((status, value),) = call(scripted(answer), ("/v1/embeddings", {"model": "m", "input": ["a", "b"]}))
    assert status == 200
    assert [entry["embedding"] for entry in value["data"]] == [[0.5, -1.0], [0.5, -1.0]]
    assert value["usage"]["prompt_tokens"] == 6


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (("/v1/completions", b"{"), 400, "not JSON"),
        (("/v1/completions", b"[" * 100_000), 400, "not JSON"),
        (("/v1/completions", b"[]"), 400, "JSON object"),
        (("/v1/completions", {"prompt": "x"}), 404, "there is 'm'"),
        (("/v1/complete", {}), 404, "no /v1/complete; the base URL ends in /v1"),
        (("/v1/completions", b" " * (64 * 2**20 + 1)), 413, "64 MiB"),
    ],
)
def test_bad_calls(asked, status, said):
    ((found, value),) = call(scripted(lambda request: Generation("x")), asked)
    assert found == status
    assert said in value["error"]["message"]


def test_samples_reach_the_model_as_they_were_asked():
    seen = []

    def answer(request):
        assert isinstance(request, Sample)
        seen.append(request.sampling)
        return Generation("x")

    call(scripted(answer), completion(temperature=0.5, top_p=0.9, top_k=7, stop="Q", seed=3, max_tokens=5, logprobs=2))
    (sampling,) = seen
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.5, 0.9, 7)
    assert (sampling.stop, sampling.seed, sampling.max_tokens, sampling.logprobs) == (("Q",), 3, 5, 2)
