"""How much of everything a run of `improve` does: the full size, or less where tokens or time are short."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from whetstone.app.grading import questions, sampled
from whetstone.app.workbench import Workbench
from whetstone.core.types import Task

ARMS, RESERVE, PROBED, PROBE_SAMPLES = 3, 0.85, 8, 2


@dataclass(frozen=True)
class Plan:
    """Numbers of questions and samples.

    Attributes:
        test: held-out questions, never trained on and never used to choose anything.
        dev: questions on which signals, judges and strategies are chosen.
        pool: questions of one training round.
        k: samples a question.
        rounds: training rounds of an arm.
        judged: dev questions on which judges and slow signals are asked.
        scale: this plan's share of the full size.
    """

    test: int = 320
    dev: int = 160
    pool: int = 400
    k: int = 8
    rounds: int = 2
    judged: int = 96
    scale: float = 1.0

    def replies(self, seeds: int, *, train: bool) -> int:
        """About how many answers the run asks for."""
        arms = ARMS * seeds * self.rounds * (self.pool * self.k + self.test) if train else 0
        return self.test * (self.k + 3) + self.dev * self.k * 3 + self.judged * self.k * 8 + arms

    def scaled(self, factor: float) -> Plan:
        """This plan with fewer questions, never below a tenth."""
        if factor >= 1:
            return self
        factor = max(factor, 0.1)
        sizes = {
            f.name: max(16, round(getattr(self, f.name) * factor))
            for f in fields(self)
            if f.name in ("test", "dev", "pool", "judged")
        }
        return replace(self, **sizes, scale=factor)


def fit(bench: Workbench, task: Task, *, seeds: int, train: bool, time: float | None) -> Plan:
    """The full plan, scaled down to the token budget and to the seconds given, after a short probe."""
    full = Plan()
    if bench.budget is None and time is None:
        return full
    examples = questions(task, "dev", PROBED)
    before = bench.ledger.total
    sampled(bench, "probe warm-up", task, examples[:2], k=1)
    driven_before = bench.seconds
    sampled(bench, "probe", task, examples, k=PROBE_SAMPLES)
    asked = len(examples) * PROBE_SAMPLES
    replies = full.replies(seeds, train=train)
    shares = [1.0]
    if bench.budget is not None:
        shares.append(RESERVE * bench.budget / (replies * (bench.ledger.total - before) / (asked + 2)))
    if time is not None:
        shares.append(RESERVE * time / (replies * (bench.seconds - driven_before) / asked))
    return full.scaled(min(shares))
