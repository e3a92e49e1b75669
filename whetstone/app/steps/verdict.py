"""Step 7, verdict: the same held-out questions before and after, what was fixed and what was broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from whetstone.app.console import Console, interval, number, p_value
from whetstone.app.grading import Graded, answer_all, questions
from whetstone.app.measure import matched, of_right, paired, paired_levels, with_crossed
from whetstone.app.plan import Plan
from whetstone.app.result import Change, Conclusion, Paired, StrategyRow
from whetstone.app.steps.sharpen import title
from whetstone.app.workbench import Workbench
from whetstone.core.registry import load
from whetstone.core.types import Example, Form, Task

EXAMPLES = 40


@dataclass(frozen=True)
class Verdict:
    """The conclusion, and the recommended strategy checked on the held-out questions (None: greedy was recommended)."""

    conclusion: Conclusion
    strategy: Paired | None
    strategy_name: str
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)


def measure(
    bench: Workbench,
    task: Task,
    plan: Plan,
    levels: Sequence[str],
    before: Sequence[Graded],
    trained: Sequence[Sequence[Graded]],
    seeds: Sequence[int],
    subject: str,
    strategy: StrategyRow | None,
) -> Verdict:
    """Compare held-out answers before and after.

    Args:
        before: greedy answers of the base model.
        trained: greedy answers after training, by seed; empty when nothing was trained.
        seeds: the seeds, in the order of `trained`.
        subject: what the verdict is about: the main arm, or the strategy where nothing was trained.
        strategy: the recommended strategy, run here on the base model with the held-out questions.
    """
    examples = questions(task, "test", plan.test)
    checked, by_strategy = None, list[Graded]()
    if strategy is not None and strategy.name != "greedy":
        function = load(strategy.name, "strategy")
        flows = {e.id: function(task, e, **strategy.options) for e in examples}
        by_strategy, _ = answer_all(bench, "verdict strategy", task, flows, examples)
        checked = paired(before, by_strategy)
        checked = with_crossed(checked, checked.p)
    after = trained or ([by_strategy] if by_strategy else [list(before)])
    repeated = [g for _ in after for g in before]
    flat = [g for answers in after for g in answers]
    overall = paired(repeated, flat)
    overall = with_crossed(overall, overall.p)
    by_seed = tuple(paired(before, answers) for answers in after)
    if not trained:
        seeds = [0]
    conclusion = Conclusion(
        bool(overall.crossed),
        sentence(overall, subject, len(trained)),
        subject,
        overall,
        tuple(with_crossed(pair, pair.p) for pair in by_seed),
        paired_levels(repeated, flat, levels),
        overall.before,
        overall.after,
        of_right([(g.correct, g.process, g.group) for g in before]),
        of_right([(g.correct, g.process, g.group) for g in flat]),
        changes(examples, before, after, seeds),
    )
    name = title(strategy) if strategy else ""
    said = [conclusion.sentence]
    if checked is not None and trained:
        said.append(f"At inference, {name}: {difference(checked)} on the same questions.")
    return Verdict(conclusion, checked, name, " ".join(said))


def difference(pair: Paired) -> str:
    """`.60 to .71 (+.11 [.05, .17], p <.001; 30 fixed, 4 broken)`."""
    gain = pair.difference
    sign = "+" if (gain.value or 0) > 0 else ""
    return (
        f"{number(pair.before.value)} to {number(pair.after.value)} "
        f"({sign}{interval(gain.value, gain.interval)}, p {p_value(pair.p)}; {pair.fixed} fixed, {pair.broken} broken)"
    )


def sentence(overall: Paired, subject: str, seeds: int) -> str:
    """What held up. A run that did not improve says so."""
    n = overall.difference.n
    over = f"{n} held-out answers" if seeds < 2 else f"{n} held-out answers of {seeds} seeds"
    if overall.crossed:
        return f"Improved: {subject} takes {over} from {difference(overall)}."
    if (overall.difference.value or 0) < 0 and overall.p is not None and overall.p < 0.05:
        return f"Worse: {subject} takes {over} from {difference(overall)}. Keep the model as it was."
    return f"Not improved: {subject} takes {over} from {difference(overall)}. Keep the model as it was."


def changes(
    examples: Sequence[Example], before: Sequence[Graded], after: Sequence[Sequence[Graded]], seeds: Sequence[int]
) -> tuple[Change, ...]:
    """Answers that were fixed or broken, both texts side by side: an even share of each, at most `EXAMPLES`."""
    by_id = {example.id: example for example in examples}
    found: dict[str, list[Change]] = {"fixed": [], "broken": []}
    for seed, answers in zip(seeds, after, strict=False):
        for b, a in matched(before, answers):
            if b.correct == a.correct:
                continue
            example = by_id[b.id]
            kind = "fixed" if a.correct else "broken"
            asked = example.question
            change = Change(
                "fixed" if a.correct else "broken",
                b.id,
                b.level,
                asked.text if isinstance(asked, Form) else asked,
                example.target,
                b.text,
                a.text,
                b.answer,
                a.answer,
                b.process,
                a.process,
                seed,
            )
            found[kind].append(change)
    broken = found["broken"][: EXAMPLES // 2]
    fixed = found["fixed"][: EXAMPLES - len(broken)]
    return (*fixed, *broken)


def show(console: Console, step: Verdict) -> None:
    """Print the table and the sentence."""
    rows = []
    for pair in (*step.conclusion.levels, replace(step.conclusion.overall, level="all")):
        process = "raised" if pair.crossed else ""
        rows.append(
            [
                pair.level,
                str(pair.difference.n),
                interval(pair.before.value, pair.before.interval),
                interval(pair.after.value, pair.after.interval),
                interval(pair.difference.value, pair.difference.interval),
                p_value(pair.p),
                str(pair.fixed),
                str(pair.broken),
                process,
            ]
        )
    console.table(["level", "n", "before", "after", "difference", "p", "fixed", "broken", ""], rows)
    was, now = step.conclusion.process_before, step.conclusion.process_after
    if was is not None and now is not None:
        console.say(
            f"Of the right answers, every step is right in {interval(was.value, was.interval)} before "
            f"and {interval(now.value, now.interval)} after."
        )
    console.say(step.sentence)
