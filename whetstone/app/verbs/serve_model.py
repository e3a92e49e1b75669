"""A model as an OpenAI-compatible server on this machine, for any tool that speaks that interface.

Concurrent requests share batches. Only programs on this machine reach it; Ctrl-C stops it.
"""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from whetstone.app.console import Console
from whetstone.app.wording import as_form
from whetstone.core.errors import ConfigError
from whetstone.core.types import Model, Prompt
from whetstone.models.load import load_model

HOST = "127.0.0.1"


def application(model: Model, name: str = "") -> Any:
    """The ASGI application that serves a model.

    Args:
        model: any model; those of this machine also continue raw texts and score given ones.
        name: what clients call it; by default its own name.

    Raises:
        ConfigError: the packages of a server are not installed.
    """
    try:
        site = import_module("whetstone.models.serve.site")
    except ModuleNotFoundError as error:
        raise ConfigError(f"a server needs {error.name}; run: pip install 'whetstone[web]'") from error
    options: dict[str, Callable[[Prompt], Prompt]] = {}
    if getattr(model, "dialect", None) is not None:
        options["understand"] = as_form
    if hasattr(model, "codec"):
        model = import_module("whetstone.models.serve.local").LocalModel(model)
    return site.site(model, name=name, **options)


def listen(port: int) -> socket.socket:
    """A listening socket on this machine; port 0 takes any that is free.

    Raises:
        ConfigError: the port is taken or not allowed.
    """
    try:
        return socket.create_server((HOST, port), backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot listen on port {port} ({reason}); choose another with --port") from error


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("spec", metavar="MODEL", help="grit, hf/FOLDER, or any other model")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    parser.add_argument("--name", default="", help="what clients call the model (default: its own name)")
    parser.add_argument("--port", type=int, default=8000, help="0 takes any that is free (default 8000)")


def main(args: argparse.Namespace) -> int:
    model = load_model(args.spec, device=args.device)
    name = args.name or model.name
    app = application(model, name)
    uvicorn = import_module("uvicorn")
    with listen(args.port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}/v1"
        if args.json:
            print(json.dumps({"url": url, "model": name}), flush=True)
        else:
            Console().say(
                f"{name} is served at {url}; Ctrl-C stops it. Try: whetstone doctor --model openai/{name}@{url}"
            )
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            Console(quiet=args.json).say("stopped")
    return 0
