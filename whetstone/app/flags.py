"""Flags that verbs share, and flags made from a method's signature."""

from __future__ import annotations

import argparse
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from whetstone.app.console import Console
from whetstone.app.limits import Limits
from whetstone.core.errors import ConfigError
from whetstone.core.registry import Method, load, methods, options

NAMING = {"signal": ("signal",), "judge": ("judge", "signal"), "evaluator": ("judge", "signal")}


def find_method(name: str, *kinds: str) -> Method:
    """The method of this name among the kinds given (all when none). Raises ConfigError with the nearest names."""
    known = [m for m in methods() if not kinds or m.kind in kinds]
    matches = [m for m in known if m.name == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ConfigError(f"{name!r} is declared more than once: {', '.join(m.file for m in matches)}")
    from difflib import get_close_matches

    names = [m.name for m in known]
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    what = " or ".join(kinds) or "method"
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names) or 'none'}"
    raise ConfigError(f"no {what} is called {name!r}; {hint}")


def value_of(argv: Sequence[str], flag: str) -> str | None:
    """The value that a flag is given, before the arguments are parsed."""
    for i, text in enumerate(argv):
        if text == flag:
            return argv[i + 1] if i + 1 < len(argv) else None
        if text.startswith(f"{flag}="):
            return text.partition("=")[2]
    return None


def pairs(text: str | None, flag: str = "--columns") -> dict[str, str]:
    """`left=a,winner=b` as names and their values; `flag` is what the user wrote them after."""
    return dict(named(part, flag) for part in parts(text))


def named(text: str, flag: str = "--covariate") -> tuple[str, str]:
    """`NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals:
        example = {"--columns": "winner=choice", "--family": "gpt-5=openai"}.get(flag, "length=words_a/words_b")
        raise ConfigError(f"{flag} {text!r}: write NAME=VALUE, such as {example}")
    return name.strip(), value.strip()


def parts(text: str | None) -> tuple[str, ...]:
    """Names joined by commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def wrong(message: str) -> NoReturn:
    """Refuse a flag's text, for argparse."""
    raise argparse.ArgumentTypeError(message)


def positive(text: str) -> int:
    """A whole number above 0, for argparse. `20k` and `2M` are understood."""
    scale = {"k": 1_000, "M": 1_000_000}.get(text[-1:], 1)
    try:
        value = float(text[:-1] if scale > 1 else text) * scale
    except ValueError:
        value = 0.0
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(value)


def money(text: str) -> float:
    """An amount above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount above 0")
    return value


def add_limits(parser: argparse._ActionsContainer) -> None:
    """--max-tokens and --max-cost."""
    parser.add_argument("--max-tokens", type=positive, help="stop, resumable, before paying for more (20k, 2M)")
    parser.add_argument("--max-cost", type=money, help="the same in money, by your price table (docs/cost.md)")


def limits_of(args: argparse.Namespace) -> Limits:
    """What --max-tokens and --max-cost say."""
    return Limits(args.max_tokens, args.max_cost)


def run_settings(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """What a verb's command line says about its run, for `workbench` and for the functions that open one."""
    return {
        "seed": args.seed,
        "budget": args.budget,
        "limits": limits_of(args),
        "store": args.store,
        "resume": args.resume,
        "console": console,
    }


def limit_flags(args: argparse.Namespace) -> list[str]:
    """The limits as they were given, for a command line that is run again."""
    given = {"--max-tokens": args.max_tokens, "--max-cost": args.max_cost}
    return [part for flag, value in given.items() if value is not None for part in (flag, str(value))]


def flag_of(name: str, method: Method) -> str:
    """The flag of a method's option; one that would hide a limit of the run carries the method's name."""
    flag = f"--{name.replace('_', '-')}"
    return f"--{method.name.replace('_', '-')}{flag[1:]}" if flag in ("--max-tokens", "--max-cost") else flag


