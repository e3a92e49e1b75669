"""A user's mistake with a server, seen from the command line: one line and nothing else; and keys, which go nowhere."""

from __future__ import annotations

import gzip
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from certificate import certified

from whetstone.app import cli
from whetstone.app.improve import improve
from whetstone.app.plan import Plan

KEY = "sk-very-secret-0123456789"
TASK = "ledger:levels=3-4"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def complaint(capsys, *argv):
    """The one line on standard error."""
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1, err
    assert "Traceback" not in out + err
    return err


def solving(model):
    return "solve", "--task", TASK, "--limit", "4", "--model", model


def test_a_missing_key(capsys):
    assert "https://api.openai.com/v1 needs a key; set OPENAI_API_KEY" in complaint(capsys, *solving("openai/m"))


def test_a_wrong_key(server, http, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.always = http.status(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    said = complaint(capsys, *solving(f"openai/m@{server.url}"))
    assert "Incorrect API key provided: ***; set OPENAI_API_KEY to a key that this server accepts" in said


def test_a_wrong_base_url(server, capsys):
    said = complaint(capsys, *solving(f"openai/m@{server.url.removesuffix('/v1')}"))
    assert "404" in said
    assert "the base URL of an API often ends in /v1" in said


def test_an_unknown_model(server, capsys):
    said = complaint(capsys, *solving(f"openai/gpt-9@{server.url}"))
    assert f"{server.url} has no model 'gpt-9'; it serves m, other" in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://no-such-host.invalid/v1", "no such host"),
        ("http://127.0.0.1:1/v1", "is the server running, and is this its base URL?"),
    ],
)
def test_an_unreachable_host(capsys, monkeypatch, url, words):
    monkeypatch.setattr("whetstone.models.http.endpoint.BASE", 0.0)
    said = complaint(capsys, *solving(f"openai/m@{url}"))
    assert url in said
    assert words in said


def test_an_expired_certificate(http, capsys, monkeypatch, tmp_path):
    file, now = tmp_path / "server.pem", datetime.now(UTC)
    file.write_text(certified(now - timedelta(days=9), now - timedelta(days=2)))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    running = http.Running(http.Server(), ssl_certfile=str(file))
    try:
        said = complaint(capsys, *solving(f"openai/m@https://127.0.0.1:{running.port}/v1"))
    finally:
        running.stop()
    assert "its certificate has expired; renew it, or set this machine's clock" in said


def test_a_context_that_is_too_short_is_abstained_from(server, http, capsys):
    """It is no mistake of the whole run: other questions may fit."""
    error = {"message": "This model's maximum context length is 12 tokens", "code": "context_length_exceeded"}
    server.always = http.status(400, {"error": error})
    assert cli.main([*solving(f"openai/m@{server.url}"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "shorten the prompt or use a model with a longer context" in out


def test_keys_reach_no_file(server, http, capsys, monkeypatch, tmp_path):
    """Not the store, an export, a report, a result or the terminal, though the server repeats the key all the time."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    calls = 0

    async def telltale(state, body, send):
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            await http.answer(send, 400, {"error": {"message": f"{KEY} may not ask this"}})
        else:
            value = state.reply(state.paths[-1], body)
            value["choices"][0]["message"]["content"] = f"{KEY} says that the answer is {calls % 90 + 10}"
            value["choices"][0].pop("logprobs", None)
            await http.answer(send, 200, value)

    server.always = telltale
    model = f"openai/m@{server.url}"
    plan = Plan(test=8, dev=8, pool=8, k=2, rounds=1, judged=4)
    improve(TASK, model, plan=plan, store="runs", out="report")
    assert cli.main([*solving(model), "--json"]) == 0
    assert cli.main(["cache", "export", "replies.jsonl.gz"]) == 0
    assert cli.main(["runs", "export", "last", "run.jsonl"]) == 0
    assert cli.main(["runs", "show", "last"]) == 0
    out, err = capsys.readouterr()
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in out + err
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"store.db", "replies.jsonl.gz", "run.jsonl"} <= {file.name for file in files}
    replies = gzip.decompress((tmp_path / "replies.jsonl.gz").read_bytes())
    assert b"*** says that" in replies
    for content in (replies, *(file.read_bytes() for file in files)):
        assert KEY.encode() not in content
    assert any(file.suffix == ".html" for file in files), [file.name for file in files]
    assert all(json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines())
