"""The result of `whetstone improve`: everything that its seven steps measured, as plain frozen values.

`Result.to_json` is the machine-readable artefact (`result.json`): one object whose keys are the field names below,
tuples as arrays, an unknown number as null. Field names are stable; one that changes its meaning changes `SCHEMA`.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from html import escape
from numbers import Integral, Real
from typing import Any, Literal, Protocol

from whetstone.core.decode import read_json
from whetstone.core.errors import StoreError
from whetstone.core.types import Alarm, Finding, Json

SCHEMA = "whetstone.result/1"


class Interval(Protocol):
    """Anything measured: a value with its interval and its number of observations."""

    @property
    def value(self) -> float | None:
        """The point estimate; None where it is undefined."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; None where it is unknown."""

    @property
    def n(self) -> int:
        """Independent observations behind the value (questions, unless said otherwise)."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its 95 % interval and n. `value=None`: undefined here."""

    value: float | None
    interval: tuple[float, float] | None = None
    n: int = 0

    @classmethod
    def of(cls, estimate: Interval) -> Measure:
        """Copy value, interval and n from an estimate."""
        return cls(estimate.value, estimate.interval, estimate.n)

    @classmethod
    def found(cls, finding: Finding) -> Measure:
        """Copy estimate, interval and n from a finding."""
        return cls(finding.estimate, finding.interval, finding.n)


