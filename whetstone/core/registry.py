"""The registry: one `@method` line makes a function known to `list`, `show`, `run` and the paper index.

A method's file, function and name are the same word. Listing reads the source with `ast` and imports nothing;
a method is imported when it is used. Outside packages register modules under the entry-point group
`whetstone.methods`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from whetstone.core.errors import Abstain, BudgetExceeded, ConfigError
from whetstone.core.types import Finding, Outcome, Signal, Verdict

P = ParamSpec("P")
R = TypeVar("R")

FOLDERS = {
    "signal": "signals",
    "judge": "signals",
    "audit": "audits",
    "table": "audits",
    "strategy": "strategies",
    "loop": "loops",
    "guard": "loops",
    "monitor": "loops",
    "study": "studies",
    "ranking": "ranking",
}
GROUP = "whetstone.methods"
_DECLARED = re.compile(r"^@method\(", re.MULTILINE)
_HEAD = re.compile(r'^@method\(.*?^    """.*?"""', re.MULTILINE | re.DOTALL)
"""A method's source up to the end of its docstring: all that is told without importing it."""


@dataclass(frozen=True)
class Preset:
    """Settings under which a method is the mechanism of a paper."""

    paper: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """What is known of a method without importing it. `checked` names the test that shows it works."""

    kind: str
    name: str
    module: str
    file: str
    summary: str
    papers: tuple[str, ...] = ()
    presets: Mapping[str, Preset] = field(default_factory=dict)
    checked: str = ""

    @property
    def all_papers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.papers, *(preset.paper for preset in self.presets.values()))))


def method(
    kind: str,
    *,
    papers: tuple[str, ...] = (),
    presets: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    checked: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a function as a method. All arguments are literals, since listing reads them from the source.

    Args:
        kind: one of `FOLDERS`.
        papers: exact titles of the papers whose mechanism the defaults are.
        presets: name -> (paper title, options) where settings make it another paper's mechanism.
        checked: `tests/...::test_name` of the planted-truth test.

    A signal, judge, strategy or audit that raises `Abstain`, or lets `BudgetExceeded` through, returns an abstained
    result with the reason instead.
    """
    if kind not in FOLDERS:
        raise ConfigError(f"unknown kind of method {kind!r}; known: {', '.join(FOLDERS)}")

    def register(fn: Callable[P, R]) -> Callable[P, R]:
        if kind not in ("signal", "judge", "strategy", "audit"):
            return fn

        @wraps(fn)
        def flow(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return (yield from fn(*args, **kwargs))  # type: ignore[misc]
            except (Abstain, BudgetExceeded) as reason:
                return _abstained(kind, fn.__name__, str(reason) or type(reason).__name__, args)

        return flow

    return register


def _abstained(kind: str, name: str, reason: str, args: tuple[Any, ...]) -> Any:
    signal = Signal(None, "score", 0, abstained=reason, provenance={"method": name})
    if kind == "signal":
        return [signal] * len(args[2])
    if kind == "judge":
        return Verdict(tuple(candidate.id for candidate in args[2:]), None, reason=reason)
    if kind == "audit":
        return [Finding(name, None, None, 0, verdict=f"not measured: {reason}")]
    return Outcome(None, signal)


def methods(kind: str | None = None) -> list[Method]:
    """All methods, of one kind or of every kind, by kind and name."""
    root = Path(__file__).parent.parent
    found = [
        known
        for folder in dict.fromkeys(FOLDERS.values())
        for path in sorted((root / folder).glob("[!_]*.py"))
        for known in _declared(path, f"whetstone.{folder}.{path.stem}", f"whetstone/{folder}/{path.name}")
    ]
    for point in entry_points(group=GROUP):
        spec = importlib.util.find_spec(point.value)
        if spec is None or spec.origin is None:
            raise ConfigError(f"plugin {point.name!r} names the module {point.value!r}, which cannot be found")
        found += read_source(Path(spec.origin), point.value, spec.origin)
    order = list(FOLDERS)
    return sorted((m for m in found if kind in (None, m.kind)), key=lambda m: (order.index(m.kind), m.name))


@cache
def _declared(path: Path, module: str, file: str) -> tuple[Method, ...]:
    """The methods of one of Whetstone's own files, read once in a process."""
    return tuple(read_source(path, module, file))


def read_source(path: Path, module: str, file: str) -> Iterator[Method]:
    """The methods that a source file declares."""
    text = path.read_text(encoding="utf-8")
    count = len(_DECLARED.findall(text))
    if not count:
        return
    # whole files take eight times as long to parse; they are needed where a docstring is missing or unusual
    try:
        found = list(_parsed("\n".join(_HEAD.findall(text)), module, file))
    except SyntaxError:
        found = []
    yield from found if len(found) == count else _parsed(text, module, file)


def _parsed(text: str, module: str, file: str) -> Iterator[Method]:
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "method":
                options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
                presets = {name: Preset(*preset) for name, preset in (options.get("presets") or {}).items()}
                summary = (ast.get_docstring(node) or "").split("\n")[0]
                yield Method(
                    ast.literal_eval(call.args[0]),
                    node.name,
                    module,
                    file,
                    summary,
                    options.get("papers", ()),
                    presets,
                    options.get("checked", ""),
                )


def find(name: str, kind: str | None = None) -> Method:
    """The method of this name. Raises ConfigError that lists what is known."""
    matches = [m for m in methods(kind) if m.name == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ConfigError(f"{name!r} is declared more than once: {', '.join(m.file for m in matches)}")
    known = ", ".join(m.name for m in methods(kind))
    raise ConfigError(f"no {kind or 'method'} is called {name!r}; known: {known}")


@cache
def load(name: str, kind: str | None = None) -> Callable[..., Any]:
    """Import a method and return its function. Looked up once: flows that compose by name call this every time."""
    known = find(name, kind)
    function: Callable[..., Any] = getattr(importlib.import_module(known.module), known.name)
    return function


def options(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """A method's settings: its keyword-only parameters, which are also its command-line flags."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
