"""Real servers on the shipped checkpoint: how each is started, and what it is asked beyond OpenAI's interface."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whetstone.core.types import Model
from whetstone.models.grit import CHECKPOINT
from whetstone.models.load import load_model

ROOT = Path(__file__).parents[2]
OTHERS = ROOT / ".venv-servers" / "bin" / "python"
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


@dataclass(frozen=True)
class Served:
    """A running server: its base URL and what it calls the model."""

    url: str
    model: str

    def backend(self, **options: str) -> Model:
        """The server through the HTTP backend."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return load_model(f"openai/{self.model}@{self.url}" + (f"?{query}" if query else ""))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[str]:
    """A server's process, once it answers on its port; yields the base URL."""
    environment = {**os.environ, "HF_HOME": str(log.parent), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=log.parent)
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while not answers(f"{url}/v1/models"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(errors="replace")[-2000:])
            time.sleep(0.1)
        yield f"{url}/v1"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def own(folder: Path, port: int) -> Iterator[Served]:
    """`whetstone serve-model grit`."""
    command = [sys.executable, "-m", "whetstone.app.cli", "serve-model", "grit", "--port", str(port)]
    with running(command, port, folder / "log") as url:
        yield Served(url, "grit")


def with_template(folder: Path) -> Path:
    """The shipped checkpoint in a folder of that name, with a chat template that joins the messages' texts."""
    shutil.copytree(CHECKPOINT, folder)
    (folder / "manifest.json").unlink()
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "chat_template": TEMPLATE}))
    return folder


@contextmanager
def of_transformers(checkpoint: Path, port: int, model: str = "") -> Iterator[Served]:
    """`transformers serve`, whose typed decisions are asked about any text, with all tokens as options.

    It runs beside the checkpoint; `model` is what it is asked for, by default the checkpoint's whole path.
    """
    decisions = checkpoint.parent / "decision.json"
    decisions.write_text(json.dumps({"labels": {"choice": vocabulary()}, "chat_template": "{{ state }}"}))
    model = model or str(checkpoint)
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", model, "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--decision-config", str(decisions)]
    with running(command, port, checkpoint.parent / "log") as url:
        yield Served(url, model)


@contextmanager
def of_llama_cpp(folder: Path, port: int) -> Iterator[Served]:
    """llama.cpp's server, keeping its cache in float32 as the checkpoint is."""
    converter = Path(__file__).with_name("grit_to_gguf.py")
    subprocess.run([OTHERS, converter, CHECKPOINT, folder / "grit.gguf"], check=True)
    command = [str(OTHERS), "-m", "llama_cpp.server", "--model", str(folder / "grit.gguf"), "--model_alias", "grit"]
    command += ["--n_ctx", "512", "--n_threads", "1", "--logits_all", "true", "--type_k", "0", "--type_v", "0"]
    with running([*command, "--port", str(port), "--verbose", "false"], port, folder / "log") as url:
        yield Served(url, "grit")


def vocabulary() -> list[str]:
    """All tokens of the shipped checkpoint, by their numbers."""
    numbers: dict[str, int] = json.loads((CHECKPOINT / "tokenizer.json").read_text())["model"]["vocab"]
    return sorted(numbers, key=numbers.__getitem__)


def distribution(served: Served, text: str) -> dict[str, float]:
    """The probability of every next token, as `transformers serve` gives it for its typed decisions."""
    question = {"type": "choice", "criteria": dict.fromkeys(vocabulary())}
    body = {"model": served.model, "state": text, "questions": {"next": question}}
    request = urllib.request.Request(
        f"{served.url}/systemone", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = json.loads(opener.open(request, timeout=60).read())["answers"]["next"]
    return dict(found["probabilities"])
