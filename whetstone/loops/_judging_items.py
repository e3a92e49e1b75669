"""Answers of known quality, and the items that ask a judge about them.

Answers come from the ledger world (a right solution and one with a planted first error of every question), from the
model's own samples, or from the rows of a data file; the labels from the task's own check of steps, or of the answer
where it shows none, or from the rows. A judge never sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Literal, get_args

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import Runner, sample
from whetstone.core.types import Example, Generation, Prompt, Task
from whetstone.loops._judging import Item
from whetstone.loops._rows import graded_answers
from whetstone.signals import forms
from whetstone.signals.parsing import Reading, read_comparison, read_correctness, read_score
from whetstone.worlds import ledger

Source = Literal["planted", "samples", "rows"]
STYLES: tuple[ledger.Style, ...] = ("forward", "backward", "shuffled")
GRADES = ("1", "2", "3", "4", "5")
TAGGED_GRADE = re.compile(r"[!;]([1-5])\s*$")

SCORE_CRITERION = """Question: {question}

Answer: {answer}

Criterion: {criterion}

Grade the answer by this criterion alone. First examine it step by step, then end with one line, "Score: " and a whole \
number from 1 (worst) to 5 (best)."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to a question: whether it is right, how good it is from 0 to 1, and what is wrong with it."""

    example: Example
    text: str
    right: bool
    grade: float
    kind: str = ""


def responses(
    source: Source, runner: Runner, phase: str, task: Task, split: str, *, n: int, seed: int = 0, k: int = 4
) -> list[Response]:
    """Answers to `n` questions of a split.

    Args:
        source: "planted" (ledger tasks: a right and a wrong solution each), "samples" (`k` own samples each, equal
            texts once), "rows" (the columns `candidates` and `grades` of a data file; the best grade is right).

    Raises:
        ConfigError: an unknown source.
        TaskError: the task has no such answers.
    """
    if source not in get_args(Source):
        raise ConfigError(f"unknown source {source!r}; known: {', '.join(get_args(Source))}")
    examples = list(islice(task.examples(split, n=n, seed=seed), n))
    if source == "samples":
        return sampled(runner, phase, task, examples, k)
    make = planted if source == "planted" else from_row
    return [response for example in examples for response in make(task, example, Random(f"{seed}/{example.id}"))]


def planted(task: Task, example: Example, rng: Random) -> list[Response]:
    """A right solution of a ledger question and one with an error planted at a random place."""
    question = str(example.meta.get("question", ""))
    if not ledger.QUESTION.fullmatch(question):
        raise TaskError(f"{task.name}: errors are planted in ledger questions only; take source=samples or source=rows")
    wrong = ledger.plant_error(rng, question, rng.choice(STYLES))
    return [
        labelled(task, example, ledger.solve(rng, question, style=rng.choice(STYLES))),
        labelled(task, example, wrong),
    ]


def labelled(task: Task, example: Example, text: str) -> Response:
    """A text with the task's own verdict: of its steps where it shows them, else of its answer."""
    signal = task.process(example, text)
    value = task.verify(example, text).value if signal.value is None else signal.value
    if value is None:
        raise TaskError(f"{example.id} cannot be verified ({signal.abstained}); take source=rows")
    question = str(example.meta.get("question", ""))
    graded = ledger.QUESTION.fullmatch(question) and ledger.STEP.match(text)
    if value == 1 or not graded:
        return Response(example, text, value == 1, value, "right" if value == 1 else "")
    steps = right_steps(question, text)
    share = steps / len(ledger.entries(question))
    return Response(example, text, False, share, error_kind(question, text, steps))


def right_steps(question: str, solution: str) -> int:
    """How many steps of a solution are right before the first error."""
    prefix = ledger.critique(question, solution).prefix
    places = range(0, len(prefix), ledger.WIDTH)
    return sum(prefix[: i + ledger.WIDTH] == solution[: i + ledger.WIDTH] for i in places)


