"""Training questions by level, and groups of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from whetstone.core.errors import TaskError
from whetstone.core.types import Candidate, Example, Task

LOOK_AHEAD = 256
PATIENCE = 200


@dataclass(frozen=True, slots=True)
class Group:
    """One question with its samples.

    `answers` are in canonical form, None where a sample cannot be used: unreadable, cut off, or incomplete by the
    task's gold-free rule. `rewards` are the values of a signal, None where it abstained or none was asked for.
    """

    example: Example
    candidates: tuple[Candidate, ...]
    answers: tuple[str | None, ...]
    rewards: tuple[float | None, ...]

    @property
    def votes(self) -> Counter[str]:
        """How many samples give each answer."""
        return Counter(answer for answer in self.answers if answer is not None)


class Questions:
    """Training questions by level, in the task's order for a seed; a finite task starts again when it is used up."""

    def __init__(self, task: Task, *, seed: int) -> None:
        self.task, self.seed, self.epoch = task, seed, 0
        self.waiting: dict[str, list[Example]] = {}
        self.stream = self._stream()
        for _ in range(LOOK_AHEAD):
            self._pull()
        self.levels = tuple(sorted(self.waiting, key=lambda level: (len(level), level)))

    def take(self, levels: Collection[str], n: int) -> list[Example]:
        """`n` questions, spread evenly over the levels.

        Raises:
            TaskError: the task has no training questions of a level.
        """
        order = [level for level in self.levels if level in levels]
        taken = []
        for place, level in enumerate(order):
            wanted = n // len(order) + (place < n % len(order))
            tries = 0
            while len(self.waiting.setdefault(level, [])) < wanted:
                self._pull()
                tries += 1
                if tries > PATIENCE * (wanted + len(order)):
                    raise TaskError(f"{self.task.name} yields too few training questions of level {level!r}")
            taken += self.waiting[level][:wanted]
            del self.waiting[level][:wanted]
        return taken

    def _pull(self) -> None:
        example = next(self.stream)
        self.waiting.setdefault(example.level, []).append(example)

    def _stream(self) -> Iterator[Example]:
        while True:
            before = self.epoch
            for example in self.task.examples("train", seed=self.seed + self.epoch):
                before = -1
                yield example
            if before == self.epoch:
                raise TaskError(f"{self.task.name} has no training questions")
            self.epoch += 1


def usable(task: Task, example: Example, candidate: Candidate, *, complete: bool = True) -> str | None:
    """The answer of a sample that is whole by every rule that needs no gold, else None."""
    if candidate.generation.finish != "stop":
        return None
    if complete and task.complete(example, candidate.text) is False:
        return None
    return task.read(example, candidate.text)
