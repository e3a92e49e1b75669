"""Tasks by what the user calls them: `ledger:levels=5-8`, `game24`, `questions.jsonl:verifier=numeric`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from whetstone.core.errors import ConfigError
from whetstone.core.types import Sampling, Task
from whetstone.tasks.files import load_file
from whetstone.tasks.generated import Generated
from whetstone.tasks.prompts import countdown_prompt, ledger_prompt, logic_prompt, strings_prompt
from whetstone.tasks.readers import FORMATS, file_format
from whetstone.worlds import countdown, ledger, logic, strings

_OPTIONS = re.compile(r"[a-z_]+=[^,=]*(?:,[a-z_]+=[^,=]*)*")


def ledger_task(*, levels: str = "3-10", temperature: float = 0.7, max_tokens: int = 0) -> Generated:
    """Entries applied to a balance modulo 100, one step each; the level is the number of entries (1 to 16)."""
    chosen = parse_levels(levels, ledger.LEVELS)
    sampling = Sampling(temperature, max_tokens=max_tokens or 64 + 16 * max(chosen))
    return Generated("ledger", ledger, ledger.generate, ledger_prompt, chosen, sampling)


def countdown_task(*, levels: str = "2-5", temperature: float = 0.7, max_tokens: int = 512) -> Generated:
    """Reach a target with given numbers; the level is how many (2 to 5)."""
    chosen, sampling = parse_levels(levels, countdown.LEVELS), Sampling(temperature, max_tokens=max_tokens)
    return Generated("countdown", countdown, countdown.generate, countdown_prompt, chosen, sampling)


def game24_task(*, temperature: float = 0.7, max_tokens: int = 512) -> Generated:
    """Reach 24 with four numbers from 1 to 13: the 1362 deals that can be solved."""
    sampling = Sampling(temperature, max_tokens=max_tokens)
    return Generated("game24", countdown, countdown.generate_24, countdown_prompt, (4,), sampling)


def strings_task(*, levels: str = "1-8", temperature: float = 0.7, max_tokens: int = 512) -> Generated:
    """Operations on a word, one step each; the level is how many (1 to 16)."""
    chosen, sampling = parse_levels(levels, strings.LEVELS), Sampling(temperature, max_tokens=max_tokens)
    return Generated("strings", strings, strings.generate, strings_prompt, chosen, sampling)


def logic_task(*, levels: str = "4-16", temperature: float = 0.7, max_tokens: int = 1024) -> Generated:
    """Boolean expressions simplified step by step; the level is the number of operations (4 to 24)."""
    chosen, sampling = parse_levels(levels, logic.LEVELS), Sampling(temperature, max_tokens=max_tokens)
    return Generated("logic", logic, logic.generate, logic_prompt, chosen, sampling)


def file_task(
    spec: str,
    path: Path,
    *,
    verifier: str = "auto",
    tolerance: float | None = None,
    temperature: float = 0.7,
    max_tokens: int = 512,
) -> Task:
    """A .jsonl, .csv, .tsv or .parquet file with the columns id, input, target, choices, group, metadata."""
    settings = {} if tolerance is None else {"tolerance": tolerance}
    sampling = Sampling(temperature, max_tokens=max_tokens)
    return load_file(path, name=spec, verifier=verifier, sampling=sampling, **settings)


TASKS: dict[str, Callable[..., Generated]] = {
    "ledger": ledger_task,
    "countdown": countdown_task,
    "game24": game24_task,
    "strings": strings_task,
    "logic": logic_task,
}


def load_task(spec: str) -> Task:
    """The task that a text such as `ledger:levels=5-8` or `data.jsonl:verifier=numeric,tolerance=0.01` names.

    Raises:
        ConfigError: no such task, option or value; the message lists what there is.
        TaskError: the file cannot be opened.
    """
    head, colon, tail = spec.rpartition(":")
    has_options = bool(colon) and _OPTIONS.fullmatch(tail) is not None and not Path(spec).exists()
    name, given = (head, dict(part.split("=", 1) for part in tail.split(","))) if has_options else (spec, {})
    if name in TASKS:
        options = _typed(name, TASKS[name], given)
        return replace(TASKS[name](**options), name=_full_name(name, options))
    if file_format(Path(name)):
        return file_task(spec, Path(name), **_typed(name, file_task, given))
    if Path(name).is_file():
        raise ConfigError(f"{name}: a data file must end in {', '.join(FORMATS)} (or .gz of the text formats)")
    known = ", ".join(TASKS)
    raise ConfigError(f"no task is called {spec!r}; there are {known}, or give a {', '.join(FORMATS)} file")


def parse_levels(text: str, known: range) -> tuple[int, ...]:
    """Levels such as `5`, `5-8` or `3+5-8`. Raises ConfigError when a level does not exist."""
    bounds = f"give levels from {known[0]} to {known[-1]}, such as {known[0]}-{known[1]} or {known[0]}+{known[-1]}"
    levels: set[int] = set()
    for part in text.split("+"):
        match = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or first not in known or last not in known:
            raise ConfigError(f"levels={text}: {bounds}")
        levels |= set(range(first, last + 1))
    return tuple(sorted(levels))


def _full_name(name: str, options: Mapping[str, Any]) -> str:
    """The task's name with its levels and every other option that was given."""
    known = inspect.signature(TASKS[name]).parameters
    default = {"levels": known["levels"].default} if "levels" in known else {}
    settings = ",".join(f"{key}={value}" for key, value in (default | dict(options)).items())
    return f"{name}:{settings}" if settings else name


def _typed(name: str, builder: Callable[..., Task], given: dict[str, str]) -> dict[str, Any]:
    """Option texts as the types that the builder's signature asks for."""
    known = {
        key: parameter
        for key, parameter in inspect.signature(builder, eval_str=True).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    typed: dict[str, Any] = {}
    for key, text in given.items():
        if key not in known:
            raise ConfigError(f"the task {name} has no option {key!r}; it has {', '.join(known)}")
        wanted = known[key].annotation
        convert = str if wanted is str else int if wanted is int else float
        try:
            typed[key] = convert(text)
        except ValueError as error:
            raise ConfigError(f"{key}={text}: not a number") from error
    return typed
