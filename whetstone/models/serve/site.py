"""The server: paths, errors, and who waits for what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from whetstone.core.decode import read_json
from whetstone.core.errors import Unsupported, WhetstoneError
from whetstone.core.types import Embed, Embedding, Model, Prompt, user
from whetstone.models.serve.answers import answer, models, pieces, vectors
from whetstone.models.serve.asked import Api, Refused, inputs, read
from whetstone.models.serve.requests import Given, Wanted
from whetstone.models.serve.worker import Worked, Worker

LARGEST = 64 * 2**20
LONG = 4096
"""`max_tokens` of a chat that names none, for a model that does not say how much it can hold."""


def as_it_is(prompt: Prompt) -> Prompt:
    """A chat as the client sent it."""
    return prompt


def site(model: Model, *, name: str = "", understand: Callable[[Prompt], Prompt] = as_it_is) -> Starlette:
    """A model as an ASGI application with the paths of OpenAI's interface.

    Args:
        model: any model; a `LocalModel` also continues raw texts and scores given ones.
        name: what clients call it; by default its own name.
        understand: turns a chat into the prompt that the model is given.

    Only clients that name this machine as the host are answered, so that a page in a browser cannot reach it.
    """
    served = Site(model, name or model.name, understand)
    return Starlette(
        routes=[
            Route("/v1/models", served.list_models),
            Route("/v1/models/{id:path}", served.show_model),
            Route("/v1/completions", served.completions, methods=["POST"]),
            Route("/v1/chat/completions", served.chat, methods=["POST"]),
            Route("/v1/embeddings", served.embeddings, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={Refused: refuse, 404: unknown_path, 500: broken},
        lifespan=served.lifespan,
    )


class Site:
    """One model and the worker that runs it while the server does."""

    def __init__(self, model: Model, name: str, understand: Callable[[Prompt], Prompt]) -> None:
        self.model, self.name, self.understand = model, name, understand
        self.context = int(getattr(model, "context", LONG))
        self.worker: Worker

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """The worker lives as long as the server."""
        self.worker = Worker(cast(Callable[[], Worked], self.model.open), reads=getattr(self.model, "reads", False))
        yield
        self.worker.stop()

    async def list_models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [models(self.name)]})

    async def show_model(self, request: Request) -> Response:
        self.check_name(request.path_params["id"])
        return JSONResponse(models(self.name))

    async def completions(self, request: Request) -> Response:
        return await self.generate("completions", request)

    async def chat(self, request: Request) -> Response:
        return await self.generate("chat", request)

    async def generate(self, api: Api, request: Request) -> Response:
        """Both ways to ask for text."""
        asked = read(api, await self.body(request), context=self.context)
        if api == "chat":
            asked = replace(asked, prompts=tuple(map(self.understand, asked.prompts)))
        value = answer(asked, await self.ask(asked.requests), self.name)
        if not asked.stream:
            return JSONResponse(value)
        lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces(value)]
        return StreamingResponse(iter([*lines, "data: [DONE]\n\n"]), media_type="text/event-stream")

    async def embeddings(self, request: Request) -> Response:
        body = await self.body(request)
        prompts = [self.understand(user(text)) for text in inputs(body)]
        replies = cast(list[Embedding], await self.ask([Embed(prompt) for prompt in prompts]))
        return JSONResponse(vectors(replies, self.name, packed=body.get("encoding_format") == "base64"))

    async def ask(self, requests: Sequence[Wanted]) -> list[Given]:
        """All replies; the first error among them is raised."""
        replies = await self.worker.ask(requests)
        error = next((reply for reply in replies if isinstance(reply, Exception)), None)
        if isinstance(error, WhetstoneError):
            raise Refused(str(error), code="unsupported" if isinstance(error, Unsupported) else None) from error
        if error is not None:
            raise Refused(str(error) or type(error).__name__, status=500) from error
        return replies

    async def body(self, request: Request) -> dict[str, Any]:
        """The JSON of a call to this model."""
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > LARGEST:
                raise Refused(f"the request is larger than {LARGEST >> 20} MiB", status=413)
        try:
            value = read_json(bytes(data))
        except ValueError as error:
            raise Refused(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refused("the body must be a JSON object")
        self.check_name(value.get("model"))
        return value

    def check_name(self, name: Any) -> None:
        """Refuse any other model."""
        if name != self.name:
            message = f"The model {name!r} does not exist here; there is {self.name!r}"
            raise Refused(message, "model", status=404, code="model_not_found")


async def refuse(request: Request, error: Exception) -> Response:
    """A refusal in the shape that clients expect."""
    assert isinstance(error, Refused)
    return _error(str(error), error.status, error.field, error.code)


async def unknown_path(request: Request, error: Exception) -> Response:
    return _error(f"there is no {request.url.path}; the base URL ends in /v1", 404, None, None)


async def broken(request: Request, error: Exception) -> Response:
    return _error(f"the server failed: {type(error).__name__}", 500, None, None)


def _error(message: str, status: int, field: str | None, code: str | None) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": field, "code": code}}, status)
