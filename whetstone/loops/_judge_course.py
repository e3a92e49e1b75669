"""What all loops that train a judge share: items to train on and held out, rehearsal, the solver beside the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from random import Random
from typing import Literal, get_args

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, sample
from whetstone.core.types import Alarm, Example, Finding, Generation, Round, Task
from whetstone.loops._judge_traces import from_critiques
from whetstone.loops._judging import Item, Judged, gain, judge, measure
from whetstone.loops._judging_items import Response, Source, graded, pairwise, pointwise, responses
from whetstone.loops._measure import training
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._train import train, with_reference
from whetstone.loops.objectives import Demonstration, Objective, Preference, likelihood
from whetstone.loops.objectives import Item as TrainingItem
from whetstone.loops.trainable import Trainable
from whetstone.signals import forms
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion

Protocol = Literal["critique", "p_true", "pairwise", "graded"]
ROOM = 3
"""How many times as long as a solution a judgment of one answer may be."""


@dataclass
class Course:
    """One training of a judge.

    Attributes:
        protocol: "critique" (is the answer right, after a critique), "p_true" (the same, in one letter), "pairwise"
            (which of two is better), "graded" (a grade from 1 to 5 by a criterion).
        source: where the answers come from; see `loops/_judging_items.py`.
        k, temperature: judgments of each training item, and at what temperature.
        monitor: held-out questions of the dev split whose items are judged greedily before and after each round.
        rehearse: share of the training items that are the untrained model's own replies in its other roles.
        lr, epochs, tokens_per_batch: of `loops/_train.py`.
    """

    model: Trainable
    task: Task
    _: KW_ONLY
    protocol: Protocol = "critique"
    source: Source = "planted"
    k: int = 8
    temperature: float = 0.7
    top_p: float = 1.0
    monitor: int = 64
    rehearse: float = 0.25
    lr: float | None = None
    epochs: int = 1
    tokens_per_batch: int = 2048
    seed: int = 0
    watched: list[Item] = field(default_factory=list, init=False)
    rivals: dict[str, list[Judged]] = field(default_factory=dict, init=False)
    rehearsal: list[Demonstration] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.protocol not in get_args(Protocol):
            raise ConfigError(f"unknown protocol {self.protocol!r}; known: {', '.join(get_args(Protocol))}")
        if not 0 <= self.rehearse < 1:
            raise ConfigError(f"rehearse is {self.rehearse:g}; it is a share of the training items, below 1")

    @property
    def limit(self) -> int:
        """Most tokens of a judgment: of two answers it is twice as long."""
        return ROOM * self.task.sampling.max_tokens * (2 if self.protocol == "pairwise" else 1)

    def items(self, turn: Turn, phase: str, split: str, n: int, seed: int) -> list[Item]:
        """The items of `n` questions of a split."""
        found = responses(self.source, turn, phase, self.task, split, n=n, seed=seed)
        if self.protocol == "pairwise":
            return pairwise(found)
        if self.protocol == "graded":
            return graded(found)
        return pointwise(found, forms.p_true if self.protocol == "p_true" else forms.critique)

    def judged(
        self, turn: Turn, phase: str, items: Sequence[Item], *, k: int | None = None, greedy: bool = False
    ) -> list[Judged]:
        """Judgments: `k` (by default the course's) at the course's temperature, or the likeliest one."""
        if greedy:
            return judge(turn, phase, items, max_tokens=self.limit)
        settings = {"temperature": self.temperature, "top_p": self.top_p}
        return judge(turn, phase, items, k=k or self.k, max_tokens=self.limit, **settings)

    def traces(self, turn: Turn, phase: str, items: Sequence[Item]) -> list[Judged]:
        """Judgments made of one critique of each answer."""
        return from_critiques(turn, phase, items, max_tokens=self.limit)

    def begin(self, turn: Turn) -> dict[str, Finding]:
        """Held-out items, and the judge and the solver before any training."""
        self.watched = self.items(turn, "held out", "dev", self.monitor, self.seed) if self.monitor else []
        if not self.watched:
            return {}
        self.rivals[""] = self.judged(turn, "before", self.watched, greedy=True)
        return before({**measure(self.rivals[""]), **self.solved(turn, "before", self.monitor)})

    def look(self, turn: Turn, phase: str = "after", *, rival: str = "") -> dict[str, Finding]:
        """The judge and the solver as they are now, with the judge's gain over its untrained self and over each rival.

        `rival` names this judge as one that later ones are compared with.
        """
        if not self.watched:
            return {}
        now = self.judged(turn, phase, self.watched, greedy=True)
        found = {**measure(now), **self.gains(now), **self.solved(turn, phase, self.monitor)}
        if rival:
            self.rivals[rival] = now
        return found

    def gains(self, now: Sequence[Judged]) -> dict[str, Finding]:
        """`gain` over the untrained judge, `gain/RIVAL` over the others."""
        return {
            name: gain(name, now, then) for r, then in self.rivals.items() for name in [f"gain/{r}" if r else "gain"]
        }

    def solved(self, turn: Turn, phase: str, n: int) -> dict[str, Finding]:
        """Greedy accuracy on `n` questions of the dev split."""
        examples = held_out(self.task, n, self.seed)
        replies = self.solutions(turn, f"{phase}/solve", examples, temperature=0.0)
        verdicts = [(e, self.task.verify(e, replies[e.id].text).value) for e in examples if e.id in replies]
        known = [(e.group or e.id, value) for e, value in verdicts if value is not None]
        if not known:
            return {}
        return {"solver": finding("solver", proportion([value for _, value in known], groups=[g for g, _ in known]))}

    def solutions(
        self, turn: Turn, phase: str, examples: Sequence[Example], *, temperature: float
    ) -> Mapping[str, Generation]:
        """One solution of each question by the model as it is."""
        sampling = replace(self.task.sampling, temperature=temperature)

        def ask(example: Example) -> Flow[Generation]:
            return (yield from sample(example.prompt, sampling=sampling))[0]

        return turn(phase, {example.id: ask(example) for example in examples}).results

    def rehearse_with(self, turn: Turn, items: Sequence[Item]) -> None:
        """Keep the untrained model's own solutions of the items' questions, and its critiques of their answers.

        Nothing where nothing is rehearsed, and not its critiques where those are what is trained. What was cut off or
        is incomplete is left out.
        """
        if not self.rehearse:
            return
        examples = list({item.example.id: item.example for item in items}.values())
        replies = self.solutions(turn, "rehearse", examples, temperature=self.task.sampling.temperature)
        solved = [(e, replies[e.id]) for e in examples if e.id in replies]
        self.rehearsal = [
            Demonstration(e.prompt, reply.text)
            for e, reply in solved
            if reply.finish == "stop" and self.task.complete(e, reply.text) is not False
        ]
        if self.protocol != "critique":
            shown = {(i.example.id, i.answers[0]): i for i in items}.values()
            asked = pointwise([Response(i.example, i.answers[0], True, 1.0) for i in shown])
            written = judge(turn, "rehearse/critique", asked, max_tokens=self.limit)
            self.rehearsal += [Demonstration(r.item.prompt, j.text) for r in written for j in r.judgments if j.verdict]

    def train(
        self,
        data: Sequence[TrainingItem],
        rng: Random,
        objective: Objective = likelihood,
        *,
        lr: float | None = None,
    ) -> dict[str, Finding]:
        """One phase of training on judgments and on `rehearse` of rehearsed replies among them.

        Preferences get their reference first. `lr` of None is the course's, and that of None the model's own.
        """
        wanted = min(len(self.rehearsal), round(len(data) * self.rehearse / (1 - self.rehearse)))
        rehearsal = rng.sample(self.rehearsal, wanted)
        pairs = [item for item in data if isinstance(item, Preference)]
        others = [item for item in data if not isinstance(item, Preference)]
        items: list[TrainingItem] = [*with_reference(self.model, pairs), *others, *rehearsal]
        rate = next(r for r in (lr, self.lr, self.model.learning_rate) if r is not None)
        settings = {"epochs": self.epochs, "tokens_per_batch": self.tokens_per_batch, "seed": rng.randrange(2**31)}
        return training(train(self.model, items, objective, lr=rate, **settings))

    def end(
        self, turn: Turn, *, seen: int, kept: int, metrics: Mapping[str, Finding], alarms: Sequence[Alarm] = ()
    ) -> Round:
        """The finished round, with the judge and the solver after it."""
        return turn.end(self.model, seen=seen, kept=kept, metrics={**metrics, **self.look(turn)}, alarms=alarms)


def nothing(message: str) -> list[Alarm]:
    """The alarm of a round that found nothing to train on."""
    return [Alarm("stop_rule", message, stop=True)]
