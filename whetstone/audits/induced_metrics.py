"""Measures induced from people's free comments, and how well they cover what people comment on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whetstone.audits.commented import Aspect, Commented, commented, scored
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Sampling, Task, form, user
from whetstone.signals.parsing import BULLET, read_score

GROUND = """What was done: {answer}

Comment on it: {comment}

Which behaviours does the comment speak of? Write one a line: "+ " and the behaviour if the comment likes it, "- " and \
the behaviour if it dislikes it."""

CLUSTER = """Behaviours that people liked (+) or disliked (-):
{aspects}

Group them into at most {most} measures of behaviour, liked and disliked sides of one thing together. Write one a \
line: its name, a colon, and what to look for."""

TRAIT = """What was done: {answer}

Measure: {metric}

End with one line, "Score: " and 1 if it does well by this measure, -1 if it does badly, 0 if the measure does \
not apply."""

MATCH = """A comment speaks of this behaviour: {aspect}

Which of these measures is about the same behaviour?
{metrics}

Reply with one line, "Score: " and the number of the measure, or 0 if none is."""

ASPECT = re.compile(r"^[ \t]{0,20}([+-])[ \t]{0,20}(\S.*)$", re.MULTILINE)
METRIC = re.compile(rf"^(?:{BULLET})?[ \t]{{0,20}}([A-Z][^:\n]{{1,60}}:[ \t]{{0,20}}\S.*)$", re.MULTILINE)


@method(
    "audit",
    papers=("AutoLibra: Agent Metric Induction from Open-Ended Feedback",),
    checked="tests/audits/test_induced_metrics.py::test_recovers_the_planted_behaviours",
)
def induced_metrics(
    task: Task,
    cases: Sequence[Case],
    *,
    sizes: tuple[int, ...] = (2, 4, 8),
    held_out: float = 0.5,
    max_tokens: int = 512,
) -> Flow[list[Finding]]:
    """Coverage and redundancy of measures that a model induces from comments, on comments that it did not see.

    Args:
        sizes: how many measures at most; each size is induced and judged by itself.
        held_out: share of the cases, the last ones, that coverage and redundancy are taken on.
        max_tokens: length limit of every reply.

    Comments on a case's first candidate are its example's `meta["comments"]`; without them, what right and wrong say
    about each candidate. The best size has the highest coverage minus redundancy, the smaller one of equals.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens)
    rows = commented(cases)
    cut = len(rows) - round(held_out * len(rows))
    if not 0 < cut < len(rows):
        raise Abstain("measures need commented cases to induce from, and others to be judged on")

    def ask(name: str, template: str, **fields: str) -> Flow[str]:
        (reply,) = yield from sample(user(form(name, template, **fields)), sampling=sampling, role="judge")
        return reply.text

    def ground(row: Commented) -> Flow[list[Aspect]]:
        try:
            said = yield from gather(ask("ground", GROUND, answer=row.answer, comment=c) for c in row.comments)
        except Abstain:
            return []
        return [Aspect(text.rstrip(), sign == "+") for reply in said for sign, text in ASPECT.findall(reply)]

    def number(low: int, high: int, name: str, template: str, **fields: str) -> Flow[int | None]:
        try:
            reading = read_score((yield from ask(name, template, **fields)), low, high)
        except Abstain:
            return None
        return None if reading is None else round(float(reading.value))

    def judge(metrics: Sequence[str], row: Commented, aspects: Sequence[Aspect]) -> Flow[tuple[list[bool], list[bool]]]:
        """Is each aspect matched by a trait, and each trait by an aspect?"""
        scores = yield from gather(number(-1, 1, "trait", TRAIT, answer=row.answer, metric=m) for m in metrics)
        traits = {
            good: [m for m, s in zip(metrics, scores, strict=True) if s == (1 if good else -1)]
            for good in (True, False)
        }

        def match(aspect: Aspect) -> Flow[str | None]:
            options = traits[aspect.liked]
            listed = "\n".join(f"{i}. {metric}" for i, metric in enumerate(options, 1))
            if not options:
                return None
            found = yield from number(0, len(options), "match", MATCH, aspect=aspect.text, metrics=listed)
            return options[found - 1] if found else None

        matched = yield from gather(match(aspect) for aspect in aspects)
        met = {(aspect.liked, metric) for aspect, metric in zip(aspects, matched, strict=True)}
        return [m is not None for m in matched], [(good, m) in met for good in traits for m in traits[good]]

    grounded = yield from gather(ground(row) for row in rows)
    seen = dict.fromkeys(aspect for aspects in grounded[:cut] for aspect in aspects)
    listed = "\n".join(f"{'+' if aspect.liked else '-'} {aspect.text}" for aspect in seen)
    if not seen:
        raise Abstain("no comment speaks of a readable behaviour")
    arms = []
    for size in sizes:
        written = yield from ask("cluster", CLUSTER, aspects=listed, most=str(size))
        metrics = list(dict.fromkeys(map(str.rstrip, METRIC.findall(written))))[:size]
        parts = [judge(metrics, row, aspects) for row, aspects in zip(rows[cut:], grounded[cut:], strict=True)]
        arms.append((size, metrics, (yield from gather(parts))))
    if not any(metrics for _, metrics, _ in arms):
        raise Abstain("no measure was readable")
    return scored(arms, [row.group for row in rows[cut:]])
