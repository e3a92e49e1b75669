"""Questions asked and answers graded: what the steps and verbs share between the flows and the statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from whetstone.app.workbench import Workbench
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Driven, Flow, sample
from whetstone.core.types import Candidate, Example, Generation, Model, Outcome, Sampling, Task
from whetstone.tasks.levels import by_value

ALTERNATIVES = 5


@dataclass(frozen=True, slots=True)
class Graded:
    """One answered question.

    `correct` is None where the verifier could not tell or the method abstained; `process` is None where the task does
    not check steps. `answer=None` with a text: unreadable, which counts as wrong.
    """

    id: str
    level: str
    group: str
    text: str
    answer: str | None
    correct: bool | None
    process: bool | None = None
    tokens: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Sampled:
    """k samples of one question, and per sample whether it is right."""

    example: Example
    candidates: tuple[Candidate, ...]
    answers: tuple[str | None, ...]
    correct: tuple[bool | None, ...]

    @property
    def majority(self) -> int | None:
        """Index of the first sample with the most common readable answer."""
        votes = Counter(answer for answer in self.answers if answer is not None)
        return self.answers.index(votes.most_common(1)[0][0]) if votes else None


def questions(task: Task, split: str, n: int, *, seed: int = 0) -> list[Example]:
    """The first n questions of a split. Raises ConfigError when the split is empty."""
    found = list(islice(task.examples(split, n=n, seed=seed), n))
    if not found:
        raise ConfigError(f"{task.name} has no questions in its {split!r} split; give more data or another --split")
    return found


def levels(examples: Iterable[Example]) -> tuple[str, ...]:
    """The difficulties that occur, from easy to hard (numbers by value)."""
    return tuple(sorted({example.level for example in examples} - {""}, key=by_value))


def correct(task: Task, example: Example, text: str) -> bool | None:
    """What the verifier says of a text; unreadable is wrong, undecidable None."""
    signal = task.verify(example, text)
    if signal.value is not None:
        return signal.value >= 0.5
    return False if task.read(example, text) is None else None


def grade(task: Task, example: Example, text: str, *, tokens: int = 0, confidence: float | None = None) -> Graded:
    """Grade one text, its steps included."""
    process = task.process(example, text).value
    return Graded(
        example.id,
        example.level,
        example.group or example.id,
        text,
        task.read(example, text),
        correct(task, example, text),
        None if process is None else process >= 0.5,
        tokens,
        confidence,
    )


def grade_outcome(task: Task, example: Example, outcome: Outcome, tokens: int) -> Graded:
    """Grade a strategy's outcome: by its text, else by its bare answer; abstained is neither right nor wrong."""
    confidence = outcome.confidence.value
    text = outcome.text or outcome.answer or ""
    if not text and outcome.confidence.abstained is not None:
        group = example.group or example.id
        return Graded(example.id, example.level, group, "", None, None, None, tokens, confidence)
    return grade(task, example, text, tokens=tokens, confidence=confidence)


def greedy(
    bench: Workbench, name: str, task: Task, examples: Sequence[Example], *, model: Model | None = None
) -> list[Graded]:
    """Every question answered once at temperature 0, in the order given; failed ones are left out (and counted)."""
    cold = replace(task.sampling, temperature=0.0)
    driven = bench(name, {e.id: sample(e.prompt, sampling=cold) for e in examples}, model=model)
    return [
        grade(task, e, driven.results[e.id][0].text, tokens=driven.spent[e.id])
        for e in examples
        if e.id in driven.results
    ]


def sampled(
    bench: Workbench,
    name: str,
    task: Task,
    examples: Sequence[Example],
    *,
    k: int,
    logprobs: bool = False,
    model: Model | None = None,
) -> list[Sampled]:
    """k samples of every question, graded; `logprobs` asks for token log-probabilities and alternatives."""
    warm = with_logprobs(task.sampling) if logprobs else task.sampling
    driven = bench(name, {e.id: sample(e.prompt, n=k, sampling=warm) for e in examples}, model=model)
    return [judge_all(task, e, driven.results[e.id]) for e in examples if e.id in driven.results]


def judge_all(task: Task, example: Example, replies: Sequence[Generation]) -> Sampled:
    """Generations of one question as graded candidates."""
    candidates = tuple(Candidate(f"{example.id}/{i}", reply, "sample") for i, reply in enumerate(replies))
    texts = [reply.text for reply in replies]
    return Sampled(
        example,
        candidates,
        tuple(task.read(example, text) for text in texts),
        tuple(correct(task, example, text) for text in texts),
    )


def with_logprobs(sampling: Sampling) -> Sampling:
    """The same sampling, asking for log-probabilities and a few alternatives."""
    return replace(sampling, logprobs=sampling.logprobs or ALTERNATIVES)


def answer_all(
    bench: Workbench,
    name: str,
    task: Task,
    flows: Mapping[str, Flow[Outcome]],
    examples: Sequence[Example],
    *,
    flow_budget: int | None = None,
    label: str = "",
) -> tuple[list[Graded], Driven[Outcome]]:
    """Run one strategy's flows over the questions and grade what came of them."""
    driven = bench(name, flows, flow_budget=flow_budget, label=label)
    graded = [
        grade_outcome(task, e, driven.results[e.id], driven.spent[e.id]) for e in examples if e.id in driven.results
    ]
    return graded, driven
