"""How much a run may pay for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that a run may pay for, in tokens (read plus written) and in money."""

    tokens: int | None = None
    cost: float | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that set them."""
        return tuple(flag for flag, value in (("--max-tokens", self.tokens), ("--max-cost", self.cost)) if value)


NO_LIMITS = Limits()
