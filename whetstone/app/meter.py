"""What a run pays for, as it runs, and the hard stop before it would pay for more than it may.

Only requests that reach the model are paid for; replies from the store are free. A request leaves when its worst case
still fits under the limits beside those in flight. When nothing is in flight and the next one does not fit, everything
that was paid for has been stored, and the run stops with `LimitReached`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whetstone.app.console import count, money_text
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.prices import Price, config_file, price_of
from whetstone.core.errors import ConfigError, LimitReached
from whetstone.core.flow import worst_case
from whetstone.core.types import Model, Reply, Request, Sample, Session, Usage
from whetstone.store.store import Account


@dataclass(frozen=True)
class Paid:
    """What a run has paid for: requests, tokens by role, money where the model has a price."""

    requests: int
    prompt: Mapping[str, int]
    completion: Mapping[str, int]
    cost: float | None = None
    currency: str = ""


@dataclass
class Meter:
    """What one run has paid for, by role, from its first start on.

    `reserved` is the worst case of what is in flight.
    """

    limits: Limits = NO_LIMITS
    price: Price | None = None
    asked: int = 0
    prompt: dict[str, int] = field(default_factory=dict)
    completion: dict[str, int] = field(default_factory=dict)
    reserved: Usage = field(default_factory=Usage)

    @classmethod
    def of(cls, model: str, limits: Limits) -> Meter:
        """A meter for a model, by the user's price table.

        Raises:
            ConfigError: there is a limit of money and the model has no price.
        """
        price = price_of(model)
        if limits.cost is not None and price is None:
            raise ConfigError(
                f"--max-cost needs the price of {model}: write [prices.{model!r}] with prompt and completion, each for "
                f"a million tokens, into {config_file()}"
            )
        return cls(limits, price)

    def carry(self, before: Iterable[Account]) -> None:
        """Add what the run paid for before it was resumed."""
        for account in before:
            self.asked += account.asked
            self.book(account.role, Usage(account.prompt, account.completion))

    @property
    def tokens(self) -> int:
        """Paid tokens, read plus written."""
        return sum(self.prompt.values()) + sum(self.completion.values())

    @property
    def cost(self) -> float | None:
        """What they cost, None without a price."""
        return self._cost(Usage())

    def _cost(self, more: Usage) -> float | None:
        if self.price is None:
            return None
        return self.price.of(sum(self.prompt.values()) + more.prompt, sum(self.completion.values()) + more.completion)

    def fits(self, bound: Usage) -> bool:
        """Whether a request may leave that takes no more than `bound`."""
        more = Usage(self.reserved.prompt + bound.prompt, self.reserved.completion + bound.completion)
        cost, limits = self._cost(more), self.limits
        if limits.tokens is not None and self.tokens + more.prompt + more.completion > limits.tokens:
            return False
        return limits.cost is None or cost is None or cost <= limits.cost

    def reserve(self, bound: Usage) -> None:
        """A request leaves."""
        self.reserved = Usage(self.reserved.prompt + bound.prompt, self.reserved.completion + bound.completion)

    def release(self, bound: Usage) -> None:
        """A request is answered, or given up."""
        self.reserved = Usage(self.reserved.prompt - bound.prompt, self.reserved.completion - bound.completion)

    def book(self, role: str, usage: Usage) -> None:
        """Tokens are paid for."""
        self.prompt[role] = self.prompt.get(role, 0) + usage.prompt
        self.completion[role] = self.completion.get(role, 0) + usage.completion

    def paid(self) -> Paid:
        """What is paid so far."""
        currency = self.price.currency if self.price else ""
        return Paid(self.asked, dict(self.prompt), dict(self.completion), self.cost, currency)

    def money(self) -> str:
        """The cost in words, "" without a price."""
        return "" if self.price is None else money_text(self.cost or 0.0, self.price.currency)

    def note(self) -> str:
        """What is paid so far, for the progress bar: tokens where they are limited, money where there is a price."""
        tokens, cost = self.limits.tokens, self.limits.cost
        parts = [
            f"{count(self.tokens)} of {count(tokens)} paid" if tokens is not None else "",
            self.money() + (f" of {cost:g}" if cost is not None else ""),
        ]
        return " · ".join(filter(None, parts))

    def sentence(self) -> str:
        """What the run has paid for, by role."""
        roles = ", ".join(
            f"{role} {count(self.prompt[role])} read and {count(self.completion[role])} written" for role in self.prompt
        )
        money = f", {self.money()}" if self.price else ""
        return f"Paid for: {count(self.asked)} requests, {count(self.tokens)} tokens ({roles}){money}."

    def reached(self, bound: Usage) -> LimitReached:
        """The error that stops the run before a request of worst case `bound`."""
        spent = f"{self.tokens} tokens" + (f" ({self.money()})" if self.price else "")
        which = []
        if self.limits.tokens is not None:
            which.append(f"--max-tokens {self.limits.tokens}")
        if self.limits.cost is not None:
            which.append(f"--max-cost {self.limits.cost:g}")
        worst = f"{bound.prompt + bound.completion} tokens"
        if self.limits.cost is not None and self.price is not None:
            worst += f" ({money_text(self.price.of(bound.prompt, bound.completion), self.price.currency)})"
        leave = "leave" if len(which) > 1 else "leaves"
        return LimitReached(
            f"{spent} paid for, and {' and '.join(which)} {leave} no room for the next request of up to {worst}"
        )


class Metered:
    """A model whose requests a meter lets through. Every other attribute is the model's own, which is `inner`."""

    def __init__(self, inner: Model, meter: Meter) -> None:
        self.inner, self.meter = inner, meter

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    def open(self) -> MeteredSession:
        return MeteredSession(self.inner, self.meter)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class MeteredSession:
    """Lets requests through in the order in which they came."""

    def __init__(self, model: Model, meter: Meter) -> None:
        self.model, self.meter = model, meter
        self.session: Session = model.open()
        self.waiting: deque[tuple[int, Request]] = deque()
        self.flying: dict[int, tuple[str, Usage]] = {}

    def put(self, ticket: int, request: Request) -> None:
        self.waiting.append((ticket, request))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        """Replies.

        Raises:
            LimitReached: the next request does not fit and nothing is in flight any more.
        """
        while self.waiting:
            ticket, request = self.waiting[0]
            bound = Usage() if self.meter.limits == NO_LIMITS else split_worst_case(request)
            if not self.meter.fits(bound):
                break
            self.waiting.popleft()
            self.meter.reserve(bound)
            self.flying[ticket] = (request.role, bound)
            self.session.put(ticket, request)
        if not self.flying:
            if self.waiting and self.meter.reserved == Usage():
                raise self.meter.reached(split_worst_case(self.waiting[0][1]))
            return []
        replies = self.session.poll(timeout)
        for ticket, reply in replies:
            role, bound = self.flying.pop(ticket)
            self.meter.release(bound)
            if not isinstance(reply, Exception):
                self.meter.asked += 1
                self.meter.book(role, reply.usage)
        return replies

    def close(self) -> None:
        self.waiting.clear()
        for _, bound in self.flying.values():
            self.meter.release(bound)
        self.flying.clear()
        self.session.close()


def split_worst_case(request: Request) -> Usage:
    """An upper bound on a request's tokens read and written."""
    written = request.sampling.max_tokens if isinstance(request, Sample) else 0
    return Usage(worst_case(request) - written, written)
