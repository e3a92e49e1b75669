"""What the rounds of all loops have in common: exploring, monitoring, replaying, accounting."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import TypeVar

from whetstone.core.flow import Driven, Flow, Runner
from whetstone.core.types import Alarm, Example, Finding, Round, Task
from whetstone.loops._measure import audit, describe
from whetstone.loops._rollout import Group, Questions, attempt
from whetstone.loops._select import Kept, Rule, frontier, select, tally
from whetstone.loops.objectives import Demonstration
from whetstone.loops.trainable import Trainable

T = TypeVar("T")


@dataclass
class Turn:
    """One round being made: a `Runner` that names its phases after the round and counts what they cost."""

    index: int
    runner: Runner
    tokens: int = 0
    flows: int = 0
    failures: int = 0
    began: float = field(default_factory=time.monotonic)

    def __call__(self, name: str, flows: Mapping[str, Flow[T]]) -> Driven[T]:
        driven = self.runner(f"round{self.index}/{name}", flows)
        self.tokens += driven.ledger.total
        self.flows += len(driven.results) + len(driven.failures)
        self.failures += len(driven.failures)
        return driven

    def end(
        self, model: Trainable, *, seen: int, kept: int, metrics: Mapping[str, Finding], alarms: Sequence[Alarm] = ()
    ) -> Round:
        """The finished round. `snapshot` is the fingerprint of the weights that it ended with."""
        failed = {"failures": Finding("failures", float(self.failures), None, self.flows)} if self.failures else {}
        seconds = time.monotonic() - self.began
        return Round(
            self.index, seen, kept, {**metrics, **failed}, tuple(alarms), model.fingerprint, self.tokens, seconds
        )


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a round explored: samples, which of them were accepted, and the levels that may be trained on."""

    groups: list[Group]
    kept: list[Kept]
    levels: list[str]

    @property
    def seen(self) -> int:
        """Number of samples."""
        return sum(len(group.candidates) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How a loop samples a task, and by which rule it accepts."""

    task: Task
    rule: Rule
    k: int
    temperature: float
    complete: bool = True

    def sample(self, turn: Turn, phase: str, examples: Sequence[Example]) -> list[Group]:
        """`k` answers to each question; questions whose flow failed are left out (the turn counts them)."""
        flows = {
            f"{i}/{example.id}": attempt(
                self.task,
                example,
                k=self.k,
                temperature=self.temperature,
                signal=self.rule.signal,
                complete=self.complete,
            )
            for i, example in enumerate(examples)
        }
        return list(turn(phase, flows).results.values())

    def explore(self, turn: Turn, questions: Questions, n: int, *, probe: int, width: int, floor: float) -> Harvest:
        """Sample `n` questions: `probe` of every level first, the rest where the model learns most.

        That is the frontier: the `width` levels with the lowest acceptance rate that is still at least `floor`. The
        curriculum from easy to hard follows from it, since a level enters when the model begins to label it. Levels
        under the floor give no training data at all.
        """
        first = min(n, probe * len(questions.levels))
        groups = self.sample(turn, "probe", questions.take(questions.levels, first))
        kept = select(groups, self.task, self.rule)
        window = frontier(tally(groups, kept), width=width, floor=floor)
        if window and n > first:
            groups += self.sample(turn, "sample", questions.take(window, n - first))
            kept = select(groups, self.task, self.rule)
        tallies = tally(groups, kept)
        return Harvest(groups, kept, frontier(tallies, width=len(tallies), floor=floor))

    def report(self, groups: Sequence[Group], *, audited: bool) -> dict[str, Finding]:
        """Findings on samples; against gold labels only if `audited`."""
        kept = select(groups, self.task, self.rule)
        return describe(groups, kept) | (audit(groups, kept, self.task) if audited else {})

    def monitor(self, turn: Turn, phase: str, examples: Sequence[Example], *, audited: bool) -> dict[str, Finding]:
        """Findings on fixed questions that are never trained on."""
        return self.report(self.sample(turn, phase, examples), audited=audited) if examples else {}


def held_out(task: Task, n: int, seed: int) -> list[Example]:
    """The first `n` questions of the dev split."""
    return list(islice(task.examples("dev", n=n, seed=seed), n)) if n else []


def before(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    """Findings on the weights before the first round, under names of their own."""
    return {f"before/{name}": finding for name, finding in findings.items()}


def with_replay(
    new: Sequence[Demonstration], memory: Sequence[Demonstration], share: float, rng: Random
) -> list[Demonstration]:
    """The new items and remembered ones, drawn without repetition, that make up `share` of all.

    A remembered item weighs as much as the mean new one.
    """
    wanted = min(len(memory), round(len(new) * share / (1 - share)))
    weight = sum(item.weight for item in new) / max(1, len(new))
    return [*new, *(replace(item, weight=weight) for item in rng.sample(list(memory), wanted))]
