"""An OpenAI-compatible server over a made-up language model, which can be told to misbehave in every known way."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from whetstone.core.types import Model, Reply, Request
from whetstone.models.http.model import HttpModel
from whetstone.models.http.settings import Settings

Send = Callable[[dict[str, Any]], Awaitable[None]]
Fault = Callable[["Server", dict[str, Any], Send], Awaitable[None]]
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
END = "<end>"


# --------------------------------------------------------------------------- the made-up language model


def split(text: str) -> list[str]:
    """Tokens: words with the white space before them."""
    return re.findall(r"\s*\S+|\s+$", text)


def likeliest(before: str) -> str:
    """The word that is likeliest after a token; never the same one."""
    words = [word for word in WORDS if word != bare(before)]
    return words[sha256(bare(before).encode()).digest()[0] % len(words)]


def logprob(token: str, before: str) -> float:
    """A token's log-probability after another."""
    if bare(token) == likeliest(before):
        return -0.25
    return -0.5 - sha256(f"{bare(before)} {bare(token)}".encode()).digest()[0] / 128


def bare(token: str) -> str:
    """A token's own characters."""
    return token.removesuffix("<assistant>").strip()


def logprobs(tokens: Sequence[str], before: str) -> list[float]:
    """Of each token after those before it."""
    return [logprob(token, earlier) for token, earlier in zip(tokens, [before, *tokens], strict=False)]


def told(prompt: str, body: dict[str, Any], index: int, first: str) -> tuple[list[str], str]:
    """A reply's tokens and why it ended; by luck from prompt, seed and index, or the likeliest at temperature 0.

    `first` is the white space that it begins with.
    """
    digest = sha256(f"{prompt}/{body.get('seed')}/{index}".encode()).digest()
    length, most = 2 + digest[0] % 5, body["max_tokens"]
    words = [WORDS[byte % len(WORDS)] for byte in digest[:length]]
    if not body["temperature"]:
        last = split(prompt)[-1]
        words = [last := likeliest(last) for _ in words]
    tokens = [first + words[0], *(f" {word}" for word in words[1:])]
    return tokens[:most], "stop" if length <= most else "length"


def flat(messages: list[dict[str, Any]]) -> str:
    """A chat as one text."""
    return "".join(f"<{message['role']}>{message['content']}" for message in messages)


# --------------------------------------------------------------------------------------- the server


class Server:
    """The server's state, seen from the tests.

    Attributes:
        faults: what happens to the next requests, in order; then it is honest again.
        always: what happens to every request.
        refuses: names of fields that are refused with status 400.
        ignores: names of fields that are accepted and ignored.
        echo: "right", or "late": given tokens have the log-probabilities of the next place.
        delay: seconds before an honest reply, or a function of the body.
        bodies, headers, paths: of the requests so far.
        most: the most requests at once.
    """

    def __init__(self) -> None:
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.refuses: set[str] = set()
        self.ignores: set[str] = set()
        self.echo = "right"
        self.delay: float | Callable[[dict[str, Any]], float] = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.running = self.most = 0

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        assert scope["type"] == "http"
        data, more = b"", True
        while more:
            event = await receive()
            data, more = data + event.get("body", b""), event.get("more_body", False)
        body = json.loads(data) if data else {}
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.paths.append(scope["path"])
            self.bodies.append(body)
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            fault = self.faults.popleft() if self.faults else self.always
            if fault is not None:
                await fault(self, body, send)
                return
            wait = self.delay(body) if callable(self.delay) else self.delay
            if wait:
                await asyncio.sleep(wait)
            await self.honest(scope["path"], body, send)
        finally:
            self.running -= 1

    async def honest(self, path: str, body: dict[str, Any], send: Send) -> None:
        if path == "/v1/models":
            await answer(send, 200, {"data": [{"id": "m"}, {"id": "other"}]})
            return
        if path not in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings"):
            await answer(send, 404, {"detail": "Not Found"})
            return
        if body["model"] != "m":
            error = {"message": f"The model `{body['model']}` does not exist.", "code": "model_not_found"}
            await answer(send, 404, {"error": error})
            return
        for name in self.refuses & set(body):
            await answer(send, 400, {"error": {"message": f"Unrecognized request argument supplied: {name}"}})
            return
        await answer(send, 200, self.reply(path, {k: v for k, v in body.items() if k not in self.ignores}))

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What an honest server answers."""
        if path == "/v1/embeddings":
            return {"data": [{"embedding": [0.5, -1.0]}], "usage": {"prompt_tokens": len(split(body["input"]))}}
        chat = path == "/v1/chat/completions"
        prompt = flat(body["messages"]) if chat else body["prompt"]
        choices, written = [], 0
        for index in range(body.get("n", 1)):
            tokens, finish = told(prompt, body, index, "" if chat else " ")
            text = "".join(tokens)
            for stop in body.get("stop", ()):
                if stop in text:
                    text, finish = text[: text.index(stop)], "stop"
            written += len(tokens)
            if "response_format" in body:
                text, tokens = '{"answer": 4}', []
            choice: dict[str, Any] = {"index": index, "finish_reason": finish}
            choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            if body.get("logprobs"):
                ended = [*tokens, END] if finish == "stop" else tokens
                echoed = split(prompt) if body.get("echo") else []
                last = split(prompt)[-1]
                choice["logprobs"] = (
                    self.content(ended, body.get("top_logprobs", 0), last) if chat else self.lists(echoed, ended, last)
                )
                choice["text"] = "".join(echoed) + text
            choices.append(choice)
        value = {"choices": choices, "usage": {"prompt_tokens": len(split(prompt)), "completion_tokens": written}}
        if "prompt_logprobs" in body:
            given = split(prompt)
            values = zip(given[1:], logprobs(given[1:], given[0]), strict=True)
            places = [{str(i): {"logprob": value, "decoded_token": token}} for i, (token, value) in enumerate(values)]
            value["prompt_logprobs"] = [None, *places]
        return value

    def content(self, tokens: list[str], k: int, before: str) -> dict[str, Any]:
        """Log-probabilities as chat has them."""
        return {
            "content": [
                {
                    "token": token,
                    "logprob": logprob(token, last),
                    "bytes": list(token.encode()),
                    "top_logprobs": [{"token": t, "logprob": logprob(t, last)} for t in (token, *WORDS)[:k]],
                }
                for token, last in zip(tokens, [before, *tokens], strict=False)
            ]
        }

    def lists(self, echoed: list[str], tokens: list[str], before: str) -> dict[str, Any]:
        """Log-probabilities as completions have them."""
        every = [*echoed, *tokens]
        earlier = ["", *every] if echoed else [before, *every]
        if echoed and self.echo != "right":
            # each token is looked up in what was expected after it, as if that were what was expected before it
            earlier = every
            every = every[:-1] if self.echo == "late, last one missing" else every
        values: list[float | None] = []
        tops: list[dict[str, float] | None] = []
        for token, last in zip(every, earlier, strict=False):
            values.append(logprob(token, last))
            tops.append({f" {word}": logprob(word, last) for word in WORDS} | {token: logprob(token, last)})
        if echoed:
            values[0] = tops[0] = None
        return {"tokens": every, "token_logprobs": values, "top_logprobs": tops, "text_offset": []}


async def answer(
    send: Send, status: int, content: dict[str, Any] | bytes, headers: dict[str, str] | None = None, *, kind: str = ""
) -> None:
    """One whole answer: a dictionary as JSON, bytes as they are."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"content-type": kind or "application/json", "content-length": str(len(data)), **(headers or {})}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})


