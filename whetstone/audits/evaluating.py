"""What audits share: pairs out of cases, what an evaluator says of them, and tests with their verdicts in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from whetstone.core.errors import Abstain, ConfigError, TaskError
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import find, load
from whetstone.core.types import TIE, Candidate, Case, Example, Finding, Json, Signal, Task, Verdict
from whetstone.stats import HypothesisTest, clustered_mean, finding, paired_permutation, proportion

Name = TypeVar("Name", bound=str)
Groups = Sequence[str] | NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates for one question, and whether each is right (None: unknown)."""

    example: Example
    first: Candidate
    second: Candidate
    correct: tuple[bool | None, bool | None] = (None, None)

    @property
    def group(self) -> str:
        return cluster(self.example)


def cluster(example: Example) -> str:
    """The cluster of everything asked about one question."""
    return example.group or example.id


def labels(case: Case) -> tuple[bool | None, ...]:
    """Whether each candidate is right; unknown where the case does not say."""
    return case.correct or (None,) * len(case.candidates)


def ratings_of(case: Case) -> list[float | None]:
    """People's ratings of a case's candidates, else 1 and 0 for right and wrong; unknown is None.

    Raises TaskError for a rating that is not finite, and unless there are as many ratings as candidates.
    """
    given = case.example.meta.get("ratings")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return [None if label is None else float(label) for label in labels(case)]
    if len(given) != len(case.candidates):
        raise TaskError(
            f"{case.example.id}: {len(given)} ratings of {len(case.candidates)} answers; write one for each, null "
            "where there is none"
        )
    where = f"{case.example.id}: a rating"
    return [finite(value, where) if isinstance(value, (int, float)) else None for value in given]


def pairs(cases: Iterable[Case], per_case: int, wanted: Callable[[Pair], bool] = lambda pair: True) -> list[Pair]:
    """The first `per_case` wanted pairs of each case; pairs of equal texts are never wanted."""
    found: list[Pair] = []
    for case in cases:
        marked = list(zip(case.candidates, labels(case), strict=True))
        every = (Pair(case.example, a, b, (right, left)) for (a, right), (b, left) in combinations(marked, 2))
        good = (pair for pair in every if pair.first.text != pair.second.text and wanted(pair))
        found += islice(good, per_case)
    return found


def right_and_wrong(cases: Iterable[Case], per_case: int) -> list[Pair]:
    """Pairs of one right and one wrong answer. Raises Abstain when there is none."""
    asked = pairs(cases, per_case, lambda pair: set(pair.correct) == {True, False})
    if not asked:
        raise Abstain("no case has a right and a wrong answer")
    return asked


def first_source(cases: Iterable[Case]) -> str:
    """Who wrote the first candidate."""
    return next((candidate.source for case in cases for candidate in case.candidates), "")


def is_mixed(pair: Pair, own: str) -> bool:
    """Whether exactly one of two answers is from this source."""
    return (pair.first.source == own) != (pair.second.source == own)


def named(names: str, known: Collection[Name], what: str) -> list[Name]:
    """Those of a comma-separated list, in the order of the known ones; "all" are all.

    Raises ConfigError for an unknown one.
    """
    listed = set(known) if names == "all" else {name.strip() for name in names.split(",")} - {""}
    if unknown := sorted(listed - set(known)):
        raise ConfigError(f"no {what} is called {unknown[0]!r}; there are {', '.join(known)}")
    return [name for name in known if name in listed]


def finite(value: float, where: str) -> float:
    """A number that statistics can be made of. Raises TaskError, which begins with `where`, for any other."""
    if not abs(value) < float("inf"):
        raise TaskError(f"{where} is {value!r}; it must be a finite number")
    try:
        return float(value)
    except OverflowError:
        raise TaskError(f"{where} is too large a number") from None


