"""Rubric lessons: what a judge is taught to grade by, from rows that people graded or from a teacher's own writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from whetstone.core.errors import TaskError
from whetstone.core.flow import Flow, sample
from whetstone.core.types import Example, Form, Sampling, form, user
from whetstone.loops._judging_items import GRADES, read_grade
from whetstone.loops._lessons import Lesson, made
from whetstone.loops._rows import graded_answers
from whetstone.signals import forms
from whetstone.signals.parsing import read_score
from whetstone.signals.rubric import GRADE, ORDERS, rubric_of

ASK = """Write an instruction that calls for an answer which can be graded by this criterion, and an answer worth the \
best grade.

Criterion: {criteria}
{anchors}
Begin the instruction with "Instruction: " and the answer with "Answer: "."""

WRITE = """Instruction: {question}

An answer worth the best grade: {reference}

Criterion: {criteria}
{anchors}
Write an answer to the instruction that deserves the grade {grade} by this criterion, beginning with "Answer: ". Then \
write feedback that says why, beginning with "Feedback: "."""


def rubric_name(example: Example) -> str:
    """What tells one rubric from another: its criterion and anchors."""
    criteria, anchors = rubric_of(example, "", "")
    if not criteria:
        raise TaskError(f'{example.id}: needs the column `rubric`: {{"criteria": ..., "anchors": [...]}}')
    return "\n".join([criteria, *anchors])


def held_apart(name: str, share: float) -> bool:
    """Is this rubric held out? Decided by its hash, so that no rubric is ever both taught and tested."""
    return sha256(name.encode()).digest()[0] < 256 * share


def graded_lessons(example: Example, *, feedback: bool = True) -> list[Lesson]:
    """A row's graded answers: `candidates`, `grades` (1 to 5), if known `feedback`; none without grades."""
    if example.meta.get("grades") is None:
        return []
    return [
        lesson(example, text, f"{grade:g}", reason if feedback else "", str(i))
        for i, (text, grade, reason) in enumerate(graded_answers(example))
    ]


def lesson(example: Example, answer: str, grade: str, feedback: str, name: str) -> Lesson:
    """One graded answer, asked about in the words of the signal `rubric`."""
    if grade not in GRADES:
        raise TaskError(f"{example.id}: the grade {grade!r} is not a whole number from 1 to 5")
    criteria, anchors = rubric_of(example, "", "")
    reference = example.meta.get("model_answer")
    fields = {
        "question": example.question,
        "answer": answer,
        "reference": f"\nReference answer (grade 5): {reference}\n" if reference is not None else "",
        "criteria": criteria,
        "anchors": "".join(f"Score {i}: {level}\n" for i, level in enumerate(anchors, 1)),
        "order": ORDERS["explanation_first"],
    }
    prompt = forms.about(example, user(form("grade", GRADE, **fields)))
    item = made(example, prompt, grade, GRADES, read_grade, kind=criteria, name=name)
    return Lesson(item, f"{feedback}\nScore: {grade}".lstrip(), rubric_name(example))


def synthesised(example: Example, *, number: int, role: str, max_tokens: int) -> Flow[list[Lesson]]:
    """Graded answers that a teacher writes for a rubric: an instruction with a best answer, then one a grade.

    Args:
        number: tells several instructions for one rubric apart.
        role: who writes.

    What the teacher writes without the asked marks is left out.
    """
    criteria, anchors = rubric_of(example, "", "")
    levels = "".join(f"Score {i}: {level}\n" for i, level in enumerate(anchors, 1))
    about: dict[str, str | Form] = {"criteria": criteria, "anchors": levels}
    sampling = Sampling(max_tokens=max_tokens)
    (told,) = yield from sample(user(form("invent", ASK, **about)), sampling=sampling, role=role)
    parts = marked(told.text, ("Instruction", "Answer"))
    if parts is None:
        return []
    own = Example(
        f"{example.id}/made-{number}",
        user(form("solve", "{question}", question=parts["Instruction"])),
        group=example.group or example.id,
        meta={"rubric": example.meta["rubric"], "model_answer": parts["Answer"]},
    )
    lessons = []
    for grade in GRADES:
        fields = {"question": parts["Instruction"], "reference": parts["Answer"], "grade": grade, **about}
        (reply,) = yield from sample(user(form("invent_answer", WRITE, **fields)), sampling=sampling, role=role)
        written = marked(reply.text, ("Answer", "Feedback"))
        if written is not None and read_score(written["Feedback"], 1, 5) is None:
            lessons.append(lesson(own, written["Answer"], grade, written["Feedback"], grade))
    return lessons


def marked(text: str, names: Sequence[str]) -> Mapping[str, str] | None:
    """The texts after `NAME:` in this order; None unless each is there and not empty."""
    found, rest = {}, text
    for name, following in zip(names, [*names[1:], ""], strict=True):
        _, mark, after = rest.partition(f"{name}:")
        own, cut, _ = after.partition(f"{following}:") if following else (after, "", "")
        if not mark or not own.strip() or (following and not cut):
            return None
        found[name], rest = own.strip(), after
    return found
