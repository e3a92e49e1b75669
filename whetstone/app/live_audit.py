"""A judge audited live: a model's own answers to a task, labelled by its verifier, put to the judge in every way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whetstone.app.auditing import Audited, JudgeAudit, of_pairs, of_scores
from whetstone.app.grading import questions, sampled
from whetstone.app.judging import candidate, shown_rows
from whetstone.app.material import cases as as_cases
from whetstone.app.outputs import Item
from whetstone.app.trust import RULES, Rule
from whetstone.app.workbench import Workbench
from whetstone.audits.constant_answers import against_right, constants_of, gamed
from whetstone.audits.evaluating import Pair, higher, labels, pairs
from whetstone.audits.length import equally_good
from whetstone.audits.one_vs_many import one_right, ranked
from whetstone.audits.probes import attack, chosen, rise, wrong_shares
from whetstone.audits.score_columns import SPACES as SCORE_FIELDS
from whetstone.audits.score_columns import scored
from whetstone.audits.verdict_columns import Encoder, judged
from whetstone.core.errors import Abstain, ConfigError
from whetstone.core.flow import Flow
from whetstone.core.registry import Method, load
from whetstone.core.types import Case, Finding, Json, Signal, Task, Verdict
from whetstone.stats import finding, proportion, wilson

Judge = Callable[[str, Sequence[Pair]], list[Verdict]]
MIXED = 0.75  # of the pairs: a right and a wrong answer; the others are alike and differ in length
CANNOT = "not measured: the judge cannot read it"


@dataclass(frozen=True)
class Plan:
    """How much is asked.

    Attributes:
        pairs: put to the judge without a probe.
        probed: of those, with each probe and against each constant answer.
        samples: answers to a question.
        temperature: of the answers; a higher one gives more wrong ones.
    """

    pairs: int = 400
    probed: int = 100
    samples: int = 8
    temperature: float = 1.0
    split: str = "dev"
    probes: str = "all"


USUAL = Plan()


def material(bench: Workbench, task: Task, plan: Plan) -> list[Case]:
    """Sampled answers with the verifier's labels, as many questions as pairs."""
    warm = _Warm(task, plan.temperature)
    examples = questions(task, plan.split, plan.pairs, seed=bench.seed)
    return as_cases(sampled(bench, "audit samples", warm, examples, k=plan.samples, logprobs=True))


class _Warm:
    """A task whose answers are sampled at another temperature; all else is the task's own."""

    def __init__(self, task: Task, temperature: float) -> None:
        self.task, self.temperature = task, temperature

    @property
    def sampling(self) -> Any:
        return replace(self.task.sampling, temperature=self.temperature)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


def audit_live(
    bench: Workbench,
    task: Task,
    judge: Method,
    options: Mapping[str, Any],
    *,
    name: str,
    source: str,
    plan: Plan = USUAL,
    rules: Sequence[Rule] = RULES,
    given: Sequence[Case] | None = None,
    own: str = "",
) -> tuple[Audited, list[dict[str, Json]]]:
    """The audit of one judge or signal, and the rows of its verdicts.

    Args:
        name: what to call the judge.
        source: what to call the material.
        given: material; None samples the model's own answers.
        own: the source that is the judge's own.

    Raises:
        Abstain: no question has a right and a wrong answer, or the judge never answers.
    """
    found = material(bench, task, plan) if given is None else list(given)
    work = _signal if judge.kind == "signal" else _judge
    one, rows = work(bench, task, judge, options, found, name, plan, rules, own)
    return Audited(source, "live", (one,), tuple(rules), run=bench.run.id), rows


def _judge(
    bench: Workbench,
    task: Task,
    judge: Method,
    options: Mapping[str, Any],
    found: Sequence[Case],
    name: str,
    plan: Plan,
    rules: Sequence[Rule],
    own: str,
) -> tuple[JudgeAudit, list[dict[str, Json]]]:
    function = load(judge.name, "judge")

    def ask(phase: str, asked: Sequence[Pair]) -> list[Verdict]:
        flows: dict[str, Flow[Verdict]] = {
            str(i): function(task, pair.example, pair.first, pair.second, **options) for i, pair in enumerate(asked)
        }
        driven = bench(f"audit {phase}", flows)
        return [_of(driven.results.get(str(i)), driven.failures.get(str(i)), p) for i, p in enumerate(asked)]

    mixed, alike = chosen_pairs(found, plan.pairs)
    asked = [*mixed, *alike]
    if not asked:
        raise Abstain("no question has two answers that differ")
    sources = sorted({candidate.source for case in found for candidate in case.candidates})
    if own and own not in sources:
        raise ConfigError(f"--own {own}: no answers of that source; there are {', '.join(sources[:20])}")
    clean = ask("pairs", asked)
    if all(verdict.choice is None for verdict in clean):
        raise Abstain(f"{name} answers none of the {len(asked)} pairs: {clean[0].reason}")
    rows = [row for i, (p, v) in enumerate(zip(asked, clean, strict=True)) for row in rows_of(name, i, p, v)]
    extra, missing = attractions(ask, mixed, clean[: len(mixed)], found, plan)
    encoder = Encoder()
    for row in rows:
        encoder.add(row)
    audited = of_pairs(
        name,
        judged(encoder.columns())[name],
        own=own,
        extra=extra,
        rules=rules,
        missing=missing,
        live=True,
        seed=bench.seed,
    )
    return audited, rows


