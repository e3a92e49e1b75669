"""The plots of a report: each function draws part of a result, or returns None where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import whetstone.app.report.figures as f
from whetstone.app.report.html import Markup, brief
from whetstone.app.report.plots import (
    Axis,
    Marker,
    Point,
    Row,
    Series,
    category_axis,
    chart,
    log_axis,
    number_axis,
    percent_axis,
    rows,
    spread,
)
from whetstone.app.result import (
    BaselineRow,
    Conclusion,
    Measure,
    Result,
    SignalRow,
    StrategyRow,
)

CYCLE: tuple[Marker, ...] = ("circle", "square", "triangle", "diamond")
MOST = 60


def tip(where: str, measure: Measure, text: str) -> str:
    """What hovering says: where, the value with its interval, and n."""
    bounds = "" if measure.interval else "\nno interval"
    return f"{brief(where, 120)}\n{text}{bounds}\nn = {f.count(measure.n)}"


def point(x: float, where: str, measure: Measure, text: str, **look: Any) -> Point:
    """A mark for a measure that has a value."""
    assert measure.value is not None
    return Point(x, measure.value, tip(where, measure, text), measure.interval, **look)


def shares(
    name: str, style: str, items: Iterable[tuple[float, str, Measure | None]], marker: Marker = "circle", **look: Any
) -> Series:
    """A series of shares; those without a value are left out."""
    marks = [point(x, f"{at} · {name}", m, f.share(m)) for x, at, m in items if m is not None and m.value is not None]
    return Series(name, tuple(marks), style, marker, **look)


def some(series: Sequence[Series]) -> list[Series]:
    """Series that have points."""
    return [s for s in series if s.points]


# ------------------------------------------------------------------------------------------ verdict


def before_after(conclusion: Conclusion) -> Markup | None:
    """Held-out accuracy by difficulty, before and after."""
    levels = conclusion.levels[:MOST] or (conclusion.overall,)
    names = [pair.level or "all" for pair in levels]
    series = spread(
        some(
            [
                shares("before", "before", at(names, [p.before for p in levels]), hollow=True, line="dashed"),
                shares("after", "after", at(names, [p.after for p in levels])),
            ]
        )
    )
    if not series:
        return None
    return chart(
        "Held-out accuracy by difficulty", series, category_axis("difficulty", names), percent_axis("right answers, %")
    )


def at(names: Sequence[str], measures: Sequence[Measure | None]) -> list[tuple[float, str, Measure | None]]:
    """Measures at category positions."""
    return [
        (float(i), f"difficulty {name}" if name != "all" else "all questions", m)
        for i, (name, m) in enumerate(zip(names, measures, strict=True))
    ]


def differences(conclusion: Conclusion) -> Markup | None:
    """After minus before, by difficulty, with the paired interval and the counts behind it."""
    pairs = [p for p in (conclusion.overall, *conclusion.levels[:MOST]) if p.difference.value is not None]
    if not pairs:
        return None
    names = [p.level or "all" for p in pairs]
    marks = [
        Point(
            float(i),
            p.difference.value or 0.0,
            f"{'difficulty ' + brief(p.level, 60) if p.level else 'all questions'} · after minus before\n"
            f"{f.points(p.difference)} points\np {f.p_value(p.p)}, n = {f.count(p.difference.n)}\n"
            f"{f.count(p.fixed)} fixed, {f.count(p.broken)} broken",
            p.difference.interval,
        )
        for i, p in enumerate(pairs)
    ]
    values = [v for m in marks for v in (m.y, *(m.interval or ()))]
    sides = [
        Series("raised", tuple(m for m in marks if m.y >= 0), "after", line="none"),
        Series("lowered", tuple(m for m in marks if m.y < 0), "worse", "triangle", line="none"),
    ]
    axis = number_axis("difference, percentage points", values, zero=True, scale=100)
    return chart("Change on the same questions", some(sides), category_axis("difficulty", names), axis, rule=0.0)


# ----------------------------------------------------------------------------------- steps 1, 2 and 5


def baseline(table: Sequence[BaselineRow], k: int) -> Markup | None:
    """Greedy, sampled, majority and pass@k accuracy by difficulty."""
    levels = [r for r in table if r.level][:MOST] or list(table)
    names = [r.level or "all" for r in levels]
    series = [
        shares(f"pass@{k}", "k2", at(names, [r.pass_at_k for r in levels]), "triangle", line="dashed", hollow=True),
        shares(f"majority of {k}", "k1", at(names, [r.majority for r in levels]), "square"),
        shares("greedy", "k0", at(names, [r.greedy for r in levels]), "circle"),
        shares("one sample", "k5", at(names, [r.sampled for r in levels]), "diamond", hollow=True),
    ]
    if not some(series):
        return None
    return chart(
        "Accuracy before any change",
        spread(some(series), 0.1),
        category_axis("difficulty", names),
        percent_axis("right answers, %"),
    )


def process(table: Sequence[BaselineRow]) -> Markup | None:
    """Of the right answers, how many have every step right."""
    levels = [r for r in table if r.level][:MOST] or list(table)
    names = [r.level or "all" for r in levels]
    series = shares("right answers with every step right", "k0", at(names, [r.process for r in levels]))
    if not series.points:
        return None
    y = percent_axis("every step right, %")
    return chart("Right answers whose every step is right", [series], category_axis("difficulty", names), y)


def distinct(table: Sequence[BaselineRow], k: int) -> Markup | None:
    """How many different answers the samples of one question hold."""
    levels = [r for r in table if r.level][:MOST] or list(table)
    names = [r.level or "all" for r in levels]
    marks = tuple(
        point(x, where, m, f"{f.plain(m, 2)} distinct of {k}")
        for x, where, m in at(names, [r.distinct for r in levels])
        if m is not None and m.value is not None
    )
    if not marks:
        return None
    y = number_axis("distinct answers", [v for p in marks for v in (p.y, *(p.interval or ()))], zero=True)
    x = category_axis("difficulty", names)
    return chart(f"Distinct answers among {k} samples", [Series("distinct", marks, "k0")], x, y)


def separation(signals: Sequence[SignalRow]) -> Markup | None:
    """AUROC of every signal, with its interval."""
    known = [s for s in signals if s.auroc and s.auroc.value is not None][:30]
    if not known:
        return None
    items = [
        Row(
            s.name,
            s.auroc.value or 0.0,
            tip(f"{s.name} · AUROC", s.auroc, f.plain(s.auroc)) + ("" if s.kept else "\ndropped"),
            "after" if s.kept else "off",
            s.auroc.interval,
            hollow=not s.kept,
        )
        for s in known
        if s.auroc
    ]
    low = min(0.4, *(v for item in items for v in (item.value, *(item.interval or ()))))
    axis = number_axis("AUROC: right against wrong answers (0.5 is chance)", [low, 1.0])
    return rows("How well each signal separates right from wrong", items, axis, rule=0.5, note="Hollow: dropped.")


def reliability(signal: SignalRow) -> Markup | None:
    """Accuracy against stated confidence."""
    filled = [b for b in signal.reliability if b.accuracy.n and b.accuracy.value is not None]
    if not filled:
        return None
    marks = tuple(
        point(
            b.confidence if b.confidence is not None else (b.low + b.high) / 2,
            f"confidence {f.number(b.low)} to {f.number(b.high)}",
            b.accuracy,
            f"{f.share(b.accuracy)} right",
        )
        for b in filled[:MOST]
    )
    ece = f"ECE {f.number(signal.ece.value, 3)}" if signal.ece and signal.ece.value is not None else "after calibration"
    axis = Axis("calibrated confidence", 0.0, 1.0, tuple((t / 4, f"{t / 4:g}") for t in range(5)))
    series = [Series("answers", marks, "after")]
    name = brief(signal.name, 60) + (" (trusted)" if signal.trusted else "")
    return chart(f"{name} · {ece}", series, axis, percent_axis("right, %"), small=True, diagonal=True)


def risk_coverage(signals: Sequence[SignalRow]) -> Markup | None:
    """Error rate when only the most confident answers are given, for the best signals and one that was dropped."""
    drawn = [s for s in signals if s.coverage]
    chosen = [s for s in drawn if s.kept][:4] + [s for s in drawn if not s.kept][:1]
    series = [
        Series(
            brief(s.name, 40) + ("" if s.kept else " (dropped)"),
            _coverage_marks(s),
            f"k{i}" if s.kept else "off",
            CYCLE[i] if s.kept else "bar",
            "solid" if s.kept else "dashed",
            hollow=not s.kept,
            band=i == 0 or not s.kept,
            light=True,
        )
        for i, s in enumerate(chosen)
    ]
    if not some(series):
        return None
    risks = [v for s in series for p in s.points for v in (p.y, *(p.interval or ()))]
    return chart(
        "Risk against coverage",
        some(series),
        percent_axis("answered, % (the most confident first)"),
        number_axis("wrong among answered, %", [0.0, *risks], scale=100),
        note="Bands: 95 % intervals; those of the lines without one on hover.",
    )


def _coverage_marks(signal: SignalRow) -> tuple[Point, ...]:
    """At most 40 points of the curve, full coverage among them."""
    step = -(-len(signal.coverage) // 40)
    kept = [p for p in reversed(signal.coverage[::-1][::step]) if p.risk.value is not None]
    return tuple(
        point(p.coverage, f"{signal.name} · answering {f.percent(p.coverage)}", p.risk, f"{f.share(p.risk)} wrong")
        for p in kept
    )


def pareto(strategies: Sequence[StrategyRow]) -> Markup | None:
    """Accuracy against tokens per question, and the frontier."""
    known = [
        s for s in strategies if s.accuracy.value is not None and s.tokens.value is not None and s.tokens.value > 0
    ][:40]
    if not known:
        return None
    names = dict(zip(map(id, known), strategy_names(known), strict=True))

    def series(name: str, rows_: Iterable[StrategyRow], style: str, **look: Any) -> Series:
        marks = tuple(
            point(
                s.tokens.value or 1.0,
                names[id(s)],
                s.accuracy,
                f"{f.share(s.accuracy)} right\n{f.count(s.tokens.value)} tokens a question"
                + ("\nrecommended" if s.recommended else ""),
                label=names[id(s)],
                needed=s.pareto or s.recommended,
                ring=s.recommended,
            )
            for s in sorted(rows_, key=lambda s: s.tokens.value or 0.0)
        )
        return Series(name, marks, style, **look)

    groups = [
        series("dominated", (s for s in known if not s.pareto), "off", line="none", hollow=True, marker="square"),
        series("best for its tokens", (s for s in known if s.pareto), "after"),
    ]
    values = [v for s in known for v in (s.accuracy.value or 0.0, *(s.accuracy.interval or ()))]
    tokens = [s.tokens.value or 1.0 for s in known]
    wide = max(tokens) / min(tokens) > 6
    label = "tokens a question" + (" (log scale)" if wide else "")
    return chart(
        "Accuracy against tokens",
        some(groups),
        log_axis(label, tokens) if wide else number_axis(label, tokens, zero=True),
        number_axis("right answers, %", values, scale=100),
        note="Ring: recommended." if any(s.recommended for s in known) else "",
    )


def strategy_names(table: Sequence[StrategyRow]) -> list[str]:
    """Names; strategies of one name are told apart by the options in which they differ."""
    told = []
    for s in table:
        others = [t.options for t in table if t.name == s.name]
        differ = [key for key in s.options if any(key not in o or o[key] != s.options[key] for o in others)]
        values = (v if isinstance(v := s.options[key], str) else f"{key}={v}" for key in differ)
        told.append(" ".join([s.name, *values]))
    return told


def strategies(table: Sequence[StrategyRow]) -> Markup | None:
    """Accuracy by difficulty: the first strategy (the plain answer), the recommended one, others of the frontier."""
    known = [s for s in table if s.levels]
    ranked = sorted(known, key=lambda s: (s is not table[0], not s.recommended, not s.pareto))[:4]
    told = strategy_names(ranked)
    names = list(dict.fromkeys(m.level for s in ranked for m in s.levels if m.level))[:MOST]
    if not names:
        return None
    series = [
        shares(
            brief(told[i], 40) + (" (recommended)" if s.recommended else ""),
            f"k{i}",
            at(names, [next((m.measure for m in s.levels if m.level == name), None) for name in names]),
            CYCLE[i],
            hollow=not s.recommended,
            line="solid" if s.recommended else "dashed",
        )
        for i, s in enumerate(ranked)
    ]
    return chart(
        "Strategies by difficulty",
        spread(some(series), 0.1),
        category_axis("difficulty", names),
        percent_axis("right answers, %"),
    )


# --------------------------------------------------------------------------------------------- cost


def cost(result: Result) -> list[Markup | None]:
    """Seconds and tokens of every step."""
    if not result.steps:
        return []
    most_seconds = max(s.seconds for s in result.steps) or 1.0
    most_tokens = max(s.tokens for s in result.steps) or 1
    seconds = [
        Row(s.name, s.seconds, f"{s.name}\n{f.seconds(s.seconds)}", "after", text=f.seconds(s.seconds))
        for s in result.steps
    ]
    tokens = [
        Row(
            s.name,
            s.tokens,
            f"{s.name}\n{f.count(s.tokens)} tokens\n{f.count(s.requests)} requests",
            "k1",
            text=f.short(s.tokens),
        )
        for s in result.steps
    ]
    return [
        rows("Time by step", seconds, Axis("seconds", 0.0, most_seconds, ()), bars=True),
        rows("Tokens by step", tokens, Axis("tokens", 0.0, float(most_tokens), ()), bars=True),
    ]
