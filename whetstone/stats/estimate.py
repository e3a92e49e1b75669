"""The two results that every statistic returns: an estimate, and a test of an estimate against a null value."""

from __future__ import annotations

from dataclasses import dataclass

from whetstone.core.types import Finding, Json


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty. Whatever is unknown is None, never 0.

    Attributes:
        value: the point estimate; None when the data do not define it (then `note` says why).
        interval: lower and upper confidence limit; None when no honest interval is known.
        n: number of items that the value rests on.
        stderr: standard error; None when unknown.
        method: how the interval was made, e.g. "wilson".
        note: why something is None, or what else to know before using the number.
    """

    value: float | None
    interval: tuple[float, float] | None
    n: int
    stderr: float | None
    method: str
    note: str = ""

    def excludes(self, null: float) -> bool | None:
        """Does the interval leave `null` out? None when there is no interval."""
        if self.interval is None:
            return None
        return not self.interval[0] <= null <= self.interval[1]

    def __str__(self) -> str:
        value = "unknown" if self.value is None else f"{self.value:.3g}"
        limits = "no interval" if self.interval is None else f"{self.interval[0]:.3g} to {self.interval[1]:.3g}"
        return f"{value} ({limits}, n={self.n})"


@dataclass(frozen=True, slots=True)
class HypothesisTest:
    """An effect, tested against the value that would mean "nothing there".

    Attributes:
        effect: the estimated effect with its interval.
        p: two-sided p-value; None when the test is undefined.
        null: the effect's value under the null hypothesis.
        method: name of the test.
        wins, losses, ties: pairs in which the treatment is above, below or equal to the baseline; None when the
            test is not about pairs. For right/wrong data, wins are answers fixed and losses answers broken.
        statistic: what the p-value was read from, where it is one number (chi-square, t); else None.
    """

    effect: Estimate
    p: float | None
    null: float
    method: str
    wins: int | None = None
    losses: int | None = None
    ties: int | None = None
    statistic: float | None = None


def finding(name: str, result: Estimate | HypothesisTest, *, verdict: str = "", **detail: Json) -> Finding:
    """A statistic as a `Finding`. The method, and the note if there is one, are added to the detail."""
    test = result if isinstance(result, HypothesisTest) else None
    effect = test.effect if test else result
    assert isinstance(effect, Estimate)
    known: dict[str, Json] = {"method": test.method if test else effect.method, **detail}
    if test and test.wins is not None:
        known |= {"wins": test.wins, "losses": test.losses, "ties": test.ties}
    if effect.note:
        known["note"] = effect.note
    null, p = (test.null, test.p) if test else (None, None)
    return Finding(name, effect.value, effect.interval, effect.n, null, p, verdict, known)
