"""Step 5, sharpen at inference: accuracy against tokens for every strategy that fits, and which one to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from whetstone.app.console import Console, count, interval, number, p_value
from whetstone.app.flags import find_method
from whetstone.app.grading import Graded, answer_all, questions
from whetstone.app.measure import ALPHA, average, by_level, paired, share
from whetstone.app.plan import Plan
from whetstone.app.result import LevelMeasure, Paired, StrategyRow
from whetstone.app.workbench import UNFIT, Workbench
from whetstone.core.registry import load
from whetstone.core.types import Json, Task
from whetstone.stats.multiple import holm

SAMPLES = (4, 8, 16)


@dataclass(frozen=True)
class Sharpen:
    """One row a strategy, the first is greedy; `gain` is the recommended one against greedy on the dev questions."""

    rows: tuple[StrategyRow, ...]
    gain: Paired | None
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)

    @property
    def recommended(self) -> StrategyRow:
        return next(row for row in self.rows if row.recommended)


def menu(signals: Sequence[str]) -> list[tuple[str, dict[str, Json]]]:
    """Strategies with options: voting at several sizes, choosing by the best signals, stopping early, revising."""
    most = SAMPLES[-1]
    tried: list[tuple[str, dict[str, Json]]] = [("greedy", {})]
    tried += [("self_consistency", {"n": n}) for n in SAMPLES]
    tried += [("best_of_n", {"n": 8, "signal": signal}) for signal in signals[:2]]
    tried += [("weighted_vote", {"n": 8, "signal": "critique"})] if "critique" in signals else []
    tried += [("adaptive_consistency", {"most": most}), ("early_stopping_consistency", {"window": 4, "most": most})]
    return [*tried, ("self_refine", {"rounds": 1}), ("if_or_else", {})]


def measure(bench: Workbench, task: Task, plan: Plan, levels: Sequence[str], signals: Sequence[str]) -> Sharpen:
    """Run every strategy on the same dev questions, with the same samples where they draw alike.

    Args:
        signals: names of the signals worth choosing by, best first.
    """
    examples = questions(task, "dev", plan.dev)
    rows: list[StrategyRow] = []
    answers: list[list[Graded]] = []
    reasons: dict[str, int] = {}
    for name, options in menu(signals):
        function = load(find_method(name, "strategy").name, "strategy")
        flows = {e.id: function(task, e, **options) for e in examples}
        try:
            graded, driven = answer_all(bench, "sharpen", task, flows, examples, label=label(name, options))
        except UNFIT as error:
            if not rows:
                raise
            reasons[f"{label(name, options)}: {error}"] = len(examples)
            continue
        silent = [outcome.confidence.abstained for outcome in driven.results.values() if outcome.answer is None]
        for reason in filter(None, silent):
            reasons[f"{label(name, options)}: {reason}"] = reasons.get(f"{label(name, options)}: {reason}", 0) + 1
        if all(g.correct is None for g in graded):
            continue
        rows.append(row(name, options, graded, levels, len(driven.failures), driven.seconds))
        answers.append(graded)
    return recommend(rows, answers, reasons)


def row(
    name: str,
    options: Mapping[str, Json],
    graded: Sequence[Graded],
    levels: Sequence[str],
    failures: int,
    seconds: float,
) -> StrategyRow:
    """A strategy's place in the picture of accuracy against tokens."""
    groups = [g.group for g in graded]
    return StrategyRow(
        name,
        share([g.correct for g in graded], groups),
        average([float(g.tokens) for g in graded], groups),
        dict(options),
        seconds=seconds / max(1, len(graded)),
        levels=tuple(
            LevelMeasure(level, share([g.correct for g in part], [g.group for g in part]))
            for level, part in by_level(graded, lambda g: g.level, levels)[1:]
        ),
        failures=failures,
        abstained=sum(g.correct is None for g in graded),
    )


def recommend(rows: Sequence[StrategyRow], answers: Sequence[Sequence[Graded]], reasons: Mapping[str, int]) -> Sharpen:
    """Mark the Pareto front and the strategy to use: the best that beats greedy after Holm's correction, or greedy."""
    costs = [(r.tokens.value or 0.0, r.accuracy.value or 0.0) for r in rows]
    front = [not any(t <= tokens and a > accuracy for t, a in costs) for tokens, accuracy in costs]
    gains = [paired(answers[0], graded) for graded in answers[1:]]
    adjusted = [None, *holm([gain.p for gain in gains])]
    better = [
        i
        for i in range(1, len(rows))
        if (gains[i - 1].difference.value or 0) > 0 and (p := adjusted[i]) is not None and p < ALPHA
    ]
    chosen = max(better, key=lambda i: (costs[i][1], -costs[i][0]), default=0)
    marked = tuple(replace(r, pareto=front[i], recommended=i == chosen) for i, r in enumerate(rows))
    gain = gains[chosen - 1] if chosen else None
    return Sharpen(marked, gain, sentence(marked, gain), dict(reasons))


def sentence(rows: Sequence[StrategyRow], gain: Paired | None) -> str:
    """What to use, and what it costs."""
    base, best = rows[0], next(r for r in rows if r.recommended)
    if gain is None:
        return f"No strategy beats greedy after correction for {len(rows) - 1} tries: use greedy ({cost(base)})."
    return (
        f"Use {title(best)}: {number(best.accuracy.value)} against {number(base.accuracy.value)} greedily, "
        f"difference {interval(gain.difference.value, gain.difference.interval)}, p {p_value(gain.p)}, "
        f"at {cost(best)} against {cost(base)}; with less, stay with greedy."
    )


def cost(row: StrategyRow) -> str:
    """Tokens per question in words."""
    return f"{count(row.tokens.value)} tokens a question"


def label(name: str, options: Mapping[str, Json]) -> str:
    """`best_of_n n=8 signal=p_true`."""
    return " ".join([name, *(f"{key}={value}" for key, value in options.items())])


def title(row: StrategyRow) -> str:
    """A row's strategy with its options."""
    return label(row.name, row.options)


def show(console: Console, step: Sharpen) -> None:
    """Print the table and the sentence."""
    columns = ["strategy", "n", "accuracy", "tokens a question", "abstained", "failed", ""]
    rows = [
        [
            title(r),
            str(r.accuracy.n),
            interval(r.accuracy.value, r.accuracy.interval),
            count(r.tokens.value),
            str(r.abstained),
            str(r.failures),
            "use this" if r.recommended else "front" if r.pareto else "",
        ]
        for r in step.rows
    ]
    console.table(columns, rows)
    console.say(step.sentence)
