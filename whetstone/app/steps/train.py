"""Step 6, sharpen by training: the label-free arm beside its limit, a naive arm, and guards that roll back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from whetstone.app.checkpointed import Checkpointed
from whetstone.app.console import Console, interval, number, p_value
from whetstone.app.grading import Graded, greedy, questions
from whetstone.app.measure import accuracy, paired, paired_levels, with_crossed
from whetstone.app.plan import Plan
from whetstone.app.result import Arm, Measure, SeedRun, TrainingRound, decode
from whetstone.app.steps.baseline import Baseline
from whetstone.app.steps.recorded import Steps
from whetstone.app.workbench import Workbench
from whetstone.core.flow import Driven, Flow
from whetstone.core.registry import load, methods
from whetstone.core.types import Alarm, Json, Round, Task
from whetstone.loops.trainable import Trainable

MASTERED = 0.5
MEASURED = ("proxy", "gold", "precision", "exploration", "exploitation", "balance", "distinct", "length")


@dataclass(frozen=True)
class ArmPlan:
    """One way to train: a loop with its options, and what it is here for."""

    name: str
    role: Literal["label_free", "gold", "naive", "control"]
    description: str
    loop: str
    signal: str
    options: Mapping[str, Json] = field(default_factory=dict)
    main: bool = False


ARMS = (
    ArmPlan(
        "agreement",
        "label_free",
        "keeps the samples that agree with the majority of complete ones; sees no gold label",
        "expert_iteration",
        "vote_share",
        {"filter": "majority"},
        main=True,
    ),
    ArmPlan(
        "gold filter",
        "gold",
        "keeps the samples that the exact check accepts: what any filter could reach at most",
        "expert_iteration",
        "gold",
        {"filter": "gold"},
    ),
    ArmPlan(
        "naive self-reward",
        "naive",
        "prefers what the model's own one-word P(True) prefers, although nobody audited it",
        "self_rewarding",
        "p_true",
        {"signal": "p_true"},
    ),
)


@dataclass(frozen=True)
class Trained:
    """One arm with one seed: its rounds, and the held-out answers of the weights that were kept."""

    run: SeedRun
    answers: tuple[Graded, ...]
    fingerprint: str
    saved: str | None


@dataclass(frozen=True)
class Train:
    """All arms; of the main one also the held-out answers by seed, and where its first seed's weights are."""

    arms: tuple[Arm, ...]
    answers: tuple[tuple[Graded, ...], ...]
    fingerprint: str | None
    saved: str | None
    sentence: str
    limits: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    abstentions: Mapping[str, int] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Tokens that were trained on, over all arms, seeds and rounds."""
        logs = (r.metrics["loss"] for arm in self.arms for run in arm.runs for r in run.rounds if "loss" in r.metrics)
        return sum(int(str(log.detail.get("tokens", 0))) for log in logs)

    @property
    def subject(self) -> str:
        """What the verdict is about."""
        main = next(arm for arm in self.arms if arm.main)
        return f"training on its own answers ({main.name}, no gold labels)"


@dataclass
class Course:
    """What every arm of a run shares."""

    bench: Workbench
    task: Task
    model: Trainable
    plan: Plan
    levels: Sequence[str]
    before: Sequence[Graded]
    folder: Path
    defaults: Mapping[str, Json] | None = None

    def settings(self, arm: ArmPlan, seed: int) -> dict[str, Json]:
        """An arm's options: the plan's sizes (or `defaults`), its own, and the seed."""
        sizes = {"rounds": self.plan.rounds, "questions": self.plan.pool, "k": self.plan.k, "audited": True}
        return {**(sizes if self.defaults is None else self.defaults), **arm.options, "seed": seed}

    def place(self, arm: ArmPlan, seed: int) -> Path:
        """Where an arm's finished phases are kept."""
        return self.folder / "checkpoints" / f"{arm.role}-{seed}"

    def run(self, arm: ArmPlan, seed: int) -> Trained:
        """Train one arm with one seed from the base weights, look at held-out questions after every round.

        Guards see what the loop reports, never the held-out accuracy; one that says stop takes its round back.
        The model is left with the weights that were kept.
        """
        began, spent = time.monotonic(), self.bench.ledger.total
        prefix = f"{arm.name}/{seed}/"
        stored = {
            key: decode(Round, value, key) for key, value in self.bench.run.read("round") if key.startswith(prefix)
        }
        snapshots = {done.snapshot for done in stored.values() if done.snapshot}
        model = Checkpointed(self.model, self.place(arm, seed), snapshots)
        examples = questions(self.task, "test", self.plan.test)
        loop = load(arm.loop, "loop")

        def runner(name: str, flows: Mapping[str, Flow[object]]) -> Driven[object]:
            return self.bench(f"seed {seed} {name}", flows)

        before = accuracy(self.before, self.levels)
        rows = [TrainingRound(0, accuracy=before)]
        rounds: list[Round] = []
        answers, state = list(self.before), model.state()
        for done in loop(model, self.task, runner, **self.settings(arm, seed)):
            key = f"{prefix}{done.index}"
            if key not in stored:
                self.bench.run.add("round", key, done)
            done = stored.get(key, done)
            if not rounds:
                rows[0] = replace(rows[0], **named(done, "before/"))
            rounds.append(done)
            now = greedy(self.bench, f"held out {arm.role} {seed} {done.index}", self.task, examples)
            alarms = (*done.alarms, *guarded(rounds))
            stop = any(alarm.stop for alarm in alarms)
            back = stop and done.kept > 0
            rows.append(training_round(done, len(rows), alarms, back, now, self.levels))
            if stop:
                model.load_state(state)
                break
            answers, state = now, model.state()
        kept = max(row.index for row in rows if not row.index or (row.kept and not row.rolled_back))
        overall = paired(self.before, answers)
        run = SeedRun(
            seed,
            tuple(rows),
            before,
            accuracy(answers, self.levels),
            with_crossed(overall, overall.p),
            paired_levels(self.before, answers, self.levels),
            kept,
            self.bench.ledger.total - spent,
            time.monotonic() - began,
        )
        saved = None
        if arm.main and kept and not seed:
            saved = str(self.folder / "model")
            shutil.rmtree(saved, ignore_errors=True)
            model.save(Path(saved))
        return Trained(run, tuple(answers), model.fingerprint, saved)


