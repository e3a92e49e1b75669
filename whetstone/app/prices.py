"""The user's price table: what a million tokens of a model cost.

In `~/.config/whetstone/config.toml` (under XDG_CONFIG_HOME if that is set; WHETSTONE_CONFIG names another file):

    currency = "EUR"                 # default USD
    [prices."openai/gpt-5"]          # the model as whetstone names it; `openai/*` stands for all that begin so
    prompt = 1.25                    # for a million tokens read
    completion = 10.0                # for a million tokens written
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from whetstone.core.errors import ConfigError

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """Of a million tokens read and written."""

    prompt: float
    completion: float
    currency: str = "USD"

    def of(self, prompt: float, completion: float) -> float:
        """The cost of tokens."""
        return (prompt * self.prompt + completion * self.completion) / MILLION


def config_file() -> Path:
    """Where the user's configuration is, whether or not it is there."""
    if named := os.environ.get("WHETSTONE_CONFIG"):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "whetstone" / "config.toml"


def price_of(model: str) -> Price | None:
    """A model's price: under its own name, else under the longest pattern that fits; None where there is none.

    Raises:
        ConfigError: the file cannot be read or holds something else.
    """
    prices = read_prices(config_file())
    if model in prices:
        return prices[model]
    fitting = [pattern for pattern in prices if fnmatchcase(model, pattern)]
    return prices[max(fitting, key=len)] if fitting else None


def read_prices(file: Path) -> Mapping[str, Price]:
    """The price table of a file, empty if there is no such file. Raises ConfigError that names the entry."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML ({error})") from error
    currency, table = found.pop("currency", "USD"), found.pop("prices", {})
    if found:
        raise ConfigError(f"{file}: unknown entry {next(iter(found))!r}; there are: currency, prices")
    if not isinstance(currency, str) or not currency.strip():
        raise ConfigError(f'{file}: currency is a name such as "USD", not {currency!r}')
    if not isinstance(table, dict):
        raise ConfigError(f'{file}: prices is a table, such as [prices."openai/gpt-5"], not {table!r}')
    return {name: _price(value, f'{file}: prices."{name}"', currency) for name, value in table.items()}


def _price(value: Any, at: str, currency: str) -> Price:
    if not isinstance(value, dict) or set(value) != {"prompt", "completion"}:
        raise ConfigError(f"{at} needs prompt and completion, each for a million tokens, and nothing else")
    for name, amount in value.items():
        number = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not number or not math.isfinite(amount) or amount < 0:
            raise ConfigError(f"{at}: {name} is a number from 0 up, not {amount!r}")
    return Price(float(value["prompt"]), float(value["completion"]), currency)
