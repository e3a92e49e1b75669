"""Step 1, baseline: what the model can do before anything is changed, by difficulty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whetstone.app.console import Console, interval
from whetstone.app.grading import Graded, Sampled, greedy, levels, questions, sampled
from whetstone.app.measure import average, by_level, of_right, share
from whetstone.app.plan import Plan
from whetstone.app.result import BaselineRow
from whetstone.app.workbench import Workbench
from whetstone.core.types import Task


@dataclass(frozen=True)
class Baseline:
    """Accuracy on held-out questions: the first row is over all levels. `answers` are the greedy ones."""

    levels: tuple[str, ...]
    rows: tuple[BaselineRow, ...]
    answers: tuple[Graded, ...]
    k: int
    temperature: float
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)


def measure(bench: Workbench, task: Task, plan: Plan) -> Baseline:
    """Answer the held-out questions greedily and k times by sampling."""
    examples = questions(task, "test", plan.test)
    names = levels(examples)
    once = greedy(bench, "baseline greedy", task, examples)
    many = sampled(bench, "baseline samples", task, examples, k=plan.k)
    answered = dict(zip(("", *names), (part for _, part in by_level(once, lambda g: g.level, names)), strict=True))
    rows = tuple(
        row(name, answered[name], part, plan.k) for name, part in by_level(many, lambda s: s.example.level, names)
    )
    return Baseline(names, rows, tuple(once), plan.k, task.sampling.temperature, sentence(rows))


def row(level: str, once: Sequence[Graded], many: Sequence[Sampled], k: int) -> BaselineRow:
    """All measures of one level."""
    groups = [s.example.group or s.example.id for s in many]
    each = [(ok, group) for s, group in zip(many, groups, strict=True) for ok in s.correct]
    readable = [(answer is None, group) for s, group in zip(many, groups, strict=True) for answer in s.answers]
    votes = [False if s.majority is None else s.correct[s.majority] for s in many]
    return BaselineRow(
        level,
        share([g.correct for g in once], [g.group for g in once]),
        share([ok for ok, _ in each], [group for _, group in each]),
        share([any(s.correct) if any(ok is not None for ok in s.correct) else None for s in many], groups),
        share(votes, groups),
        average([float(len({a for a in s.answers if a is not None})) for s in many], groups),
        of_right([(g.correct, g.process, g.group) for g in once]),
        share([bad for bad, _ in readable], [group for _, group in readable]),
    )


def sentence(rows: Sequence[BaselineRow]) -> str:
    """Which levels are solved, partly solved and beyond reach."""
    overall, graded = rows[0], rows[1:]
    if not graded:
        gap = (overall.pass_at_k.value or 0.0) - (overall.greedy.value or 0.0)
        share_right = f"{overall.greedy.value or 0:.0%}"
        return f"It answers {share_right} right at first try; its samples hold a right answer in {gap:.0%} more."
    solved = [r.level for r in graded if (r.greedy.value or 0) >= 0.9]
    beyond = [r.level for r in graded if (r.pass_at_k.value or 0) < 0.1]
    partial = [r.level for r in graded if r.level not in (*solved, *beyond)]
    parts = [
        f"solved: {spell(solved)}" if solved else "no level is solved",
        f"partial: {spell(partial)}" if partial else "none is partial",
        f"beyond its samples: {spell(beyond)}" if beyond else "none is beyond its samples",
    ]
    return f"Levels {'; '.join(parts)}. Training can start from the partial ones."


def spell(names: Sequence[str]) -> str:
    """Neighbouring numbers as a range: 5-8, 10."""
    if not all(name.isdecimal() and len(name) < 10 for name in names):
        return ", ".join(names)
    runs: list[list[int]] = []
    for number in map(int, names):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def show(console: Console, base: Baseline) -> None:
    """Print the table and the sentence."""

    def cells(r: BaselineRow) -> list[str]:
        measures = (r.greedy, r.sampled, r.majority, r.pass_at_k, r.process)
        shown = [interval(m.value, m.interval) if m else "–" for m in measures]
        distinct = "–" if r.distinct.value is None else f"{r.distinct.value:.1f}"
        return [r.level or "all", str(r.greedy.n), *shown, distinct]

    columns = ["level", "n", "greedy", "one sample", "majority", f"pass@{base.k}", "right with right steps", "answers"]
    console.table(columns, [cells(r) for r in (*base.rows[1:], base.rows[0])])
    console.say(base.sentence)