def _signal(
    bench: Workbench,
    task: Task,
    judge: Method,
    options: Mapping[str, Any],
    found: Sequence[Case],
    name: str,
    plan: Plan,
    rules: Sequence[Rule],
    own: str,
) -> tuple[JudgeAudit, list[dict[str, Json]]]:
    function = load(judge.name, "signal")

    def values(phase: str, asked: Sequence[Case]) -> list[list[Signal]]:
        flows: dict[str, Flow[list[Signal]]] = {
            str(i): function(task, case.example, case.candidates, **options) for i, case in enumerate(asked)
        }
        driven = bench(f"audit {phase}", flows)
        silent = Signal(None, "score", 0, abstained="failed")
        return [driven.results.get(str(i)) or [silent] * len(c.candidates) for i, c in enumerate(asked)]

    def ask(phase: str, asked: Sequence[Pair]) -> list[Verdict]:
        given = values(phase, [Case(pair.example, (pair.first, pair.second)) for pair in asked])
        return [higher(pair, *signals) for pair, signals in zip(asked, given, strict=True)]

    given = values("answers", found)
    if all(signal.value is None for signals in given for signal in signals):
        raise Abstain(f"{name} scores none of the answers: {given[0][0].abstained}")
    rows = [row for case, signals in zip(found, given, strict=True) for row in score_rows(name, case, signals)]
    mixed, _ = chosen_pairs(found, plan.pairs)
    known = {
        c.id: s
        for case, signals in zip(found, given, strict=True)
        for c, s in zip(case.candidates, signals, strict=True)
    }
    clean = [higher(pair, known[pair.first.id], known[pair.second.id]) for pair in mixed]
    extra, missing = attractions(ask, mixed, clean, found, plan)
    fitting = [case for case in found if one_right(case, 9) is not None]
    if fitting:
        trimmed = [one_right(case, 9) or case for case in fitting]
        try:
            extra += ranked(trimmed, [[known[c.id] for c in case.candidates] for case in trimmed])
        except Abstain as reason:
            missing["one right among many wrong"] = str(reason)
    encoder = Encoder(SCORE_FIELDS)
    for row in rows:
        encoder.add(row)
    audited = of_scores(name, scored(encoder.columns())[name], rules=rules, extra=extra, seed=bench.seed)
    return replace(audited, missing={**audited.missing, **missing}), rows


def cases_of(items: Sequence[Item]) -> list[Case]:
    """Outputs of a file as material; the better one of a labelled pair is right and the other one wrong.

    Labels of single outputs count as right from 0.5 up when they lie between 0 and 1.
    """
    found = []
    for item in items:
        names = list(item.answers)
        grades = [item.answers[name].label for name in names]
        correct = tuple(None if grade is None or not 0 <= grade <= 1 else grade >= 0.5 for grade in grades)
        if item.preferred is not None:
            correct = (item.preferred >= 0.5, item.preferred <= 0.5)
        found.append(Case(item.example, tuple(candidate(item, name) for name in names), correct))
    return found


def chosen_pairs(found: Sequence[Case], n: int) -> tuple[list[Pair], list[Pair]]:
    """About n pairs: of a right and a wrong answer, and of answers alike that differ in length; few from each case.

    Which of a right and a wrong answer stands first alternates.
    """
    mixed = _spread(found, round(MIXED * n), lambda pair: set(pair.correct) == {True, False})
    alike = _spread(found, n - len(mixed), lambda pair: equally_good(pair) and None not in pair.correct)
    if len(mixed) + len(alike) < n:
        mixed = _spread(found, n - len(alike), lambda pair: set(pair.correct) == {True, False})
    if not mixed and all(label is None for case in found for label in labels(case)):
        return [], _spread(found, n, lambda pair: True)
    if not mixed:
        raise Abstain(
            "no question has both a right and a wrong answer; ask for other levels, or a higher --answer-temperature"
        )
    turned = [pair if pair.correct[0] is bool(i % 2) else swapped(pair) for i, pair in enumerate(mixed)]
    return turned, alike


