"""Graded samples of questions, as studies need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, Runner, sample
from whetstone.core.types import Candidate, Example, Task


@dataclass(frozen=True, slots=True)
class Graded:
    """One question, its samples, their answers in canonical form (None: unreadable) and whether they are right."""

    example: Example
    candidates: tuple[Candidate, ...]
    answers: tuple[str | None, ...]
    correct: tuple[bool, ...]

    @property
    def accuracy(self) -> float:
        """Share of right samples."""
        return sum(self.correct) / len(self.correct)


def questions_of(task: Task, split: str, n: int, seed: int) -> list[Example]:
    """`n` questions of a split."""
    return list(islice(task.examples(split, n=n, seed=seed), n))


def right(task: Task, example: Example, text: str) -> bool:
    """Does the task verify a text?

    Raises:
        TaskError: the task cannot tell.
    """
    verdict = task.verify(example, text)
    if verdict.value is None:
        raise TaskError(f"{example.id} cannot be verified: {verdict.abstained}")
    return verdict.value == 1


def graded(
    task: Task, runner: Runner, phase: str, examples: Sequence[Example], *, k: int, temperature: float | None = None
) -> list[Graded]:
    """`k` graded samples of each question, with log-probabilities; a temperature of None is the task's own."""
    settings = replace(task.sampling, logprobs=2)
    sampling = settings if temperature is None else replace(settings, temperature=temperature)

    def attempt(example: Example) -> Flow[Graded]:
        replies = yield from sample(example.prompt, n=k, sampling=sampling)
        candidates = tuple(Candidate(str(i), reply, "self") for i, reply in enumerate(replies))
        texts = [candidate.text for candidate in candidates]
        return Graded(
            example,
            candidates,
            tuple(task.read(example, text) for text in texts),
            tuple(right(task, example, text) for text in texts),
        )

    flows = {f"{i}/{example.id}": attempt(example) for i, example in enumerate(examples)}
    return list(runner(phase, flows).results.values())


def vote_right(row: Graded) -> float:
    """1 if the most voted answer is right."""
    votes = Counter(answer for answer in row.answers if answer is not None)
    return float(bool(votes) and row.correct[row.answers.index(votes.most_common(1)[0][0])])


def groups_of(rows: Sequence[Graded]) -> list[str]:
    """Clusters: the example's group, or the example itself."""
    return [row.example.group or row.example.id for row in rows]
