"""A user's mistake gets one line that names the endpoint and says what to do; keys show up nowhere."""

from __future__ import annotations

import logging
import pickle
import re
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from certificate import certified

from whetstone.core.errors import ConfigError, ModelError, Unsupported
from whetstone.core.flow import drive, sample
from whetstone.core.types import Sample, user
from whetstone.models.http.errors import (
    BadCertificate,
    ContextOverflow,
    MissingKey,
    NoCredit,
    UnknownModel,
    Unreachable,
    WrongBaseUrl,
)
from whetstone.models.http.model import HttpModel
from whetstone.models.http.settings import Settings, parse
from whetstone.models.load import load_model

KEY = "sk-very-secret-0123456789"


def only_error(http, model, kind, *words):
    """All of some requests get the same error, of this kind, on one line with these words."""
    replies = http.ask(model, *[Sample(user(f"{i}")) for i in range(30)])
    assert {type(reply) for reply in replies} == {kind}, replies[0]
    text = str(replies[0])
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def test_missing_key(server, connect, http, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MissingKey, match=r"https://api\.openai\.com/v1 needs a key; set OPENAI_API_KEY"):
        load_model("openai/gpt")
    with pytest.raises(MissingKey, match="set OTHER_KEY"):
        load_model("openai/m@http://localhost:1/v1?key=OTHER_KEY")
    server.always = http.status(401, {"error": {"message": "Missing bearer token"}})
    only_error(http, connect(), MissingKey, server.url, "Missing bearer token", "set OPENAI_API_KEY")
    assert len(server.bodies) <= 8


def test_key_that_cannot_be_sent(monkeypatch):
    for value in (f"{KEY} x", f"{KEY}\nx", f"{KEY}é"):
        monkeypatch.setenv("OPENAI_API_KEY", value)
        with pytest.raises(MissingKey, match="OPENAI_API_KEY holds characters") as caught:
            HttpModel(Settings("m", ("http://localhost:1/v1",)))
        assert "secret" not in str(caught.value)


def test_wrong_base_url(server, connect, http):
    only_error(http, connect(url=server.url.removesuffix("/v1")), WrongBaseUrl, "404", "/v1", "base URL")
    server.always = http.status(200, b"<!doctype html><title>Chat</title>", kind="text/html")
    only_error(http, connect(), WrongBaseUrl, server.url, "web page")
    server.always = http.status(308, headers={"location": "https://example.org/v1/chat/completions"})
    only_error(http, connect(), WrongBaseUrl, "redirects to https://example.org")


def test_unknown_model(server, connect, http):
    only_error(http, connect("gpt-9"), UnknownModel, server.url, "no model 'gpt-9'", "it serves m, other")


def test_unreachable_host(http, server, connect):
    running = http.Running(http.Server())
    running.stop()
    url = f"http://127.0.0.1:{running.port}/v1"
    only_error(http, connect(url=url), Unreachable, url, "refused", "is the server running")
    only_error(http, connect(url="http://no-such-host.invalid/v1"), Unreachable, "no such host", "check the base URL")


@pytest.mark.parametrize("expired", [True, False])
def test_certificates(server, connect, http, monkeypatch, tmp_path, expired):
    """Signed by nobody known; then known, and out of date or not."""
    file, now = tmp_path / "server.pem", datetime.now(UTC)
    file.write_text(certified(now - timedelta(days=9), now + timedelta(days=-2 if expired else 2)))
    running = http.Running(http.Server(), ssl_certfile=str(file))
    url = f"https://127.0.0.1:{running.port}/v1"
    try:
        only_error(http, connect(url=url), BadCertificate, url, "cannot be trusted", "set SSL_CERT_FILE")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        if expired:
            only_error(http, connect(url=url), BadCertificate, url, "expired")
        else:
            (reply,) = http.ask(connect(url=url), Sample(user("q")))
            assert reply.finish == "stop"
    finally:
        running.stop()


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too long", "code": "context_length_exceeded"},
        {"message": "This model's maximum context length is 512 tokens. However, you requested 600 tokens"},
        {"message": "Requested tokens (600) exceed context window of 512"},
    ],
)
def test_context_overflow_makes_methods_abstain(server, connect, http, error):
    server.always = http.status(400, {"error": error})
    assert issubclass(ContextOverflow, Unsupported)
    only_error(http, connect(), ContextOverflow, server.url, "shorten the prompt")


def test_no_credit(server, connect, http):
    error = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    server.always = http.status(429, {"error": error})
    only_error(http, connect(), NoCredit, "add credit", "OPENAI_API_KEY")


