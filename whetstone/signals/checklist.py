"""Score by a checklist that the model writes for the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import BULLET, read_correctness
from whetstone.signals.values import each_text, mean_signal

WRITE = """Question: {question}

Write a checklist for judging answers to this question: 2 to 8 questions, one a line and numbered, each answered by \
yes or no, where yes is good. Cover what is asked for in words and what clearly follows from it, without repetition."""

CHECK = """Question: {question}

Answer: {answer}

About this answer: {item}

Think it through, then end with one line, "Verdict: Y" for yes or "Verdict: N" for no."""

ITEM = re.compile(rf"^{BULLET}\s{{0,20}}(\S.*\?)[ \t\r]*$", re.MULTILINE)


@method(
    "signal",
    papers=("TICKing All the Boxes: Generated Checklists Improve LLM Evaluation and Generation",),
    checked="tests/signals/test_checklist.py::test_finds_the_share_of_planted_requirements",
)
def checklist(
    task: Task, example: Example, candidates: Sequence[Candidate], *, most: int = 8, max_tokens: int = 512
) -> Flow[list[Signal]]:
    """Share of yes on a checklist of yes-or-no questions that the judge wrote for this question.

    Args:
        most: items at most; the first ones are kept.
        max_tokens: length limit of the checklist and of each check.

    One checklist serves all candidates, and every item is asked by itself; a list in the example's `meta["checklist"]`
    is used instead of a written one. Kind "score", n = readable items; provenance names the items and the failed ones.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens)
    items = yield from items_for(example, most=most, sampling=sampling)

    def ask(text: str) -> Flow[Signal]:
        checks = yield from gather(check(example, text, item, sampling) for item in items)
        read = [float(yes) for yes in checks if yes is not None]
        failed = [item for item, yes in zip(items, checks, strict=True) if yes is False]
        return mean_signal("checklist", read, "score", len(items), items=items, failed=failed)

    return (yield from each_text(candidates, ask))


def items_for(example: Example, *, most: int, sampling: Sampling) -> Flow[list[str]]:
    """The checklist of a question: the one it carries, else one that the judge writes. Raises `Abstain` without one."""
    given = example.meta.get("checklist")
    if isinstance(given, Sequence) and not isinstance(given, str):
        found = [str(item) for item in given]
    else:
        prompt = forms.about(example, user(form("checklist", WRITE, question=example.question)))
        (written,) = yield from sample(prompt, sampling=sampling, role="judge")
        found = ITEM.findall(written.text)
    items = list(dict.fromkeys(found))[:most]
    if not items:
        raise Abstain("the judge wrote no readable checklist")
    return items


def check(example: Example, answer: str, item: str, sampling: Sampling) -> Flow[bool | None]:
    """Is one item fulfilled? None if the reply is unreadable."""
    prompt = user(form("check", CHECK, question=example.question, answer=answer, item=item))
    (reply,) = yield from sample(forms.about(example, prompt), sampling=sampling, role="judge")
    reading = read_correctness(reply.text)
    return None if reading is None else reading.value == "Y"
