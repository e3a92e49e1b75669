"""The arena over HTTP: two pages, and an interface of JSON for everything that they do."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlparse

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from whetstone.app.arena.page import PAGE_POLICY, VOTE_POLICY, leaderboard_page, notice_page, vote_page
from whetstone.app.arena.play import Arena, Refused, Shown
from whetstone.app.leaderboard import Leaderboard, Pairwise
from whetstone.app.result import encode
from whetstone.app.verbs.rank import rank
from whetstone.core.decode import read_json
from whetstone.core.errors import StoreError, WhetstoneError
from whetstone.core.types import Form, Media, Part

LARGEST = 1 << 16
VOTER = re.compile(r"[\w.@-]{1,40}")
COOKIE = "voter"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""The policy of what is no page: images, sounds and JSON, should anybody open them as one."""


class Number(IntegerConvertor):
    """A whole number in an address; Python refuses to read one of thousands of digits."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", Number())


def site(arena: Arena, *, title: str, rounds: int = 1000, level: float = 0.95, seed: int = 0) -> Starlette:
    """An arena as an ASGI application.

    Args:
        title: what the pages call it.
        rounds: of the leaderboard's bootstrap; 0: intervals from the covariance.
        level: of its intervals, and of rank intervals and tiers all at once.
        seed: of its draws.

    Only requests that name this machine as the host are answered, and only JSON from the arena's own pages (or from
    programs) is taken as a vote, so that no other page in the voter's browser can vote or look on.
    """
    served = Site(arena, title, {"rounds": rounds, "level": level, "seed": seed})
    return Starlette(
        routes=[
            Route("/", served.page),
            Route("/favicon.ico", nothing),
            Route("/leaderboard", served.leaderboard),
            Route("/api/match", served.match),
            Route("/api/vote", served.vote, methods=["POST"]),
            Route("/api/leaderboard", served.standings),
            Route("/media/{match:number}/{slot:number}/{part:number}", served.media),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={Refused: refuse, StoreError: not_written, 404: unknown_path, 500: broken},
    )


class Site:
    """One arena, and the ranking of its votes, which is made anew when there are more."""

    def __init__(self, arena: Arena, title: str, options: dict[str, Any]) -> None:
        self.arena, self.title, self.options = arena, title, options
        self.ranked: tuple[int, Leaderboard, Pairwise] | None = None

    async def page(self, request: Request) -> Response:
        """Where people vote. `?voter=NAME` votes under a name; otherwise a browser has a number."""
        asked = request.query_params.get("voter")
        if asked is None:
            response = html(vote_page(self.arena.size, self.title), VOTE_POLICY)
            if not _known(request):
                _remember(response, f"voter-{secrets.token_hex(4)}")
            return response
        if not VOTER.fullmatch(asked):
            raise Refused("a voter's name has up to 40 letters, digits, dots, dashes and @")
        return _remember(RedirectResponse("/", status_code=303, headers=HEADERS), asked)

    async def match(self, request: Request) -> Response:
        """The match that this voter has to answer."""
        voter = _known(request) or f"voter-{secrets.token_hex(4)}"
        shown = await run_in_threadpool(self.arena.match, voter)
        slots = range(len(shown.match.systems) + 1)
        prompt, *outputs = ([self._part(shown, slot, i) for i in range(self._parts(shown, slot))] for slot in slots)
        response = data({"match": shown.number, "prompt": prompt, "outputs": outputs, **self._tally(voter)})
        return response if _known(request) else _remember(response, voter)

    async def vote(self, request: Request) -> Response:
        """Take an answer: `match` and `choice` or `ranking`, as in `Arena.vote`. Names come back once it is kept."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers["host"]:
            raise Refused("votes are taken from this arena's own page", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Refused("a vote is JSON: Content-Type must be application/json", 415)
        voter = _known(request)
        if not voter:
            raise Refused("nobody is voting: get a match first, and send its cookie along", 403)
        body = await _body(request)
        number = body.get("match")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Refused("match must be the number of the match")
        names = await run_in_threadpool(self.arena.vote, voter, number, body)
        return data({"names": names, **self._tally(voter)})

    async def media(self, request: Request) -> Response:
        """An image or a sound; its address tells nothing of who made it."""
        at = request.path_params
        shown = self.arena.shown.get(at["match"])
        if shown is None or shown.voter != _known(request):
            raise Refused("no such match of yours", 404)
        parts = self.arena.parts(shown, at["slot"])
        part = parts[at["part"]] if at["part"] < len(parts) else None
        if not isinstance(part, Media):
            raise Refused("nothing to see there", 404)
        headers = {**HEADERS, "Content-Security-Policy": NOTHING}
        if part.data is not None:
            return Response(part.data, media_type=part.mime, headers=headers)
        path = Path(unquote(urlparse(part.url or "").path))
        if not path.is_file():
            raise Refused("the file is not there any more", 404)
        return FileResponse(path, media_type=part.mime, headers=headers)

    async def leaderboard(self, request: Request) -> Response:
        """The ranking as a page."""
        if not self.arena.answered:
            return html(notice_page("No votes yet", "The ranking stands here as soon as somebody has voted."))
        try:
            board, pairwise = await run_in_threadpool(self._rank)
        except WhetstoneError as error:
            return html(notice_page("No ranking yet", str(error)))
        return html(await run_in_threadpool(leaderboard_page, board, pairwise))

    async def standings(self, request: Request) -> Response:
        """The ranking as JSON, as `whetstone rank --json` writes it."""
        try:
            board, _ = await run_in_threadpool(self._rank)
        except WhetstoneError as error:
            raise Refused(str(error), 409) from None
        return data(encode(board))

    def _rank(self) -> tuple[Leaderboard, Pairwise]:
        with self.arena.lock:
            votes = len(self.arena.votes.records)
        if self.ranked is None or self.ranked[0] != votes:
            self.ranked = (votes, *rank(self.arena.votes.path, method="bradley_terry", **self.options))
        return self.ranked[1], self.ranked[2]

    def _tally(self, voter: str) -> dict[str, Any]:
        return {"voter": voter, **self.arena.tally(voter), "settled": self.arena.maker.settled}

    def _parts(self, shown: Shown, slot: int) -> int:
        return len(self.arena.parts(shown, slot))

    def _part(self, shown: Shown, slot: int, i: int) -> dict[str, str]:
        part: Part = self.arena.parts(shown, slot)[i]
        if isinstance(part, Media):
            if part.data is None and not (part.url or "").startswith("file:"):
                return {"type": part.kind, "note": f"An {part.kind} in the network, which is not loaded: {part.url}"}
            return {"type": part.kind, "url": f"/media/{shown.number}/{slot}/{i}"}
        return {"type": "text", "text": part.text if isinstance(part, Form) else part}


def html(text: str, policy: str = PAGE_POLICY) -> Response:
    """A page with its policy."""
    headers = {**HEADERS, "Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def data(value: Any, status: int = 200) -> Response:
    """JSON in ASCII, which carries every text, whole or broken."""
    headers = {**HEADERS, "Content-Security-Policy": NOTHING}
    return Response(json.dumps(value), status, media_type="application/json", headers=headers)


async def nothing(request: Request) -> Response:
    """Browsers ask for an icon."""
    return Response(status_code=204, headers=HEADERS)


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return data({"error": str(error)}, error.status)


async def not_written(request: Request, error: Exception) -> Response:
    return data({"error": str(error)}, 507)


async def unknown_path(request: Request, error: Exception) -> Response:
    return data({"error": f"there is no {request.url.path}; the arena is at /"}, 404)


async def broken(request: Request, error: Exception) -> Response:
    return data({"error": f"the arena failed: {type(error).__name__}"}, 500)


def _known(request: Request) -> str | None:
    """Who is voting, by the cookie."""
    voter = unquote(request.cookies.get(COOKIE, ""))
    return voter if VOTER.fullmatch(voter) else None


def _remember(response: Response, voter: str) -> Response:
    response.set_cookie(COOKIE, quote(voter), max_age=400 * 86400, httponly=True, samesite="strict")
    return response


async def _body(request: Request) -> dict[str, Any]:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST:
            raise Refused(f"a vote is smaller than {LARGEST >> 10} KiB", 413)
    try:
        value = read_json(bytes(found))
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused("the body must be a JSON object")
    return value
