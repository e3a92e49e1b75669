"""Outputs put to a judge: flows, the rows of verdicts.jsonl, and what they come to."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from whetstone.app.meter import Paid
from whetstone.app.outputs import Item
from whetstone.app.workbench import Workbench
from whetstone.audits.evaluating import Pair, higher
from whetstone.audits.recorded import Verdicts
from whetstone.audits.win_rates import win_rates
from whetstone.core.errors import ConfigError, StoreError
from whetstone.core.flow import Flow
from whetstone.core.registry import Method, load
from whetstone.core.types import TIE, Candidate, Case, Failure, Finding, Generation, Json, Signal, Task, Verdict
from whetstone.ranking.judge_error import prediction_powered_rate
from whetstone.stats import Estimate, clustered_mean, finding, proportion
from whetstone.stats.intervals import unmoved

Row = dict[str, Json]
FINAL = {"both orders": "win rate", "length controlled": "at equal length", "human": "by the labels"}
SKIPPED = ("one order", "error of one order")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two outputs to one question, and what people say of them: the share of the first (None: unknown)."""

    item: Item
    first: str
    second: str
    preferred: float | None

    @property
    def key(self) -> str:
        """The pair's name."""
        return f"{self.item.id}/{self.first}|{self.second}"

    @property
    def candidates(self) -> Pair:
        """The two outputs as methods see them."""
        return Pair(self.item.example, candidate(self.item, self.first), candidate(self.item, self.second))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a judge made of a system, or of one system against another.

    Attributes:
        against: the other system; "" for scores.
        findings: win rates or mean scores, as far as the labels and lengths allow.
        judged: pairs or outputs with a verdict; `ties` of them are even; `abstained` is the number without one.
    """

    system: str
    against: str
    findings: tuple[Finding, ...]
    judged: int
    ties: int
    abstained: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that one run of a judge found."""

    judge: str
    model: str
    kind: str
    file: str
    rows: int
    standings: tuple[Standing, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    requests: int = 0
    paid: Paid | None = None
    run: str = ""


# ----------------------------------------------------------------------------------------- asking


def pairings(items: Sequence[Item], baseline: str = "") -> list[Pairing]:
    """Every two outputs to the same question, or every output against the baseline's.

    Raises:
        ConfigError: no question has two outputs, or none of the baseline's.
    """
    found = []
    for item in items:
        names = list(item.answers)
        chosen = list(combinations(names, 2))
        if baseline:
            chosen = [(name, baseline) for name in names if name != baseline and baseline in names]
        for first, second in chosen:
            found.append(Pairing(item, first, second, _preferred(item, first, second)))
    if not found:
        known = ", ".join(dict.fromkeys(name for item in items for name in item.answers))
        if baseline:
            raise ConfigError(
                f"--baseline {baseline}: no other system answers a question that it does; there are {known}"
            )
        raise ConfigError(
            "no question has two outputs to compare; give two columns or files, or a judge of single ones"
        )
    return found


def _preferred(item: Item, first: str, second: str) -> float | None:
    """The pair's own label, else who has the higher one of two labels."""
    if item.preferred is not None:
        return item.preferred if first == next(iter(item.answers)) else 1 - item.preferred
    one, two = item.answers[first].label, item.answers[second].label
    return None if one is None or two is None else (float(np.sign(one - two)) + 1) / 2


def candidate(item: Item, system: str) -> Candidate:
    """One output as methods see it."""
    return Candidate(f"{item.id}/{system}", Generation(item.answers[system].text), system)


def compare(
    bench: Workbench, task: Task, asked: Sequence[Pairing], judge: Method, options: Mapping[str, Any]
) -> dict[str, Verdict]:
    """The judge's verdict on every pair; one that failed has the error as its reason."""
    pairs = {pair.key: pair.candidates for pair in asked}
    return verdicts_on(bench, f"judge {judge.name}", task, judge, pairs, options)


def score(
    bench: Workbench, task: Task, items: Sequence[Item], signal: Method, options: Mapping[str, Any]
) -> dict[str, list[Signal]]:
    """The signal's values for all outputs of every question."""
    cases = {one.id: Case(one.example, tuple(candidate(one, name) for name in one.answers)) for one in items}
    return values_of(bench, f"judge {signal.name}", task, signal, cases, options)


def verdicts_on(
    bench: Workbench, phase: str, task: Task, judge: Method, pairs: Mapping[str, Pair], options: Mapping[str, Any]
) -> dict[str, Verdict]:
    """A judge's verdict on every pair; one whose flow failed has the error as its reason."""
    function = load(judge.name, "judge")
    flows: dict[str, Flow[Verdict]] = {
        key: function(task, pair.example, pair.first, pair.second, **options) for key, pair in pairs.items()
    }
    driven = bench(phase, flows)
    failed = {key: Verdict((), None, reason=_failed(failure)) for key, failure in driven.failures.items()}
    return {**driven.results, **failed}


def values_of(
    bench: Workbench, phase: str, task: Task, signal: Method, cases: Mapping[str, Case], options: Mapping[str, Any]
) -> dict[str, list[Signal]]:
    """A signal's values for the answers of every case; those of a flow that failed have the error as their reason."""
    function = load(signal.name, "signal")
    flows: dict[str, Flow[list[Signal]]] = {
        key: function(task, case.example, case.candidates, **options) for key, case in cases.items()
    }
    driven = bench(phase, flows)
    failed = {
        key: [Signal(None, "score", 0, abstained=_failed(failure))] * len(cases[key].candidates)
        for key, failure in driven.failures.items()
    }
    return {**driven.results, **failed}


def _failed(failure: Failure) -> str:
    return f"failed: {failure.error}: {failure.message}"


def by_score(asked: Sequence[Pairing], values: Mapping[str, Sequence[Signal]]) -> dict[str, Verdict]:
    """The output with the higher value of each pair, as a verdict."""
    found = {}
    for pair in asked:
        signals = dict(zip(pair.item.answers, values[pair.item.id], strict=True))
        found[pair.key] = higher(pair.candidates, signals[pair.first], signals[pair.second])
    return found


# ------------------------------------------------------------------------------------------- rows


def shown_rows(
    judge: str, prompt: str, pair: str, first: Candidate, second: Candidate, verdict: Verdict
) -> Iterator[tuple[Row, Verdict]]:
    """A row for each time that a pair was shown, or one for a judge that shows no single verdicts, with its verdict."""
    # A panel's members have verdicts on both orders themselves, and aspects are parts of one verdict.
    single = {one.shown for one in verdict.orders} == {(first.id, second.id), (second.id, first.id)}
    for one in verdict.orders if single else [verdict]:
        swapped = single and one.shown[0] == second.id
        a, b = (second, first) if swapped else (first, second)
        row: Row = {
            "judge": judge,
            "prompt": prompt,
            "pair": pair,
            "swapped": swapped,
            "first": a.source,
            "second": b.source,
            "first_length": len(a.text),
            "second_length": len(b.text),
            "verdict": place(one.choice, a.id, b.id),
        }
        if one.probs:
            row["probability"] = one.probs.get(a.id, 0.0) + one.probs.get(TIE, 0.0) / 2
        yield row, one


def verdict_rows(name: str, pair: Pairing, verdict: Verdict) -> Iterator[Row]:
    """The rows of a pair of outputs."""
    first, second = candidate(pair.item, pair.first), candidate(pair.item, pair.second)
    for row, one in shown_rows(name, pair.item.id, pair.key, first, second, verdict):
        if pair.preferred is not None:
            share = 1 - pair.preferred if row["swapped"] else pair.preferred
            row["label"] = {1.0: "first", 0.0: "second", 0.5: "tie"}[share]
        if pair.item.category:
            row["category"] = pair.item.category
        if one.choice is None:
            row |= {"reason": one.reason or verdict.reason, "raw": one.raw}
        yield row


def place(choice: str | None, first: str, second: str) -> str | None:
    """A choice as the place where it was shown."""
    return {first: "first", second: "second", TIE: "tie"}.get(choice) if choice is not None else None


def score_rows(name: str, item: Item, signals: Sequence[Signal]) -> Iterator[Row]:
    """A row for each output's score."""
    for (system, answer), signal in zip(item.answers.items(), signals, strict=True):
        row = score_row(name, item.id, candidate(item, system), signal, answer.label, item.category)
        if signal.abstained is not None:
            row["reason"] = signal.abstained
        yield row


def score_row(judge: str, prompt: str, one: Candidate, signal: Signal, label: float | None, category: str) -> Row:
    """The row of one answer's score."""
    row: Row = {"judge": judge, "prompt": prompt, "system": one.source, "score": signal.value, "length": len(one.text)}
    if label is not None:
        row["label"] = label
    if category:
        row["category"] = category
    return row


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write JSON Lines whole: to a file beside it first.

    Raises:
        StoreError: the file cannot be written.
    """
    half = path.with_name(f"{path.name}.half")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Half a surrogate pair, as a reply that was cut may end in, has no UTF-8; its escape is JSON.
        with half.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        os.replace(half, path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; choose another file") from None


# ---------------------------------------------------------------------------------------- results


def compared(asked: Sequence[Pairing], verdicts: Mapping[str, Verdict]) -> tuple[Standing, ...]:
    """Each pair of systems: win rate of the first by the judge's final verdicts, and its corrections."""
    groups: dict[tuple[str, str], list[Pairing]] = {}
    for pair in asked:
        turned = (pair.second, pair.first) in groups
        groups.setdefault((pair.second, pair.first) if turned else (pair.first, pair.second), []).append(pair)
    return tuple(_standing(names, pairs, verdicts) for names, pairs in groups.items())


def _standing(names: tuple[str, str], pairs: Sequence[Pairing], verdicts: Mapping[str, Verdict]) -> Standing:
    share, gold, lengths = [], [], []
    for pair in pairs:
        choice = verdicts[pair.key].choice
        mine, other = (candidate(pair.item, name) for name in names)
        share.append(np.nan if choice is None else 0.5 if choice == TIE else float(choice == mine.id))
        preferred = pair.preferred if pair.first == names[0] or pair.preferred is None else 1 - pair.preferred
        gold.append(np.nan if preferred is None else preferred)
        lengths.append((len(mine.text), len(other.text)))
    ours = np.array(share)
    read = ~np.isnan(ours)
    found: tuple[Finding, ...] = ()
    if read.any():
        # As if each pair had been shown in both orders with the final verdict as the outcome of either.
        both = Verdicts(
            np.concatenate([ours, 1 - ours]),
            np.tile(np.arange(len(ours)), 2),
            np.repeat([False, True], len(ours)),
            None if np.isnan(gold).all() else np.concatenate([gold, 1 - np.array(gold)]),
            np.concatenate([np.array(lengths, float), np.array(lengths, float)[:, ::-1]]),
        )
        found = tuple(_final(one) for one in win_rates(both) if one.name not in SKIPPED and one.estimate is not None)
    return Standing(*names, found, int(read.sum()), int((ours == 0.5).sum()), int((~read).sum()))


def _final(one: Finding) -> Finding:
    if one.name != "error of both orders":
        return replace(one, name=FINAL.get(one.name, one.name))
    bounds = one.interval
    if bounds is None and one.estimate == 0:
        bounds = unmoved(one.n)
    return replace(one, name="error of the judge", interval=bounds)


def scored(items: Sequence[Item], values: Mapping[str, Sequence[Signal]]) -> tuple[Standing, ...]:
    """Each system's mean score, and with labels on some outputs the mean that people would give."""
    by_system: dict[str, list[tuple[float | None, float | None, str]]] = {}
    for item in items:
        for (system, answer), signal in zip(item.answers.items(), values[item.id], strict=True):
            by_system.setdefault(system, []).append((signal.value, answer.label, item.id))
    found = []
    for system, rows in by_system.items():
        known = [(value, label, where) for value, label, where in rows if value is not None]
        shares = all(0 <= value <= 1 for value, *_ in known)
        average = _share_of if shares else clustered_mean
        means = [finding("mean score", average([v for v, _, _ in known], [w for *_, w in known]))]
        labels = [(label, where) for _, label, where in rows if label is not None]
        if labels:
            given = _share_of if all(0 <= x <= 1 for x, _ in labels) else clustered_mean
            means.append(finding("by the labels", given([x for x, _ in labels], [w for _, w in labels])))
            both = [(label, value) for value, label, _ in known if label is not None]
            more = [value for value, label, _ in known if label is None]
            powered = prediction_powered_rate([label for label, _ in both], [value for _, value in both], more)
            means.append(finding("prediction-powered", powered))
        shown = tuple(one for one in means if one.estimate is not None)
        found.append(Standing(system, "", shown, len(known), 0, len(rows) - len(known)))
    return tuple(found)


def _share_of(values: Sequence[float], groups: Sequence[str]) -> Estimate:
    return proportion(values, groups=groups)


def reasons_of(verdicts: Sequence[Verdict | Signal]) -> dict[str, int]:
    """Why there is no verdict, counted."""
    said = Counter(
        (one.reason if isinstance(one, Verdict) else one.abstained) or "no reason given"
        for one in verdicts
        if (one.choice is None if isinstance(one, Verdict) else one.value is None)
    )
    return dict(said.most_common())
