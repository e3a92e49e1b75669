"""Sampling a task: groups of answers, exploration of its levels, monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import load
from whetstone.core.types import Candidate, Example, Finding, Signal, Task
from whetstone.loops._measure import audit, describe
from whetstone.loops._rollout import Group, Questions, usable
from whetstone.loops._round import Turn
from whetstone.loops._select import Kept, Rule, by_gold, by_majority, frontier, select, tally


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
    """How a loop samples a task, and by which rule it accepts.

    Attributes:
        k: samples a question.
        retries: under the rules "majority" and "gold", how often a question without an accepted sample gets `k` more.
        complete: samples that are incomplete by the task's own gold-free rule cannot be used.
    """

    task: Task
    rule: Rule
    k: int
    temperature: float
    retries: int = 0
    complete: bool = True

    def sample(self, turn: Turn, phase: str, examples: Sequence[Example]) -> list[Group]:
        """Samples of each question; questions whose flow failed are left out (the turn counts them)."""
        flows = {f"{i}/{example.id}": self.attempt(example) for i, example in enumerate(examples)}
        return list(turn(phase, flows).results.values())

    def attempt(self, example: Example) -> Flow[Group]:
        """Sample answers to one question and, if the rule names a signal, score them by it."""
        settings = replace(self.task.sampling, temperature=self.temperature)
        sampling = replace(settings, logprobs=0) if self.rule.signal else settings
        group = Group(example, (), (), ())
        for _ in range(1 + self.retries):
            replies = yield from sample(example.prompt, n=self.k, sampling=sampling)
            start = len(group.candidates)
            new = tuple(Candidate(str(start + i), reply, "self") for i, reply in enumerate(replies))
            answers = tuple(usable(self.task, example, candidate, complete=self.complete) for candidate in new)
            group = Group(example, group.candidates + new, group.answers + answers, group.rewards + (None,) * len(new))
            if self.settled(group):
                break
        if not self.rule.signal:
            return group
        signals: list[Signal] = yield from load(self.rule.signal, "signal")(self.task, example, group.candidates)
        return replace(group, rewards=tuple(signal.value for signal in signals))

    def settled(self, group: Group) -> bool:
        """Whether more samples are not needed."""
        if self.rule.filter == "majority":
            return bool(by_majority(group, votes=self.rule.votes, least=self.rule.least))
        return self.rule.filter != "gold" or bool(by_gold(group, self.task))

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
        """Findings on fixed questions that are never trained on, `k` samples each."""
        if not examples:
            return {}
        return self.report(replace(self, retries=0).sample(turn, phase, examples), audited=audited)