# ----------------------------------------------------------------------------------- the run itself


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is needed to make the same result again.

    Attributes:
        id: run id in the store.
        command: the exact command line, ready to paste.
        version: Whetstone's own version.
        versions: other software: python, torch, numpy ... -> version.
        hashes: what was read -> sha256 (checkpoint files, data files).
        seeds: one for each repetition of the training.
        started: UTC time, ISO 8601.
        machine: processor, threads, device, in words.
        settings: every option with its value, given or default.
    """

    id: str
    command: str
    version: str
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    started: str = ""
    machine: str = ""
    settings: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskCard:
    """The task: `levels` from easy to hard; `splits` maps "dev", "test" ... to their number of questions."""

    name: str
    description: str = ""
    levels: tuple[str, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The model that was improved; `after` is the fingerprint and `saved` the folder of the improved weights."""

    name: str
    fingerprint: str
    parameters: int | None = None
    description: str = ""
    license: str = ""
    after: str | None = None
    saved: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One of the seven steps: what it cost and what it says.

    `name` is baseline, know, audit, gap, sharpen, train or verdict. `failures` and `abstentions` count by reason.
    """

    name: str
    seconds: float
    tokens: int
    requests: int = 0
    sentence: str = ""
    failures: Mapping[str, int] = field(default_factory=dict)
    abstentions: Mapping[str, int] = field(default_factory=dict)


# --------------------------------------------------------------------------------------- the steps


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """Step 1 at one level (`level=""`: all levels together).

    Attributes:
        greedy: accuracy of the temperature-0 answer.
        sampled: mean accuracy of one sample.
        pass_at_k: at least one of k samples is right.
        majority: accuracy of the majority answer of k samples.
        distinct: distinct answers among k samples, mean.
        process: of the right greedy answers, those whose every step is right.
        unreadable: share of samples without a readable answer.
    """

    level: str
    greedy: Measure
    sampled: Measure
    pass_at_k: Measure
    majority: Measure
    distinct: Measure
    process: Measure | None = None
    unreadable: Measure | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: answers whose confidence lies in [low, high]."""

    low: float
    high: float
    confidence: float | None
    accuracy: Measure


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """One point of a risk-coverage curve: error rate among the `coverage` most confident answers."""

    coverage: float
    risk: Measure
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class SignalRow:
    """Step 2 for one signal. `auroc` compares right with wrong answers; ECE and Brier are after calibration.

    `kept` says whether the signal beats chance, `trusted` whether it filters the training data; `reason` says why.
    """

    name: str
    kept: bool
    reason: str = ""
    trusted: bool = False
    auroc: Measure | None = None
    p: float | None = None
    ece: Measure | None = None
    brier: Measure | None = None
    tokens: float | None = None
    n: int = 0
    abstained: int = 0
    reliability: tuple[Bin, ...] = ()
    coverage: tuple[RiskPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Step 3 for one evaluator: its findings and whether it may be trusted."""

    subject: str
    passed: bool
    sentence: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """Step 4: what the gap and the pass@k band say about self-improvement, before compute is spent."""

    worthwhile: bool | None
    sentence: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelMeasure:
    """A measure at one level."""

    level: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """Step 5 for one strategy: accuracy against tokens per question (prompt plus completion)."""

    name: str
    accuracy: Measure
    tokens: Measure
    options: Mapping[str, Json] = field(default_factory=dict)
    pareto: bool = False
    recommended: bool = False
    seconds: float | None = None
    levels: tuple[LevelMeasure, ...] = ()
    failures: int = 0
    abstained: int = 0


@dataclass(frozen=True, slots=True)
class LevelAccuracy:
    """Held-out accuracy at one level (`level=""`: all): greedy, mean of samples, and of right answers by steps."""

    level: str
    greedy: Measure
    sampled: Measure | None = None
    process: Measure | None = None


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """One training round of step 6; 0 is the state before training.

    Attributes:
        seen, kept: generations looked at, and kept for training.
        proxy: what the arm's own signal says about the answers of this round's model.
        gold: what the exact check says about the same answers (never used by a label-free arm).
        precision: share of kept generations that are right, by the exact check.
        exploration: diversity of correct answers; exploitation: how well the filter picks them; balance: B-STaR's
            score of both.
        distinct: distinct answers per question; length: characters of an answer.
        accuracy: held-out accuracy by level after this round.
        rolled_back: a guard took this round back.
        metrics: whatever else the loop measured.
    """

    index: int
    seen: int = 0
    kept: int = 0
    proxy: Measure | None = None
    gold: Measure | None = None
    precision: Measure | None = None
    exploration: Measure | None = None
    exploitation: Measure | None = None
    balance: Measure | None = None
    distinct: Measure | None = None
    length: Measure | None = None
    accuracy: tuple[LevelAccuracy, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    rolled_back: bool = False
    tokens: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def acceptance(self) -> float | None:
        """Share of the generations that were kept."""
        return self.kept / self.seen if self.seen else None


@dataclass(frozen=True, slots=True)
class Paired:
    """The same held-out questions before and after, greedily answered.

    Attributes:
        level: "" for all levels together.
        difference: after minus before, with a paired interval.
        p: of no difference; `test` names the test.
        fixed, broken: questions wrong before and right after, and the other way round.
        crossed: whether this level counts as raised (Holm-adjusted where there are several levels).
    """

    level: str
    before: Measure
    after: Measure
    difference: Measure
    p: float | None
    test: str
    fixed: int
    broken: int
    crossed: bool | None = None


@dataclass(frozen=True, slots=True)
class SeedRun:
    """One arm with one seed: its rounds (0 first), the paired test of its final weights and what it cost."""

    seed: int
    rounds: tuple[TrainingRound, ...]
    before: tuple[LevelAccuracy, ...]
    after: tuple[LevelAccuracy, ...]
    overall: Paired
    levels: tuple[Paired, ...] = ()
    kept_round: int = 0
    tokens: int = 0
    seconds: float = 0.0

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms, in the order they went off."""
        return tuple(alarm for r in self.rounds for alarm in r.alarms)

    @property
    def rolled_back(self) -> bool:
        """Whether a guard took at least one round back."""
        return any(r.rolled_back for r in self.rounds)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train, for every seed.

    `role`: "label_free" trains without gold labels, "gold" is the limit that a gold filter reaches, "naive" is the
    self-reward that is expected to fail, "control" trains without new information. `main` marks the arm that the
    verdict is about.
    """

    name: str
    role: Literal["label_free", "gold", "naive", "control"]
    description: str = ""
    loop: str = ""
    signal: str = ""
    main: bool = False
    runs: tuple[SeedRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A held-out question whose answer was fixed or broken, with both texts and their checks."""

    kind: Literal["fixed", "broken"]
    id: str
    level: str
    question: str
    target: str | None
    before: str
    after: str
    before_answer: str | None = None
    after_answer: str | None = None
    before_process: bool | None = None
    after_process: bool | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Step 7. `overall` pools all seeds (clustered by question); `seeds` and `levels` take it apart.

    `outcome` is the held-out accuracy after; `process` is, of the right answers, the share whose every step is right;
    both before and after, since a right answer by wrong steps is not an improvement.
    """

    improved: bool
    sentence: str
    subject: str
    overall: Paired
    seeds: tuple[Paired, ...] = ()
    levels: tuple[Paired, ...] = ()
    outcome_before: Measure | None = None
    outcome_after: Measure | None = None
    process_before: Measure | None = None
    process_after: Measure | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """All of it: wall-clock seconds, tokens by role, requests, and how many replies came from the store.

    `paid` tokens are those that the model was asked for; `money` is what they cost, where the user's price table says.
    """

    seconds: float
    prompt: Mapping[str, int] = field(default_factory=dict)
    completion: Mapping[str, int] = field(default_factory=dict)
    trained: int | None = None
    requests: int = 0
    replayed: int = 0
    budget: int | None = None
    paid: int | None = None
    money: float | None = None
    currency: str = ""
    peak_memory: int | None = None

    @property
    def tokens(self) -> int:
        """Prompt plus completion tokens of all roles (training tokens apart)."""
        return sum(self.prompt.values()) + sum(self.completion.values())


@dataclass(frozen=True, slots=True)
class Result:
    """What `whetstone improve` found. Empty tuples and None stand for steps that were not run.

    Attributes:
        run, task, model: what was run, on what.
        steps: the seven steps in order, with seconds, tokens and their sentence.
        k: samples per question in the baseline; `temperature` of them.
        baseline: one row per level, the first for all levels together.
        signals, audits, prediction, strategies, arms: steps 2 to 6.
        conclusion: step 7.
        cost: of the whole run.
        limits: sentences on what the improved model still cannot do.
        summary: the plain sentence at the end.
        complete: False when the run stopped early (budget, time, interrupt); `stopped` says why.
    """

    run: Provenance
    task: TaskCard
    model: ModelCard
    steps: tuple[Step, ...] = ()
    k: int = 0
    temperature: float | None = None
    baseline: tuple[BaselineRow, ...] = ()
    signals: tuple[SignalRow, ...] = ()
    audits: tuple[AuditRow, ...] = ()
    prediction: Prediction | None = None
    strategies: tuple[StrategyRow, ...] = ()
    arms: tuple[Arm, ...] = ()
    conclusion: Conclusion | None = None
    cost: Cost | None = None
    limits: tuple[str, ...] = ()
    summary: str = ""
    complete: bool = True
    stopped: str = ""
    schema: str = SCHEMA

    @property
    def main_arm(self) -> Arm | None:
        """The arm that the conclusion is about."""
        return next((arm for arm in self.arms if arm.main), None)

    def to_json(self, *, indent: int | None = 2) -> str:
        """The result as JSON text. Raises ValueError for NaN or infinity: an undefined number is None."""
        return json.dumps(encode(self), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read `to_json`'s text back, to an equal value. Arrays inside free-form fields come back as lists.

        Raises:
            StoreError: not JSON, of another schema, or with a missing, unknown or mistyped field (named).
        """
        try:
            data = read_json(text)
        except ValueError as error:
            raise StoreError(f"result is not JSON: {error}; run the command again to write a new one") from None
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise StoreError(f"result has schema {schema!r}; this version reads {SCHEMA!r}")
        result: Result = decode(cls, data, "result")
        return result

    def _repr_html_(self) -> str:
        return _short_html(self)


# ------------------------------------------------------------------------------------------- JSON


def encode(value: Any) -> Any:
    """Turn values into what `json` writes: dataclasses to objects, tuples to arrays, numpy scalars to numbers.

    Raises:
        TypeError: the value has no JSON form.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Sequence):
        return [encode(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def decode(kind: Any, value: Any, at: str) -> Any:
    """Rebuild a value of a declared type from JSON; `at` is where it stands, for the error message.

    Raises:
        StoreError: the JSON does not fit the type.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        choices = [a for a in arguments if a is not type(None)]
        free_form = len(choices) > 1  # Json is the only union here besides `T | None`
        return value if value is None or free_form else decode(choices[0], value, at)
    if origin is Literal and value in arguments:
        return value
    if is_dataclass(kind) and isinstance(value, dict):
        return _decode_object(kind, value, at)
    if origin is tuple and isinstance(value, list):
        inner = list(_item_types(arguments, len(value)))
        if len(inner) == len(value):
            return tuple(decode(t, item, f"{at}[{i}]") for i, (t, item) in enumerate(zip(inner, value, strict=True)))
    if typing.get_origin(kind) is Mapping and isinstance(value, dict):
        return {key: decode(arguments[1], item, f"{at}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if kind in (bool, int, str) and type(value) is kind:
        return value
    wanted = getattr(kind, "__name__", str(kind))
    raise StoreError(f"{at} should be {wanted}, not {type(value).__name__}: {str(value)[:60]!r}")


def _item_types(arguments: tuple[Any, ...], length: int) -> Iterator[Any]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        yield from [arguments[0]] * length
    else:
        yield from arguments


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode_object(kind: Any, value: dict[str, Any], at: str) -> Any:
    hints = _hints(kind)
    unknown = sorted(set(value) - {f.name for f in fields(kind)})
    if unknown:
        raise StoreError(f"{at} has the unknown field {unknown[0]!r}")
    values = {name: decode(hints[name], item, f"{at}.{name}") for name, item in value.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise StoreError(f"{at} is incomplete: {error}") from None


# ---------------------------------------------------------------------------------------- notebook


def _short_html(result: Result) -> str:
    rows = [
        (pair.level or "all", pair.before, pair.after, pair.difference, pair.p)
        for pair in ((*result.conclusion.levels, result.conclusion.overall) if result.conclusion else ())
    ]
    head = "<tr><th>level<th>before<th>after<th>difference<th>p</tr>"
    body = "".join(
        f"<tr><td>{escape(level)}<td>{_cell(before)}<td>{_cell(after)}<td>{_cell(change)}"
        f"<td>{'' if p is None else f'{p:.2g}'}</tr>"
        for level, before, after, change, p in rows
    )
    title = f"<p><b>{escape(result.task.name)}</b> on <b>{escape(result.model.name)}</b></p>"
    table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>" if rows else ""
    return f"{title}<p>{escape(result.summary)}</p>{table}"


def _cell(measure: Measure) -> str:
    if measure.value is None:
        return "–"
    low_high = f" [{measure.interval[0]:.2f}, {measure.interval[1]:.2f}]" if measure.interval else ""
    return f"{measure.value:.2f}{low_high}, n={measure.n}"