def test_a_new_session_tries_again(server, connect, http):
    server.faults.extend([http.status(401)] * 8)
    model = connect()
    only_error(http, model, MissingKey)
    server.faults.clear()
    (reply,) = http.ask(model, Sample(user("q")))
    assert reply.finish == "stop"


def test_keys_show_up_nowhere(server, connect, http, monkeypatch, caplog):
    """Not in errors, tracebacks, logs at the finest level, representations, fingerprints or pickles."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    model = connect()
    http.ask(model, Sample(user("q")))
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    server.always = http.status(400, {"error": {"message": f"Incorrect key: {KEY}"}})
    driven = drive({"a": sample(user("q"))}, {"policy": model})
    failure = driven.failures["a"]
    assert "Incorrect key: ***" in failure.message
    server.always = http.changed(lambda value: value["choices"][0]["message"].update(content=f"I was sent {KEY}"))
    assert drive({"a": sample(user("q"))}, {"policy": model}).results["a"][0].text == "I was sent ***"
    server.always = http.changed(lambda value: {"error": {"message": f"Incorrect key: {KEY}"}})
    broken = drive({"a": sample(user("q"))}, {"policy": model}).failures["a"]
    shown = [
        failure.message,
        failure.traceback,
        broken.message,
        broken.traceback,
        repr(driven),
        repr(model),
        repr(vars(model)),
        repr(vars(model._pool)),
    ]
    shown += [repr(model.settings), model.fingerprint, model.name, repr(model.counts), caplog.text]
    transport = next(iter(model._pool.transports.values()))
    shown += [repr(transport), *map(repr, transport._lanes), *(repr(c.headers) for c in transport._lanes)]
    with suppress(TypeError):
        shown.append(repr(pickle.dumps(model)))
    try:
        raise ModelError("x") from Exception(model)
    except ModelError as error:
        shown += traceback.format_exception(error)
    assert not [text for text in shown if KEY in text]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "needs the name of a model"),
        ("@http://localhost:8000/v1", "needs the name of a model"),
        ("m@http://user:pass@localhost:8000/v1", "must not hold a user or password"),
        ("m@http://", "not a base URL"),
        ("m@http://localhost:8000/v1/chat/completions", "without /chat/completions: http://localhost:8000/v1"),
        ("m?speed=3", "no option 'speed'; there are: api, key, "),
        ("m?api=telepathy", "api='telepathy' is not one of chat, completions"),
        ("m?timeout=soon", "timeout='soon' is no float"),
        ("m?choices=0", "choices must be positive"),
        ("m?extra=[1]", "a JSON object is needed"),
        ("m?schema=/no/such/file.json", "cannot read /no/such/file.json: No such file"),
        ("m?scoring=echo", "scoring=echo needs api=completions"),
    ],
)
def test_bad_specs(spec, message):
    with pytest.raises(ConfigError) as caught:
        parse(spec)
    assert message in str(caught.value)


def test_a_wrong_base_url_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a:1/v1,nowhere")
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL: 'nowhere' is not a base URL"):
        parse("m")


def test_good_specs(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a:1/v1/, http://b:2/v1")
    assert parse("m").urls == ("http://a:1/v1", "http://b:2/v1")
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert parse("m").urls == ("https://api.openai.com/v1",)
    (tmp_path / "s.json").write_text('{"type": "object"}')
    settings = parse(
        "@cf/meta/llama:8b@http://h:1/v1,https://g/v1?api=completions&concurrency=4&deadline=2.5"
        f'&extra={{"top_a": 0.5}}&schema={tmp_path / "s.json"}'
    )
    assert settings == Settings(
        "@cf/meta/llama:8b",
        ("http://h:1/v1", "https://g/v1"),
        api="completions",
        concurrency=4,
        deadline=2.5,
        extra={"top_a": 0.5},
        schema={"type": "object"},
    )


def test_the_names_in_the_documentation_can_be_read(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    page = (Path(__file__).parents[3] / "docs" / "servers.md").read_text()
    names = re.findall(r"`openai/([^`\n]+@http[^`\n]+)`", page)
    assert len(names) > 9
    for name in names:
        settings = parse(name)
        assert settings.urls[0].startswith("http")
        assert settings.model == name.partition("@http")[0]


def test_load_model(server):
    model = load_model(f"openai/m@{server.url}")
    assert isinstance(model, HttpModel)
    assert model.name == "openai/m"