def error_kind(question: str, solution: str, steps: int) -> str:
    """What is wrong with a solution after its right steps.

    Named as in `ledger.ERROR_KINDS`; an amount that happens to be another entry's counts as "binding".
    """
    entries = {entry[0]: entry for entry in ledger.entries(question)}
    used, rest = solution[: steps * ledger.WIDTH : ledger.WIDTH], solution[steps * ledger.WIDTH :]
    if not rest:
        return "dropped"
    label, change = rest[0], rest[1:3]
    if label in used:
        return "repeat"
    if label not in entries:
        return "foreign"
    own = entries.pop(label)[1:]
    if change == own:
        return "calculation"
    if change in (entry[1:] for entry in entries.values()):
        return "binding"
    return "sign" if change[1] == own[1] else "amount"


def sampled(
    runner: Runner, phase: str, task: Task, examples: Sequence[Example], k: int, temperature: float | None = None
) -> list[Response]:
    """The model's own different samples, as the task labels them; a temperature of None is the task's own."""
    settings = task.sampling if temperature is None else replace(task.sampling, temperature=temperature)
    flows = {example.id: sample(example.prompt, n=k, sampling=settings) for example in examples}
    found: Mapping[str, list[Generation]] = runner(f"{phase}/responses", flows).results
    return [
        labelled(task, example, text)
        for example in examples
        for text in dict.fromkeys(reply.text for reply in found.get(example.id, []) if reply.finish == "stop")
    ]


def from_row(task: Task, example: Example, rng: Random) -> list[Response]:
    """The candidates of a row with their grades, mapped to 0 to 1 over the row's scale."""
    rows = graded_answers(example)
    if not rows:
        return []
    values = [value for _, value, _ in rows]
    low, high = min(0.0, *values), max(values)
    spread = (high - low) or 1.0
    return [
        Response(example, text, value == high and high > min(values), (value - low) / spread) for text, value, _ in rows
    ]


def pointwise(found: Sequence[Response], form: Callable[..., Prompt] = forms.critique) -> list[Item]:
    """Is the answer right? Y or N."""
    return [
        Item(
            f"{i}/{r.example.id}",
            forms.about(r.example, form(r.example.question, r.text)),
            "Y" if r.right else "N",
            ("N", "Y"),
            read_correctness,
            r.example,
            (r.text,),
            r.kind,
        )
        for i, r in enumerate(found)
    ]


def pairwise(found: Sequence[Response]) -> list[Item]:
    """Which of two answers to a question is better, the best against the worst, in both orders? A or B.

    Questions whose answers are all equally good are left out.
    """
    items = []
    by_question: dict[str, list[Response]] = {}
    for response in found:
        by_question.setdefault(response.example.id, []).append(response)
    for name, rows in by_question.items():
        better, worse = max(rows, key=lambda r: (r.right, r.grade)), min(rows, key=lambda r: (r.right, r.grade))
        if (better.right, better.grade) > (worse.right, worse.grade):
            items += both_orders(name, better, worse)
    return items


def both_orders(name: str, better: Response, worse: Response) -> list[Item]:
    """A pair as two items: the better one shown first, then second."""
    example = better.example
    shown = (("A", better.text, worse.text), ("B", worse.text, better.text))
    return [
        Item(
            f"{name}/{truth}",
            forms.about(example, forms.compare(example.question, one, two)),
            truth,
            ("B", "A"),
            read_comparison,
            example,
            (one, two),
            worse.kind,
            name,
        )
        for truth, one, two in shown
    ]


def graded(found: Sequence[Response], criteria: Sequence[str] = ("progress", "strict")) -> list[Item]:
    """How good is the answer by a criterion, 1 to 5? The criteria take turns.

    "strict" gives 5 to what is right and 1 to anything else; any other criterion goes by the share of the work that is
    right: 5 only if all is, else 1 to 4.
    """
    items = []
    for i, r in enumerate(found):
        criterion = criteria[i // 2 % len(criteria)]
        partial = 1 if criterion == "strict" else 1 + min(3, int(4 * r.grade))
        prompt = forms.score(r.example.question, r.text, SCORE_CRITERION, criterion=criterion)
        truth = "5" if r.right else str(partial)
        items.append(
            Item(
                f"{i}/{r.example.id}",
                forms.about(r.example, prompt),
                truth,
                GRADES,
                read_grade,
                r.example,
                (r.text,),
                criterion,
            )
        )
    return items


def read_grade(text: str) -> Reading | None:
    """A grade from 1 to 5, in the field's markers or closing tag notation (`!5`)."""
    match = TAGGED_GRADE.search(text)
    return Reading(match[1], match.start(1), match.end(1)) if match else read_score(text, 1, 5)
