"""What a server's refusal means: ask again, leave something out, or give up with one line that says what to do."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError, Unsupported


class MissingKey(ModelError):
    """The server wants a key that it did not get, or refuses the one it got."""


class WrongBaseUrl(ModelError):
    """Something answers at this address, but not an OpenAI-compatible server."""


class UnknownModel(ModelError):
    """The server does not have the model."""


class Unreachable(ModelError):
    """Nothing answers at this address."""


class BadCertificate(ModelError):
    """The server's certificate does not hold."""


class NoCredit(ModelError):
    """The account behind the key has nothing left to spend."""


class RequestRefused(ModelError):
    """The server will not answer this request, however often it is asked."""


class GaveUp(ModelError):
    """No usable reply came within the deadline or the number of attempts."""


class ContextOverflow(Unsupported):
    """Prompt and reply do not fit in the model's context."""


class Trouble(Exception):
    """A call that failed and may be asked again.

    `busy`: the server has too much to do (429, 503, no reply in time). `down`: it cannot be reached (connection lost,
    502, 504). `fault`: it answered nonsense (500, a broken reply). `after`: seconds that it asks to wait.
    """

    def __init__(self, kind: Literal["busy", "down", "fault"], message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.after = kind, after


FATAL = (MissingKey, WrongBaseUrl, UnknownModel, Unreachable, BadCertificate, NoCredit)
"""Errors of an endpoint, not of one request: it is not asked again."""

BUSY = {408, 425, 429, 503, 529}
DOWN = {502, 504, *range(520, 528)}
CONTEXT = re.compile(
    r"context[ _-]?(length|window|size|limit)|maximum (context|model) length|max_model_len|too many tokens|"
    r"exceeds? (the )?(model's )?(maximum |available )?context|(prompt|input) is too long",
    re.IGNORECASE,
)
NAMES = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')*)\}")
"""A Python set as some servers print it: the names in it change their order from start to start."""
MEDIA = re.compile(r"image|audio|multi-?modal|vision|content.{0,40}(string|text)|input_audio", re.IGNORECASE)


def refusal(
    status: int, headers: Mapping[str, str], data: bytes, *, url: str, model: str, key: str, answered: bool = False
) -> Exception:
    """The error of an answer that is not a success: `Trouble` when asking again may help.

    Args:
        url: where the call went.
        model: the model's name there.
        key: the environment variable that holds the key.
        answered: this server has answered before, so that a 403 is about this request.
    """
    said, code = message_of(data)
    what = f"{url} answers {status}" + (f": {said}" if said else "")
    if code == "insufficient_quota":
        return NoCredit(f"{what}; add credit to the account behind {key}")
    if status in BUSY:
        return Trouble("busy", what, wait_of(headers))
    if status in DOWN:
        return Trouble("down", what)
    if status >= 500 and status != 501:
        return Trouble("fault", what)
    if status == 401 or (status == 403 and not answered):
        return MissingKey(f"{what}; set {key} to a key that this server accepts")
    if 300 <= status < 400:
        return WrongBaseUrl(f"{url} redirects to {headers.get('location', 'elsewhere')}; use that as the base URL")
    if code == "context_length_exceeded" or CONTEXT.search(said):
        return ContextOverflow(f"{what}; shorten the prompt or use a model with a longer context")
    if code == "unsupported":
        return Unsupported(what)
    if code == "model_not_found" or _no_model(status, said):
        return UnknownModel(f"{url} has no model {model!r}")
    if status in (404, 405):
        return WrongBaseUrl(f"{what}; the base URL of an API often ends in /v1")
    return RequestRefused(f"{what}; the server refuses this request")


def unconnected(error: Exception, *, url: str, answered: bool) -> Exception:
    """The error of a call that got no answer; `answered`: this server has answered before."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    certificate = next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return BadCertificate(f"{url}: {_of_certificate(certificate)}")
    system = next((c for c in causes if isinstance(c, OSError) and c.errno), None)
    code = 0 if system is None else system.errno or 0
    reason = os.strerror(code) if code > 0 else str(system or error)
    reason = one_line(reason or type(error).__name__)
    unknown = re.search(r"not known|no address|name resolution|getaddrinfo", reason, re.IGNORECASE)
    if unknown and not answered:
        return Unreachable(f"{url}: no such host ({reason}); check the base URL and the network")
    return Trouble("down", f"{url}: {reason}")


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == 10:
        return "its certificate has expired; renew it, or set this machine's clock"
    reason = one_line(error.verify_message or str(error))
    return f"its certificate cannot be trusted ({reason}); set SSL_CERT_FILE to the authority that signed it"


def _no_model(status: int, said: str) -> bool:
    """Does a message say that a model is missing?"""
    if status == 404:
        return "model" in said.lower() and bool(re.search(r"not|unknown|no such", said, re.IGNORECASE))
    missing = (
        r"model\b.{0,100}(not found|not exist|does not match|not served|not available)|"
        r"(unknown|no such|invalid|not a valid) model"
    )
    return status == 400 and bool(re.search(missing, said, re.IGNORECASE))


def message_of(data: bytes) -> tuple[str, str]:
    """What a server says about an error, in one line, and its code; from JSON of any usual shape, HTML or text."""
    text = data[:4096].decode("utf-8", "replace")
    try:
        value = read_json(data)
    except ValueError:
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        if title:
            return one_line(title[1]), ""
        return one_line(re.sub(r"<[^>]*>", " ", text)), ""
    code = ""
    while isinstance(value, (dict, list)):
        if isinstance(value, list):
            value = value[0] if value else ""
            continue
        code = str(value.get("code") or code)
        value = next((value[name] for name in ("error", "message", "detail", "msg") if value.get(name)), "")
    return one_line(NAMES.sub(lambda found: f"{{{', '.join(sorted(found[1].split(', ')))}}}", str(value))), code


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` (seconds or a date) asks to wait; None without one that can be read."""
    value = headers.get("retry-after") or ""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(float(milliseconds) / 1000, 0.0)
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)


def one_line(text: str, most: int = 240) -> str:
    """A text on one line, cut to `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
