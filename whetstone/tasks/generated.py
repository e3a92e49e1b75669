"""Tasks over generated worlds: as many questions as wanted, with exact answers, graded by level."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from typing import Protocol

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Example, Json, Prompt, Sampling, Signal
from whetstone.tasks.grades import MAX_TEXT, graded, tail, undecided, unreadable
from whetstone.worlds.splits import SPLITS, split_of

PATIENCE = 20_000


class World(Protocol):
    """What a module of `whetstone.worlds` offers to a task. Questions, answers and solutions are text."""

    def answer_of(self, question: str) -> str:
        """A right answer."""

    def read_answer(self, solution: str) -> str | None:
        """The answer that a solution states, in canonical form."""

    def answer_right(self, question: str, answer: str) -> bool:
        """Is the answer right?"""

    def process_right(self, question: str, solution: str) -> bool | None:
        """Are all steps right? None when the solution shows none."""

    def complete(self, question: str, solution: str) -> bool:
        """Does the solution have the form of a full one?"""


@dataclass(frozen=True)
class Generated:
    """A task whose questions are drawn from a world.

    Attributes:
        world: the module that knows right from wrong.
        generate: draws a question of a level.
        prompt: puts a question into words.
        levels: difficulties; consecutive examples go through them in turn.
    """

    name: str
    world: World
    generate: Callable[[random.Random, int], str]
    prompt: Callable[[str], Prompt]
    levels: tuple[int, ...]
    sampling: Sampling

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        """Different questions of a split; without `n` they never end.

        Raises:
            ConfigError: no such split.
            TaskError: a level has no further questions in this split.
        """
        if split not in SPLITS:
            raise ConfigError(f"no split is called {split!r}; there are {', '.join(SPLITS)}")
        rngs = {level: random.Random(f"{split}/{seed}/{level}") for level in self.levels}
        seen: set[str] = set()
        for level in cycle(self.levels):
            if n is not None and len(seen) >= n:
                return
            question = self._new(rngs[level], level, split, seen)
            seen.add(question)
            yield self.example(question, level)

    def example(self, question: str, level: int) -> Example:
        """One question of the world as an example."""
        digest = sha256(question.encode()).hexdigest()[:12]
        meta: dict[str, Json] = {"level": level, "question": question}
        return Example(f"{level}-{digest}", self.prompt(question), self.world.answer_of(question), meta=meta)

    def read(self, example: Example, text: str) -> str | None:
        """The final answer in canonical form."""
        return self.world.read_answer(tail(text))

    def verify(self, example: Example, text: str) -> Signal:
        """Is the final answer right? An unreadable one is wrong and says so in its provenance."""
        answer = self.read(example, text)
        return unreadable() if answer is None else graded(self.world.answer_right(_question(example), answer))

    def process(self, example: Example, text: str) -> Signal:
        """Are all steps right? Abstains when none are shown."""
        if len(text) > MAX_TEXT:
            return undecided(f"longer than {MAX_TEXT} characters")
        right = self.world.process_right(_question(example), text)
        return undecided("no steps are shown") if right is None else graded(right)

    def complete(self, example: Example, text: str) -> bool | None:
        """Does the solution have the form of a full one? Needs no gold."""
        return len(text) <= MAX_TEXT and self.world.complete(_question(example), text)

    def _new(self, rng: random.Random, level: int, split: str, seen: set[str]) -> str:
        for _ in range(PATIENCE):
            question = self.generate(rng, level)
            if question not in seen and split_of(question) == split:
                return question
        raise TaskError(f"{self.name} has no more than these {len(seen)} {split!r} questions at level {level}")


def _question(example: Example) -> str:
    return str(example.meta["question"])
