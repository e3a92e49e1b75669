"""A judge audited live: a model's own answers to a task, labelled by its verifier, put to the judge in every way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from whetstone.app.auditing import Audited, of_pairs, of_scores
from whetstone.app.grading import questions, sampled
from whetstone.app.judging import Row, candidate, score_row, shown_rows, values_of, verdicts_on
from whetstone.app.material import cases as as_cases
from whetstone.app.outputs import Item
from whetstone.app.trust import RULES, Rule
from whetstone.app.workbench import Workbench
from whetstone.audits.constant_answers import CONSTANTS, against_right, gamed
from whetstone.audits.evaluating import Pair, higher, in_words, labels, pairs, rise
from whetstone.audits.length import equally_good
from whetstone.audits.one_vs_many import one_right, ranked
from whetstone.audits.probes import attack, chosen, wrong_shares
from whetstone.audits.recorded import Verdicts, cycles, repeats
from whetstone.audits.score_columns import SPACES as SCORE_FIELDS
from whetstone.audits.score_columns import scored
from whetstone.audits.verdict_columns import SPACES as VERDICT_FIELDS
from whetstone.audits.verdict_columns import Encoder, judged
from whetstone.core.errors import Abstain, ConfigError
from whetstone.core.registry import Method, load, options
from whetstone.core.types import Case, Finding, Json, Signal, Task, Verdict
from whetstone.ranking.tables import Column
from whetstone.stats import finding, proportion
from whetstone.stats.intervals import unmoved

Judge = Callable[[str, Sequence[Pair]], list[Verdict]]
Asked = tuple[list[Row], list[Finding], dict[str, str]]
"""The rows of what was asked, findings made besides, and what was not measured and why."""
WRONG = 9  # answers beside the right one, of which it should be ranked first
MIXED = 0.75  # of the pairs: a right and a wrong answer; the others are alike and differ in length
LEAST = 12  # decided triples: with fewer, none that goes round would not show that a judge is better than a coin
CANNOT = "not measured: the judge cannot read it"


@dataclass(frozen=True)
class Plan:
    """How much is asked.

    Attributes:
        pairs: put to the judge without a probe.
        probed: of those, with each probe, against each constant answer and once more; and questions of which three
            answers are compared with each other.
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
) -> tuple[Audited, list[Row]]:
    """The audit of one judge or signal, and the rows of its verdicts.

    Args:
        name: what to call the judge.
        source: what to call the material.
        given: material; None samples the model's own answers.
        own: the source that is the judge's own.

    Raises:
        ConfigError: an unknown probe, or an `own` that is none of the sources or that a signal could not favour.
        Abstain: no question has a right and a wrong answer, or the judge never answers.
    """
    if plan.probes != "none":
        chosen(plan.probes)  # a name that is none is refused before anything is asked
    if own and judge.kind == "signal":
        raise ConfigError(f"--own is for judges that compare two answers; {judge.name} scores each by itself")
    found = material(bench, task, plan) if given is None else list(given)
    if judge.kind == "signal":
        rows, extra, missing = _signal(bench, task, judge, options, found, name, plan)
        scores = scored(_columns(rows, SCORE_FIELDS))[name]
        one = of_scores(name, scores, rules=rules, extra=extra, seed=bench.seed)
        one = replace(one, missing={**one.missing, **missing})
    else:
        sources = sorted({candidate.source for case in found for candidate in case.candidates})
        if own and own not in sources:
            raise ConfigError(f"--own {own}: no answers of that source; there are {', '.join(sources[:20])}")
        rows, extra, missing = _judge(bench, task, judge, options, found, name, plan)
        verdicts = judged(_columns(rows, VERDICT_FIELDS))[name]
        one = of_pairs(name, verdicts, own=own, extra=extra, rules=rules, missing=missing, live=True, seed=bench.seed)
    return Audited(source, "live", (one,), tuple(rules), run=bench.run.id), rows


def _judge(
    bench: Workbench,
    task: Task,
    judge: Method,
    options: Mapping[str, Any],
    found: Sequence[Case],
    name: str,
    plan: Plan,
) -> Asked:
    def ask(phase: str, asked: Sequence[Pair]) -> list[Verdict]:
        numbered = {str(i): pair for i, pair in enumerate(asked)}
        given = verdicts_on(bench, f"audit {phase}", task, judge, numbered, options)
        return [given[key] for key in numbered]

    mixed, alike = chosen_pairs(found, plan.pairs)
    asked = [*mixed, *alike]
    if not asked:
        raise Abstain("no question has two answers that differ")
    clean = ask("pairs", asked)
    if all(verdict.choice is None for verdict in clean):
        raise Abstain(f"{name} answers none of the {len(asked)} pairs: {clean[0].reason}")
    extra, missing = attractions(ask, mixed, clean[: len(mixed)], found, plan)
    missing["repeats"] = "no temperature above 0, so that it says the same again"
    if _temperature(judge, options) > 0:
        few = asked[: plan.probed]
        extra += repeats(_shown(few * 2, [*clean[: plan.probed], *ask("again", few)]))
        missing["repeats"] = ""
    circular, missing["cycles"] = _cycles(ask, found, plan.probed)
    rows = [row for i, (p, v) in enumerate(zip(asked, clean, strict=True)) for row in rows_of(name, i, p, v)]
    return rows, [*extra, *circular], missing