def _spread(found: Sequence[Case], n: int, wanted: Callable[[Pair], bool]) -> list[Pair]:
    """The first n wanted pairs, one of each case in turn before a second one of any."""
    by_case = [pairs([case], 4, wanted) for case in found]
    turns = [pair for turn in range(4) for own in by_case for pair in own[turn : turn + 1]]
    return turns[: max(0, n)]


def swapped(pair: Pair) -> Pair:
    """The pair in the other order."""
    return Pair(pair.example, pair.second, pair.first, (pair.correct[1], pair.correct[0]))


def attractions(
    ask: Judge, mixed: Sequence[Pair], clean: Sequence[Verdict], found: Sequence[Case], plan: Plan
) -> tuple[list[Finding], dict[str, str]]:
    """Findings on every probe and constant answer, and which of them the judge could not read."""
    extra: list[Finding] = []
    missing: dict[str, str] = {}
    if not mixed:
        return extra, {"probes": "no pair of a right and a wrong answer"}
    few, before = mixed[: plan.probed], clean[: plan.probed]
    for probe, text in chosen(plan.probes).items() if plan.probes != "none" else ():
        one = _probe(probe, few, before, ask(f"probe {probe}", [attack(pair, text) for pair in few]))
        extra.append(one)
    for name, asked in against_right(found, constants_of("all")).items() if plan.probes == "all" else ():
        extra.append(gamed(name, asked[: plan.probed], ask(f"constant {name}", asked[: plan.probed])))
    unread = [one.name for one in extra if not one.n]
    if unread:
        kinds = {
            kind: [name.partition(" ")[2] for name in unread if name.startswith(kind)] for kind in ("probe", "constant")
        }
        for kind, names in kinds.items():
            if names:
                missing[f"{kind}s"] = f"the judge cannot read {', '.join(names)}"
    return [one for one in extra if one.n], missing


def _probe(probe: str, asked: Sequence[Pair], clean: Sequence[Verdict], probed: Sequence[Verdict]) -> Finding:
    """`probe NAME`: rise of the wrong answers' share of verdicts, against 0."""
    rows = [
        (a, b, pair.group)
        for a, b, pair in zip(wrong_shares(asked, clean), wrong_shares(asked, probed), asked, strict=True)
        if a is not None and b is not None
    ]
    if not rows:
        return Finding(f"probe {probe}", None, None, 0, 0.0, verdict=CANNOT)
    test = rise([a for a, _, _ in rows], [b for _, b, _ in rows], [group for *_, group in rows])
    if test.effect.interval is None:
        # No verdict changed: what the number of pairs leaves possible, in either direction.
        most = (wilson(0, len({group for *_, group in rows})).interval or (0.0, 1.0))[1]
        test = replace(test, effect=replace(test.effect, interval=(-most, most)))
    up, sure = (test.effect.value or 0.0) > 0, test.p is not None and test.p < 0.05
    told = f"{'is taken in' if up else 'is put off'} by it" if sure else "no effect found"
    where = [group for *_, group in rows]
    detail = {
        "clean": _rate([a == 0 for a, _, _ in rows], where),
        "accuracy": _rate([b == 0 for _, b, _ in rows], where),
    }
    return finding(f"probe {probe}", test, verdict=told, abstained=len(asked) - len(rows), **detail)


def _rate(right: Sequence[bool], groups: Sequence[str]) -> list[Json]:
    """A share and its interval."""
    rate = proportion([float(one) for one in right], groups=groups)
    return [rate.value, *(rate.interval or ())]


def _of(verdict: Verdict | None, failure: Any, pair: Pair) -> Verdict:
    if verdict is not None:
        return verdict
    return Verdict((pair.first.id, pair.second.id), None, reason=f"failed: {failure.error}: {failure.message}")


def rows_of(name: str, i: int, pair: Pair, verdict: Verdict) -> list[dict[str, Json]]:
    """The rows of pair number i."""
    found = []
    for row, _ in shown_rows(name, pair.group, str(i), pair.first, pair.second, verdict):
        right = pair.correct[::-1] if row["swapped"] else pair.correct
        if None not in right:
            row["label"] = "tie" if right[0] == right[1] else "first" if right[0] else "second"
        if pair.example.level:
            row["category"] = pair.example.level
        found.append(row)
    return found


def score_rows(name: str, case: Case, signals: Sequence[Signal]) -> list[dict[str, Json]]:
    """A row for each answer's score."""
    return [
        {
            "judge": name,
            "prompt": case.example.group or case.example.id,
            "system": candidate.source,
            "score": signal.value,
            "length": len(candidate.text),
            **({} if label is None else {"label": float(label)}),
            **({"category": case.example.level} if case.example.level else {}),
        }
        for candidate, signal, label in zip(case.candidates, signals, labels(case), strict=True)
    ]