def add_common(
    parser: argparse.ArgumentParser, *, task: bool = True, model: bool = True, limit: int | None = 100
) -> None:
    """The flags of every verb that asks a model questions."""
    if task:
        parser.add_argument(
            "--task", required=True, help="ledger, countdown, strings, logic (with :levels=5-8) or a file"
        )
    if model:
        add_model(parser)
    if limit is not None:
        parser.add_argument("--limit", type=positive, default=limit, help=f"questions (default {limit})")
        parser.add_argument("--split", choices=("train", "dev", "test"), default="test", help="default test")
    parser.add_argument("--seed", type=int, default=0, help="run seed (default 0)")
    parser.add_argument("--budget", type=positive, help="cap on all tokens used, paid for or stored (20k, 2M)")
    add_limits(parser)
    parser.add_argument("--resume", metavar="RUN", help="go on with a stored run of the same settings")
    add_store(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model and --device."""
    parser.add_argument("--model", required=True, help="grit, hf/PATH, openai/MODEL@URL, recorded:FILE, scripted:FILE")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")


def add_store(parser: argparse.ArgumentParser) -> None:
    """--store."""
    parser.add_argument("--store", default="runs", help="folder of the run database (default runs)")


def add_method_flags(parser: argparse.ArgumentParser, method: Method) -> None:
    """One flag for each option in the method's signature, and --preset where it has presets.

    An option whose flag the verb itself has (--seed) is the verb's to fill; one whose value no flag can write (a
    mapping) is left to Python.
    """
    group = parser.add_argument_group(f"options of {method.name}")
    taken = parser._option_string_actions
    for parameter in options(load(method.name, method.kind)).values():
        flag = flag_of(parameter.name, method)
        if flag in taken:
            continue
        try:
            read = truth if parameter.annotation is bool else reader(parameter.annotation)
        except ConfigError:
            continue
        settings: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": f"option_{parameter.name}"}
        help_text = f"{inspect.formatannotation(parameter.annotation)}, default {parameter.default!r}".replace(
            "%", "%%"
        )
        if parameter.annotation is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text, **settings)
        else:
            group.add_argument(flag, type=read, metavar="X", help=help_text, **settings)
    if method.presets:
        group.add_argument("--preset", choices=tuple(method.presets), help="the settings of one of its papers")


def method_options(args: argparse.Namespace, method: Method) -> dict[str, Any]:
    """The options that were given: the preset's, overridden by flags."""
    preset = getattr(args, "preset", None)
    chosen: dict[str, Any] = dict(method.presets[preset].options) if preset else {}
    given = {key.removeprefix("option_"): value for key, value in vars(args).items() if key.startswith("option_")}
    return known_names({**chosen, **given})


def parse_options(text: str, method: Method) -> dict[str, Any]:
    """Options written as `n=8,signal=p_true` after a method's name."""
    known, chosen = options(load(method.name, method.kind)), {}
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        if not equals or name not in known:
            raise ConfigError(f"{method.name} has no option {name!r}; options: {', '.join(known) or 'none'}")
        try:
            chosen[name] = reader(known[name].annotation)(value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise ConfigError(f"option {name} of {method.name}: {error}") from None
    return known_names(chosen)


def known_names(chosen: dict[str, Any]) -> dict[str, Any]:
    """The options, once methods that they name are known to exist."""
    for option, kinds in NAMING.items():
        if chosen.get(option):
            find_method(chosen[option], *kinds)
    return chosen


def split_method(text: str, *kinds: str) -> tuple[Method, Mapping[str, Any]]:
    """`best_of_n:n=8,signal=p_true` as a method and its options."""
    name, _, settings = text.partition(":")
    method = find_method(name, *kinds)
    return method, parse_options(settings, method)


def reader(annotation: Any) -> Callable[[str], Any]:
    """A function from a flag's text to a value of the annotated type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in inner if kind is not type(None)]
        read = reader(kinds[0])
        return read if len(kinds) == len(inner) else lambda text: None if text.lower() == "none" else read(text)
    if origin is Literal:
        return lambda text: one_of(text, inner)
    if origin in (tuple, list, Sequence) or (origin is not None and issubclass(origin, Sequence)):
        item = reader(inner[0]) if inner else str
        return lambda text: tuple(item(part.strip()) for part in text.split(",") if part.strip())
    if annotation is bool:
        return truth
    if annotation in (int, float, str):
        return annotation  # type: ignore[no-any-return]
    raise ConfigError(f"the type {inspect.formatannotation(annotation)} cannot be given as a flag; use Python")


def one_of(text: str, allowed: tuple[Any, ...]) -> Any:
    """The allowed value whose text is `text`."""
    for value in allowed:
        if str(value) == text:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(map(str, allowed))}")


def truth(text: str) -> bool:
    """yes/no, true/false, 1/0."""
    if text.lower() in ("yes", "true", "1"):
        return True
    if text.lower() in ("no", "false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