def _cycles(ask: Judge, found: Sequence[Case], n: int) -> tuple[list[Finding], str]:
    """Whether verdicts on three answers to a question go round, for n questions; else why that is not known."""
    threes = [three for case in found if len((three := _three(case)).candidates) == 3][:n]
    if not threes:
        return [], "no question has three answers that differ"
    asked = [Pair(three.example, *two) for three in threes for two in combinations(three.candidates, 2)]
    circular = cycles(_shown(asked, ask("triples", asked)))
    decided = sum(one.n for one in circular)
    if decided < LEAST:
        return [], f"in {len(threes) - decided} of {len(threes)} triples it calls two answers even"
    return circular, ""


def _temperature(judge: Method, given: Mapping[str, Any]) -> float:
    """Of the judge's replies; 0 for a judge without one."""
    known = options(load(judge.name, "judge")).get("temperature")
    return 0.0 if known is None else float(given.get("temperature", known.default))


def _three(case: Case) -> Case:
    """The first three answers that differ, each a source of its own."""
    texts = {one.text: one for one in reversed(case.candidates)}
    differ = [one for one in case.candidates if texts[one.text] is one][:3]
    return Case(case.example, tuple(replace(one, source=str(i)) for i, one in enumerate(differ)))


def _shown(asked: Sequence[Pair], given: Sequence[Verdict]) -> Verdicts:
    """Verdicts as columns; a pair that comes again is the same pair."""
    names = [(pair.example.id, pair.first.id, pair.second.id) for pair in asked]
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    shown = zip(names, asked, given, strict=True)
    rows = [row for name, pair, verdict in shown for row in rows_of("judge", number[name], pair, verdict)]
    return judged(_columns(rows, VERDICT_FIELDS))["judge"].verdicts


def _signal(
    bench: Workbench,
    task: Task,
    signal: Method,
    options: Mapping[str, Any],
    found: Sequence[Case],
    name: str,
    plan: Plan,
) -> Asked:
    def values(phase: str, asked: Sequence[Case]) -> list[list[Signal]]:
        numbered = {str(i): case for i, case in enumerate(asked)}
        given = values_of(bench, f"audit {phase}", task, signal, numbered, options)
        return [given[key] for key in numbered]

    def ask(phase: str, asked: Sequence[Pair]) -> list[Verdict]:
        given = values(phase, [Case(pair.example, (pair.first, pair.second)) for pair in asked])
        return [higher(pair, *signals) for pair, signals in zip(asked, given, strict=True)]

    given = values("answers", found)
    if all(one.value is None for signals in given for one in signals):
        raise Abstain(f"{name} scores none of the answers: {given[0][0].abstained}")
    rows, known = [], {}
    for case, signals in zip(found, given, strict=True):
        prompt = case.example.group or case.example.id
        for one, value, label in zip(case.candidates, signals, labels(case), strict=True):
            known[one.id] = value
            right = None if label is None else float(label)
            rows.append(score_row(name, prompt, one, value, right, case.example.level))
    mixed, _ = chosen_pairs(found, plan.pairs)
    clean = [higher(pair, known[pair.first.id], known[pair.second.id]) for pair in mixed]
    extra, missing = attractions(ask, mixed, clean, found, plan)
    among = [trimmed for case in found if (trimmed := one_right(case, WRONG)) is not None]
    if among:
        try:
            extra += ranked(among, [[known[c.id] for c in case.candidates] for case in among])
        except Abstain as reason:
            missing["one right among many wrong"] = str(reason)
    return rows, extra, missing


def _columns(rows: Sequence[Row], fields: Mapping[str, str]) -> dict[str, Column]:
    encoder = Encoder(fields)
    for row in rows:
        encoder.add(row)
    return encoder.columns()


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
    for name, asked in against_right(found, CONSTANTS).items() if plan.probes == "all" else ():
        extra.append(gamed(name, asked[: plan.probed], ask(f"constant {name}", asked[: plan.probed])))
    for kind in ("probe", "constant"):
        unread = [one.name.partition(" ")[2] for one in extra if not one.n and one.name.startswith(kind)]
        if unread:
            missing[f"{kind}s"] = f"the judge cannot read {', '.join(unread)}"
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
        changed = unmoved(len({group for *_, group in rows}))
        test = replace(test, effect=replace(test.effect, interval=changed))
    told = in_words(test, ("is taken in by it", "is put off by it", "no effect found"))
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


def rows_of(name: str, i: int, pair: Pair, verdict: Verdict) -> list[Row]:
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
