"""How much one server is asked at once: more while it keeps up, half when it does not, nothing while it rests."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

FIRST = 8
BASE, CAP = 0.5, 30.0
PATIENCE = 3


def full_jitter(attempt: int, rng: Random) -> float:
    """Seconds to wait before attempt `attempt` + 1: uniform up to a bound that doubles and is capped."""
    return rng.uniform(0.0, min(CAP, BASE * 2.0 ** min(attempt, 16)))


@dataclass(eq=False)
class Endpoint:
    """One server's state. Times come from the caller, in seconds of a monotonic clock.

    The limit of calls in flight starts small and doubles in each round of replies until the first setback; from then on
    it grows by one in each round. A setback halves it once, however many calls of that round report it, and the
    server rests: as long as it asks, else for a random time that doubles with each setback in a row. After an
    interruption a single call tries whether the server is back.
    """

    url: str
    most: int
    rng: Random = field(default_factory=Random)
    limit: float = 0.0
    running: int = 0
    rests_until: float = 0.0
    setbacks: int = 0
    answered: bool = False
    away: bool = False
    dead: Exception | None = None
    climbing: bool = True
    full: bool = False
    last_setback: float = float("-inf")
    failing_since: float | None = None

    def __post_init__(self) -> None:
        self.limit = float(min(FIRST, self.most))

    def room(self, now: float) -> bool:
        """May another call start?"""
        if self.dead is not None or now < self.rests_until:
            return False
        return self.running < (1 if self.away else int(self.limit))

    def begin(self) -> None:
        """A call starts."""
        self.running += 1
        # only a limit that is made use of says anything about the server
        self.full = self.running >= int(self.limit) or (self.full and 2 * self.running >= self.limit)

    def end(self) -> None:
        """A call ended without telling anything about the server."""
        self.running -= 1

    def succeed(self) -> None:
        """A call was answered."""
        if self.full:
            self.limit = min(self.limit + (1.0 if self.climbing else 1.0 / self.limit), float(self.most))
        self.running -= 1
        self.answered, self.away, self.setbacks, self.failing_since = True, False, 0, None

    def set_back(self, began: float, now: float, *, after: float | None = None, away: bool = False) -> None:
        """A call that began at `began` met a server that is overloaded, or is `away`: interrupted or not there.

        Args:
            after: seconds that the server asks to wait.
        """
        self.running -= 1
        self.failing_since = began if self.failing_since is None else self.failing_since
        if began >= self.last_setback:
            self.limit = max(1.0, self.limit / 2)
            self.climbing = False
            self.last_setback = now
            self.setbacks += 1
            rest = full_jitter(self.setbacks, self.rng) if after is None else 0.0
            self.rests_until = max(self.rests_until, now + rest)
        self.away = self.away or away
        if after is not None:
            self.rests_until = max(self.rests_until, now + after)

    @property
    def hopeless(self) -> bool:
        """Has it never answered, however often it was tried?"""
        return self.away and not self.answered and self.setbacks >= PATIENCE