def guarded(rounds: Sequence[Round]) -> Iterator[Alarm]:
    """What the guards say of the rounds so far."""
    for known in methods("guard"):
        alarm = load(known.name, "guard")(rounds)
        if alarm is not None:
            yield alarm


def training_round(
    done: Round, index: int, alarms: Sequence[Alarm], back: bool, now: Sequence[Graded], levels: Sequence[str]
) -> TrainingRound:
    """A loop's round and the held-out answers after it, as one row."""
    return TrainingRound(
        index,
        done.seen,
        done.kept,
        accuracy=accuracy(now, levels),
        alarms=tuple(alarms),
        rolled_back=back,
        tokens=done.tokens,
        seconds=done.seconds,
        metrics=done.metrics,
        **named(done),
    )


def named(done: Round, prefix: str = "") -> dict[str, Any]:
    """The measures that a result has fields for."""
    return {name: Measure.found(done.metrics[prefix + name]) for name in MEASURED if prefix + name in done.metrics}


def measure(
    steps: Steps,
    bench: Workbench,
    task: Task,
    model: Trainable,
    plan: Plan,
    base: Baseline,
    seeds: Sequence[int],
    folder: Path,
    deadline: float | None,
) -> Train:
    """Train every arm with every seed, the main arm first; each is recorded when it is complete.

    Args:
        base: step 1, whose greedy answers are the "before".
        folder: checkpoints go to its `checkpoints`, the improved weights of the main arm's first seed to its `model`.
        deadline: `time.monotonic()` after which no arm but the main one is begun.

    The model is left with the weights it came with.
    """
    course = Course(bench, task, model, plan, base.levels, base.answers, folder)
    state = model.state()
    arms: list[tuple[ArmPlan, list[Trained]]] = []
    left_out: list[str] = []
    for arm in ARMS:
        trained: list[Trained] = []
        for seed in seeds:
            if trained_already(arms, trained) and deadline is not None and time.monotonic() > deadline:
                left_out.append(f"{arm.name}, seed {seed}: no time left")
                continue
            result, _ = steps.once(f"train/{arm.name}/{seed}", Trained, partial(course.run, arm, seed))
            trained.append(result)
            shutil.rmtree(course.place(arm, seed), ignore_errors=True)
            model.load_state(state)
        arms.append((arm, trained))
    return summed(arms, left_out)


