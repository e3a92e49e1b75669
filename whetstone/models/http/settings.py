"""Where a model is served and how to ask it: from a name on the command line and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import parse_qsl, urlsplit

from whetstone.core.decode import read_json
from whetstone.core.errors import ConfigError
from whetstone.core.types import Json
from whetstone.models.http.errors import MissingKey

Api = Literal["chat", "completions"]
Scoring = Literal["auto", "echo", "prompt_logprobs", "first_token", "none"]
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Settings:
    """A model behind one server or several.

    Attributes:
        model: its name there.
        urls: base URLs of the servers that have it; by default the environment's OPENAI_BASE_URL (several separated
            by commas), else OpenAI's own.
        api: `chat` sends messages, `completions` one text to continue.
        key: the environment variable with the key. Keys are read from nowhere else.
        scoring: how given continuations are scored. `echo` and `prompt_logprobs` are the servers' two ways of teacher
            forcing; `first_token` reads a continuation of one token off the alternatives of the first token; `auto`
            takes the first of them that the server offers.
        schema: JSON schema that every sampled reply must follow.
        extra: further fields of every request's body, as the server documents them.
        concurrency: most requests to one server at once.
        choices: most samples asked in one call. Above 1 saves prompt tokens where they are paid, but only the first
            sample of a call has the seed it asked for.
        timeout: seconds for one attempt, the whole reply included.
        deadline: seconds from a request's first attempt to giving up.
        identity: says which weights these are, in place of the URLs: stored replies then outlive a change of address.
    """

    model: str
    urls: tuple[str, ...] = ()
    api: Api = "chat"
    key: str = "OPENAI_API_KEY"
    scoring: Scoring = "auto"
    schema: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)
    concurrency: int = 256
    choices: int = 1
    timeout: float = 600.0
    deadline: float = 900.0
    identity: str = ""

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError("openai/ needs the name of a model: openai/MODEL@URL")
        object.__setattr__(self, "urls", tuple(map(base_url, self.urls)) or _environment() or (OPENAI,))
        for name, kinds in (("api", get_args(Api)), ("scoring", get_args(Scoring))):
            if getattr(self, name) not in kinds:
                raise ConfigError(f"{name}={getattr(self, name)!r} is not one of {', '.join(kinds)}")
        only = {"echo": "completions", "first_token": "chat"}.get(self.scoring, self.api)
        if only != self.api:
            raise ConfigError(f"scoring={self.scoring} needs api={only}")
        for name in ("concurrency", "choices", "timeout", "deadline"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be positive, not {getattr(self, name)}")

    def secret(self) -> str | None:
        """The key, None where there is none.

        Raises:
            MissingKey: one is needed, or the one that is set cannot be sent.
        """
        value = os.environ.get(self.key, "").strip()
        needed = self.key != "OPENAI_API_KEY" or any(url.startswith("https://api.openai.com/") for url in self.urls)
        if not value and needed:
            raise MissingKey(f"{self.urls[0]} needs a key; set {self.key}")
        if not value.isascii() or not value.isprintable() or " " in value:
            raise MissingKey(f"{self.key} holds characters that no key has; set it again")
        return value or None


def _environment() -> tuple[str, ...]:
    """The base URLs that the environment names."""
    named = filter(None, map(str.strip, os.environ.get("OPENAI_BASE_URL", "").split(",")))
    try:
        return tuple(map(base_url, named))
    except ConfigError as error:
        raise ConfigError(f"OPENAI_BASE_URL: {error}") from error


def base_url(url: str) -> str:
    """A base URL without its last slash.

    Raises:
        ConfigError: it cannot be one.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ConfigError("a base URL must not hold a user or password; put the key into OPENAI_API_KEY")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{url!r} is not a base URL; give one such as http://localhost:8000/v1")
    url = url.rstrip("/")
    for path in ("/chat/completions", "/completions"):
        if url.endswith(path):
            raise ConfigError(f"give the base URL without {path}: {url.removesuffix(path)}")
    return url


def parse(spec: str) -> Settings:
    """Settings from `MODEL[@URL[,URL ...]][?option=value&...]`.

    Options are the attributes of `Settings`; `schema` names a JSON file and `extra` holds a JSON object.

    Raises:
        ConfigError: an option that does not exist or does not fit.
    """
    head, _, query = spec.partition("?")
    at = head.find("@http")
    model, urls = (head, "") if at < 0 else (head[:at], head[at + 1 :])
    kinds = {f.name: f.type for f in fields(Settings) if f.name not in ("model", "urls")}
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in kinds:
            raise ConfigError(f"openai/{model} has no option {name!r}; there are: {', '.join(kinds)}")
        try:
            options[name] = _value(name, cast(str, kinds[name]), value)
        except ValueError as error:
            raise ConfigError(f"openai/{model}: {name}={value!r} is no {kinds[name]} ({error})") from error
        except OSError as error:
            raise ConfigError(f"cannot read {value}: {error.strerror}") from error
    return Settings(model, tuple(filter(None, urls.split(","))), **options)


def _value(name: str, kind: str, text: str) -> Any:
    if kind in ("int", "float"):
        return int(text) if kind == "int" else float(text)
    if name not in ("schema", "extra"):
        return text
    value = read_json(Path(text).read_text(encoding="utf-8") if name == "schema" else text)
    if not isinstance(value, dict):
        raise ValueError("a JSON object is needed")
    return value
