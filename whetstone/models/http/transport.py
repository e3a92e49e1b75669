"""Bytes to a server and back. The key lives here alone, and nothing that is printed shows it."""

from __future__ import annotations

import asyncio
import ssl

import httpx2

from whetstone.models.http.errors import RequestRefused

LANE = 16
"""Connections of one client. A client looks through all of its connections at every call, so several small ones cost
less than a large one."""
LARGEST = 64 * 2**20
CONNECT = 10.0


Answer = tuple[int, httpx2.Headers, bytes]


class Transport:
    """Connections to one server.

    Args:
        url: its base URL.
        secret: the key, sent as a bearer token.
        tls: the trusted authorities, shared between servers.
    """

    def __init__(self, url: str, secret: str | None, tls: ssl.SSLContext) -> None:
        self.url = url
        self._tls = tls
        self._secret = secret
        self._lanes: list[httpx2.AsyncClient] = []
        self._free: list[int] = []
        self._size = 0

    async def post(self, path: str, body: bytes, timeout: float) -> Answer:
        """Status, headers and content of the answer, with the key blotted out wherever the server repeats it.

        Raises:
            TimeoutError: the answer was not complete in time, however lively it came.
            RequestRefused: it is larger than 64 MiB.
            httpx2.HTTPError: there was no answer.
        """
        return await self._call("POST", path, body, timeout)

    async def get(self, path: str, timeout: float) -> Answer:
        """The same for a GET."""
        return await self._call("GET", path, None, timeout)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._lanes:
            await client.aclose()

    async def _call(self, verb: str, path: str, body: bytes | None, timeout: float) -> Answer:
        slot = self._take()
        try:
            client = self._lanes[slot // LANE]
            request = client.build_request(verb, self.url + path, content=body)
            async with asyncio.timeout(timeout):
                response = await client.send(request, stream=True)
                try:
                    data = await _content(response)
                finally:
                    await response.aclose()
        finally:
            self._free.append(slot)
        if self._secret:
            data = data.replace(self._secret.encode(), b"***")
        return response.status_code, response.headers, data

    def _take(self) -> int:
        """A free slot; the one used last has the warmest connection."""
        if not self._free:
            if self._size % LANE == 0:
                self._lanes.append(self._client())
            self._free.append(self._size)
            self._size += 1
        return self._free.pop()

    def _client(self) -> httpx2.AsyncClient:
        headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "whetstone"}
        if self._secret:
            headers["authorization"] = f"Bearer {self._secret}"
        return httpx2.AsyncClient(
            headers=headers,
            verify=self._tls,
            timeout=httpx2.Timeout(None, connect=CONNECT),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=60.0),
            # a server on this machine is never behind a proxy
            mounts={"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None},
        )


async def _content(response: httpx2.Response) -> bytes:
    """The whole content, as long as it is not absurdly large."""
    parts = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST:
            raise RequestRefused(f"{response.url} sends a reply of more than {LARGEST >> 20} MiB; ask for fewer tokens")
        parts.append(part)
    return b"".join(parts)
