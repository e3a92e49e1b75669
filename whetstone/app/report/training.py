"""The plots of the training step: every arm and seed by round and by difficulty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import whetstone.app.report.figures as f
from whetstone.app.report.graphs import MOST, point, shares, some
from whetstone.app.report.html import Markup, brief
from whetstone.app.report.plots import Axis, Marker, Series, category_axis, chart, number_axis, percent_axis, spread
from whetstone.app.result import Arm, LevelAccuracy, Measure, SeedRun, TrainingRound

MARKS: dict[str, Marker] = {"label_free": "circle", "gold": "square", "naive": "triangle", "control": "diamond"}
Pick = Callable[[TrainingRound], Measure | None]
Curve = tuple[str, Pick, str]


def rounds_axis(arms: Iterable[Arm], *picks: Pick) -> Axis:
    """Round numbers, from the first in which something was measured; 0 is before training."""
    measured = {r.index for arm in arms for run in arm.runs for r in run.rounds if any(pick(r) for pick in picks)}
    first, last = min(measured, default=0), max(measured, default=1)
    step = max(1, (last - first) // 12)
    return Axis("round", first - 0.5, last + 0.5, tuple((float(i), str(i)) for i in range(first, last + 1, step)))


def by_seed(arm: Arm, name: str, pick: Pick, style: str, *, percent: bool, **look: Any) -> list[Series]:
    """One line a seed; all share a legend entry."""
    found = []
    for run in arm.runs:
        marks = tuple(
            point(
                float(r.index),
                f"{name} · {arm.name} · seed {run.seed} · round {r.index}",
                m,
                (f.share(m) if percent else f.plain(m, 2)) + round_notes(run, r),
                ring=r.rolled_back,
            )
            for r in run.rounds[:MOST]
            if (m := pick(r)) is not None and m.value is not None
        )
        found.append(Series(name, marks, style, light=len(arm.runs) > 1, **look))
    return spread(some(found), 0.05)


def round_notes(run: SeedRun, r: TrainingRound) -> str:
    """What a reader must know of a round: rolled back, alarms."""
    notes = ["rolled back"] if r.rolled_back else []
    notes += [f"alarm: {alarm.guard}" for alarm in r.alarms]
    return "".join(f"\n{brief(note, 80)}" for note in notes)


def panel(arm: Arm, curves: Sequence[Curve], y: Axis, x: Axis, *, percent: bool) -> Markup | None:
    """Curves of one arm by round."""
    looks: tuple[dict[str, Any], ...] = (
        {"line": "dashed", "hollow": True},
        {"marker": MARKS[arm.role]},
        {"marker": "bar", "line": "dashed"},
    )
    series = [
        s
        for (name, pick, style), look in zip(curves, looks, strict=False)
        for s in by_seed(arm, name, pick, style, percent=percent, **look)
    ]
    return chart(brief(arm.name, 60), series, x, y, small=True) if series else None


def proxy_gold(arms: Sequence[Arm]) -> list[Markup | None]:
    """What the arm believes of itself, beside what the exact check says."""
    curves: list[list[Curve]] = [
        [("proxy", lambda r: r.proxy, arm.role), ("exact check", lambda r: r.gold, arm.role)] for arm in arms
    ]
    y = shared_axis("right answers, %", arms, [lambda r: r.proxy, lambda r: r.gold])
    x = rounds_axis(arms, lambda r: r.proxy, lambda r: r.gold)
    return [panel(arm, c, y, x, percent=True) for arm, c in zip(arms, curves, strict=True)]


def exploration(arms: Sequence[Arm]) -> list[Markup | None]:
    """Exploration and exploitation by round."""
    curves: list[list[Curve]] = [
        [
            ("exploration", lambda r: r.exploration, arm.role),
            ("exploitation", lambda r: r.exploitation, arm.role),
            ("balance", lambda r: r.balance, "off"),
        ]
        for arm in arms
    ]
    y = shared_axis("score", arms, [lambda r: r.exploration, lambda r: r.exploitation, lambda r: r.balance])
    x = rounds_axis(arms, lambda r: r.exploration, lambda r: r.exploitation)
    return [panel(arm, c, y, x, percent=False) for arm, c in zip(arms, curves, strict=True)]


def shared_axis(label: str, arms: Sequence[Arm], picks: Sequence[Pick]) -> Axis:
    """One y axis for the panels of all arms, so that they can be compared."""
    values = [
        v
        for arm in arms
        for run in arm.runs
        for r in run.rounds
        for pick in picks
        if (m := pick(r)) is not None and m.value is not None
        for v in (m.value, *(m.interval or ()))
    ]
    if all(0.0 <= v <= 1.0 for v in values):
        return (
            percent_axis(label)
            if "%" in label
            else Axis(label, 0.0, 1.0, tuple((t / 5, f"{t / 5:g}") for t in range(6)))
        )
    return number_axis(label.removesuffix(", %"), values)


def arms_by_round(arms: Sequence[Arm]) -> Markup | None:
    """Held-out accuracy after each round, every arm and seed."""
    series = [
        s for arm in arms for s in by_seed(arm, brief(arm.name, 40), held_out, arm.role, percent=True, **arm_look(arm))
    ]
    if not series:
        return None
    return chart(
        "Held-out accuracy by round",
        series,
        rounds_axis(arms, held_out),
        percent_axis("right answers, %"),
        note="Ring: rolled back by a guard." + seeds_note(arms),
    )


def held_out(r: TrainingRound) -> Measure | None:
    """Greedy accuracy over all levels after a round."""
    return next((row.greedy for row in r.accuracy if not row.level), None)


def arm_look(arm: Arm) -> dict[str, Any]:
    """Marker and line by what the arm is for."""
    return {"marker": MARKS[arm.role], "line": "solid" if arm.main else "dashed", "hollow": not arm.main}


def arms_by_level(arms: Sequence[Arm]) -> Markup | None:
    """Held-out accuracy by difficulty after training, every arm and seed, with the state before."""
    names = [row.level for arm in arms for run in arm.runs[:1] for row in run.before if row.level]
    names = list(dict.fromkeys(names))[:MOST]
    if not names:
        return None
    place = {name: float(i) for i, name in enumerate(names)}

    def line(name: str, style: str, run: SeedRun, rows_: Sequence[LevelAccuracy], **look: Any) -> Series:
        items = [
            (place[r.level], f"difficulty {r.level} · seed {run.seed}", r.greedy) for r in rows_ if r.level in place
        ]
        return shares(name, style, items, **look)

    first = next(run for arm in arms for run in arm.runs)
    series = [line("before", "before", first, first.before, marker="bar", line="dashed")]
    for arm in arms:
        for run in arm.runs:
            rows_ = run.after
            light = len(arm.runs) > 1
            series.append(line(brief(arm.name, 40), arm.role, run, rows_, light=light, **arm_look(arm)))
    return chart(
        "Held-out accuracy by difficulty after training",
        spread(some(series), 0.05),
        category_axis("difficulty", names),
        percent_axis("right answers, %"),
        note=seeds_note(arms).strip(),
    )


def seeds_note(arms: Sequence[Arm]) -> str:
    """How repetitions are drawn."""
    return " One line for each seed; intervals on hover." if any(len(arm.runs) > 1 for arm in arms) else ""
