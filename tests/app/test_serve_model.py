"""`whetstone serve-model`: mistakes in one line, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from whetstone.app import cli


def test_a_taken_port_is_a_mistake(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("yes\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["serve-model", f"scripted:{tmp_path / 'texts.txt'}", "--port", str(port)]) == 2
    assert "choose another with --port" in capsys.readouterr().err


@pytest.mark.parametrize(("spec", "said"), [("grot", "unknown model 'grot'"), ("hf/nowhere", "there is no folder")])
def test_an_unknown_model_is_a_mistake(spec, said, capsys):
    assert cli.main(["serve-model", spec]) == 2
    assert said in capsys.readouterr().err


def test_it_says_where_it_is_and_stops_at_an_interrupt(tmp_path):
    (tmp_path / "texts.txt").write_text("yes\n")
    command = [sys.executable, "-m", "whetstone.app.cli", "serve-model", "scripted:texts.txt", "--port", "0", "--json"]
    environment = {**os.environ, "no_proxy": "*"}
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
        # a shell that starts the tests in the background has all that they start ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with started as it:
        where = json.loads(it.stdout.readline())
        body = json.dumps({"model": where["model"], "prompt": "yes?"}).encode()
        request = urllib.request.Request(f"{where['url']}/completions", body, {"content-type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert json.loads(opener.open(request, timeout=20).read())["choices"][0]["text"] == "yes"
        it.send_signal(signal.SIGINT)
        assert it.wait(20) == 0
        assert it.stderr.read() == b""