def trained_already(arms: Sequence[tuple[ArmPlan, Sequence[Trained]]], trained: Sequence[Trained]) -> bool:
    """Whether the main arm has one result, so that the rest may be left out."""
    return bool(arms) or bool(trained)


def summed(arms: Sequence[tuple[ArmPlan, Sequence[Trained]]], left_out: Sequence[str]) -> Train:
    """All arms as one step."""
    listed = tuple(
        Arm(plan.name, plan.role, plan.description, plan.loop, plan.signal, plan.main, tuple(t.run for t in trained))
        for plan, trained in arms
    )
    main = next(trained for plan, trained in arms if plan.main)
    return Train(
        listed,
        tuple(t.answers for t in main),
        main[0].fingerprint if main[0].saved else None,
        main[0].saved,
        sentence(listed),
        tuple(filter(None, (limit(t.run) for t in main[:1]))),
        tuple(left_out),
    )


def limit(run: SeedRun) -> str:
    """The levels of which training leaves more than half unsolved."""
    beyond = [pair for pair in run.levels if pair.after.value is not None and pair.after.value < MASTERED]
    if not beyond:
        return ""
    listed = "; ".join(
        f"level {pair.level} goes from {number(pair.before.value)} to {interval(pair.after.value, pair.after.interval)}"
        for pair in beyond
    )
    return f"What it cannot do: {listed}. Too few of its own samples agree on a right answer there to learn from."


def sentence(arms: Sequence[Arm]) -> str:
    """What training did, arm by arm."""
    said = []
    for arm in arms:
        gains = [r.overall.difference.value for r in arm.runs if r.overall.difference.value is not None]
        taken = sum(r.rolled_back for r in arm.runs)
        what = (
            f"{number(sum(gains) / len(gains))} over {len(gains)} seed{'s' * (len(gains) > 1)}"
            if gains
            else "no result"
        )
        back = f", rolled back in {taken} of {len(arm.runs)}" if taken else ""
        said.append(f"{arm.name}: {'+' if gains and sum(gains) > 0 else ''}{what}{back}")
    return f"Held-out accuracy by arm: {'; '.join(said)}."


def show(console: Console, step: Train) -> None:
    """Print the table and the sentence."""
    rows = []
    for arm in step.arms:
        for run in arm.runs:
            after = run.overall.after
            alarms = ", ".join(dict.fromkeys(alarm.guard for alarm in run.alarms)) or "none"
            rows.append(
                [
                    arm.name,
                    str(run.seed),
                    interval(run.overall.before.value, run.overall.before.interval),
                    interval(after.value, after.interval),
                    interval(run.overall.difference.value, run.overall.difference.interval),
                    p_value(run.overall.p),
                    alarms + (" (rolled back)" if run.rolled_back else ""),
                ]
            )
    console.table(["arm", "seed", "before", "after", "difference", "p", "alarms"], rows)
    by_level: dict[str, list[str]] = {}
    for arm in step.arms:
        for run in arm.runs[:1]:
            for b, a in zip(run.before[1:], run.after[1:], strict=True):
                by_level.setdefault(b.level, [number(b.greedy.value)]).append(number(a.greedy.value))
    if by_level:
        names = [arm.name for arm in step.arms if arm.runs]
        caption = f"greedy accuracy by level, seed {step.arms[0].runs[0].seed}"
        console.table(
            ["level", "before", *names], [[level, *cells] for level, cells in by_level.items()], caption=caption
        )
    console.say(step.sentence)
    for line in (*step.limits, *(f"Left out: {what}." for what in step.left_out)):
        console.say(line)