# ---------------------------------------------------------------------------------------- misbehaviour


def status(code: int, content: dict[str, Any] | bytes = b"", headers: dict[str, str] | None = None, **kw: str) -> Fault:
    async def fault(server: Server, body: dict[str, Any], send: Send) -> None:
        await answer(send, code, content, headers, **kw)

    return fault


def changed(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """An honest reply, then changed in place; or replaced, if the change returns something."""

    async def fault(server: Server, body: dict[str, Any], send: Send) -> None:
        value = server.reply(server.paths[-1], body)
        replaced = change(value)
        await answer(send, 200, value if replaced is None else replaced)

    return fault


def cut(share: float = 0.5) -> Fault:
    """Only the first part of the JSON, as if it were whole."""
    return changed(lambda value: json.dumps(value).encode()[: int(len(json.dumps(value)) * share)])


async def reset(server: Server, body: dict[str, Any], send: Send) -> None:
    """Half of the body, then a TCP reset."""
    data = json.dumps(server.reply(server.paths[-1], body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data[: len(data) // 2], "more_body": True})
    transport = send.__self__.transport  # type: ignore[attr-defined]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def drip(server: Server, body: dict[str, Any], send: Send) -> None:
    """One byte every twentieth of a second, for ever."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for _ in range(200):
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.sleep(0.05)


async def silence(server: Server, body: dict[str, Any], send: Send) -> None:
    """No answer for ten seconds."""
    await asyncio.sleep(10)


# -------------------------------------------------------------------------------------------- fixtures


class Running:
    """A server in a thread of its own."""

    def __init__(self, app: Any, **options: Any) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", proxy_headers=False, timeout_graceful_shutdown=0, **options
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve([self.listener])), daemon=True)
        self.thread.start()
        self.port = self.listener.getsockname()[1]

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(5)
        self.listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """An honest server; tell it otherwise."""
    state = Server()
    running = Running(state)
    state.url = f"http://127.0.0.1:{running.port}/v1"
    yield state
    running.stop()


class NoWait:
    """Draws the shortest waiting time."""

    def uniform(self, low: float, high: float) -> float:
        return low


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., HttpModel]]:
    """Makes models on the server, without waiting times between attempts."""
    made: list[HttpModel] = []

    def make(model: str = "m", *, url: str = "", **options: Any) -> HttpModel:
        urls = tuple((url or server.url).split(","))
        made.append(HttpModel(Settings(model, urls, **options), rng=NoWait()))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for model in made:
        model.close()


def ask(model: Model, *requests: Request) -> list[Reply | Exception]:
    """Replies in the order of the requests."""
    session = model.open()
    for ticket, request in enumerate(requests):
        session.put(ticket, request)
    replies: dict[int, Reply | Exception] = {}
    while len(replies) < len(requests):
        replies.update(session.poll())
    session.close()
    return [replies[ticket] for ticket in range(len(requests))]


@pytest.fixture(scope="session")
def http() -> SimpleNamespace:
    """The helpers above."""
    return SimpleNamespace(
        ask=ask, status=status, changed=changed, cut=cut, reset=reset, drip=drip, silence=silence, Server=Server,
        Running=Running, logprobs=logprobs, split=split, NoWait=NoWait, sleep=asyncio.sleep, answer=answer,
    )  # fmt: skip