def prefer(task: Task, asked: Sequence[Pair], evaluator: str) -> Flow[list[Verdict]]:
    """What a judge, or a signal by its higher value, prefers in each pair. Raises Abstain when it never says."""
    if not asked:
        raise Abstain("no pair of candidates fits this audit")
    if find(evaluator).kind == "judge":
        judge = load(evaluator, "judge")
        verdicts: list[Verdict] = yield from gather(judge(task, p.example, p.first, p.second) for p in asked)
    else:
        signal = load(evaluator, "signal")
        values = yield from gather(signal(task, pair.example, (pair.first, pair.second)) for pair in asked)
        verdicts = [higher(pair, *signals) for pair, signals in zip(asked, values, strict=True)]
    if all(verdict.choice is None for verdict in verdicts):
        raise Abstain(f"{evaluator}: {verdicts[0].reason}")
    return verdicts


def higher(pair: Pair, first: Signal, second: Signal) -> Verdict:
    """The candidate with the higher value, as a verdict."""
    shown = (pair.first.id, pair.second.id)
    if first.value is None or second.value is None:
        return Verdict(shown, None, reason=first.abstained or second.abstained or "")
    choice = TIE if first.value == second.value else shown[first.value < second.value]
    return Verdict(shown, choice)


def measure(task: Task, cases: Sequence[Case], signal: str) -> Flow[list[list[Signal]]]:
    """A signal's values for all candidates of all cases. Raises Abstain when it has none."""
    function = load(signal, "signal")
    values: list[list[Signal]] = yield from gather(function(task, case.example, case.candidates) for case in cases)
    if all(s.value is None for signals in values for s in signals):
        reason = next((s.abstained for signals in values for s in signals), "no candidates")
        raise Abstain(f"{signal}: {reason}")
    return values


def share_of(choice: str | None, name: str) -> float | None:
    """1 if this was chosen, 1/2 for a tie, 0 if the other was; None when nothing was chosen."""
    return None if choice is None else 0.5 if choice == TIE else float(choice == name)


def mean_test(values: Sequence[float], groups: Sequence[str]) -> HypothesisTest:
    """A mean against 0 by the clustered t test; p is unknown when the values do not vary."""
    effect = clustered_mean(values, groups)
    p = None
    if effect.value is not None and effect.stderr:
        p = 2 * float(stdtr(len(set(groups)) - 1, -abs(effect.value) / effect.stderr))
    return HypothesisTest(effect, p, 0.0, "clustered t")


def rise(before: ArrayLike, after: ArrayLike, groups: Groups) -> HypothesisTest:
    """Mean of after minus before against 0, by sign flips of whole groups."""
    test = paired_permutation(after, before, groups=groups)
    return HypothesisTest(clustered_mean(np.subtract(after, before), groups), test.p, 0.0, test.method)


def in_words(test: HypothesisTest, told: Sequence[str]) -> str:
    """What a test says at 5 %; `told` are the words for above the null, below it and neither."""
    if test.p is None or test.p >= 0.05:
        return told[2]
    above = test.effect.value is not None and test.effect.value > test.null
    return told[0] if above else told[1]


def preference(
    name: str, shares: Sequence[float | None], groups: Sequence[str], told: tuple[str, str, str], **detail: Json
) -> Finding:
    """Shares of choices (0, 1/2, 1; None: abstained) tested against 1/2 by sign flips within whole groups.

    `told` is as in `in_words`.
    """
    known = [(share, group) for share, group in zip(shares, groups, strict=True) if share is not None]
    if not known:
        return Finding(name, None, None, 0, 0.5, verdict="not measured", detail={"abstained": len(shares), **detail})
    values, where = np.array([share for share, _ in known]), [group for _, group in known]
    effect = proportion(values, groups=where)
    p = paired_permutation(values, np.full(len(values), 0.5), groups=where).p
    test = HypothesisTest(effect, p, 0.5, "sign-flip permutation")
    return finding(name, test, verdict=in_words(test, told), abstained=len(shares) - len(known), **detail)
