"""Pairs without labels: an answer to a question against an answer to a similar but different one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, sample
from whetstone.core.types import Example, Form, Generation, Message, Part, Task, form, user
from whetstone.loops._judge_course import Course
from whetstone.loops._judging import Item
from whetstone.loops._judging_items import Response, both_orders
from whetstone.loops._round import Turn
from whetstone.worlds import ledger

Similar = Literal["world", "model"]

SIMILAR = """Question: {question}

Write another question that looks much like this one, on the same subject and in the same form, but has a different \
answer. Reply with the new question alone."""


def similar_pairs(
    course: Course, turn: Turn, examples: Sequence[Example], similar: Similar, rng: Random
) -> list[list[Item]]:
    """Of each question both orders of the pair (own answer to it, own answer to a similar one).

    The first is presumed to be better.

    Questions for which an answer was cut off, or whose two answers are equal, are left out. `similar` says who changes
    the question: the "world" (ledger) or the "model".
    """
    if similar == "world":
        changed = {example.id: changed_ledger(course.task, example, rng) for example in examples}
    else:
        changed = written(turn, examples)
    asked = [example for example in examples if example.id in changed]
    temperature = course.task.sampling.temperature
    own = course.solutions(turn, "own answers", asked, temperature=temperature)
    other = course.solutions(turn, "other answers", [changed[e.id] for e in asked], temperature=temperature)
    items = []
    for example in asked:
        one, two = own.get(example.id), other.get(changed[example.id].id)
        if one and two and one.text != two.text and one.finish == two.finish == "stop":
            answers = Response(example, one.text, True, 1.0), Response(example, two.text, False, 0.0, "similar")
            items.append(both_orders(example.id, *answers))
    return items


def changed_ledger(task: Task, example: Example, rng: Random) -> Example:
    """The ledger question with the number of one entry changed.

    Raises:
        TaskError: it is no ledger question.
    """
    question, make = str(example.meta.get("question", "")), getattr(task, "example", None)
    if make is None or not ledger.QUESTION.fullmatch(question):
        raise TaskError(f"{task.name}: only ledger questions are changed by their world; take similar=model")
    entries = ledger.entries(question)
    place = rng.randrange(len(entries))
    others = [change for change in ledger.CHANGES if ledger.CHANGE[change] != ledger.CHANGE[entries[place][1:]]]
    entries[place] = entries[place][0] + rng.choice(others)
    changed: Example = make(question[:2] + "".join(entries), len(entries))
    return changed


def written(turn: Turn, examples: Sequence[Example]) -> dict[str, Example]:
    """Similar questions that the model wrote, asked as the task asks its own; what it left empty is left out."""

    def ask(example: Example) -> Flow[Generation]:
        return (yield from sample(user(form("similar", SIMILAR, question=example.question))))[0]

    found: Mapping[str, Generation] = turn("similar", {e.id: ask(e) for e in examples}).results
    texts = {e.id: found[e.id].text.strip() for e in examples if e.id in found and found[e.id].finish == "stop"}
    return {e.id: asking(e, texts[e.id]) for e in examples if texts.get(e.id)}


def asking(example: Example, question: str) -> Example:
    """An example like this one with another question."""
    part: Part = example.prompt[-1].parts[0]
    if isinstance(part, Form) and "question" in dict(part.fields):
        fields = tuple((name, question if name == "question" else value) for name, value in part.fields)
        part = Form(part.name, part.template, fields)
    else:
        part = question
    return Example(f"{example.id}/similar", (*example.prompt[:-1], Message("user", (part,))))
