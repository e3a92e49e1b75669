"""A judge that writes its own questions for the task and answers some by reading and some by running a check."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.code_checks import HELPERS, CheckError, run_check
from whetstone.signals.orders import Combine, ask_once, in_both_orders
from whetstone.signals.parsing import BULLET

PLAN = """Question: {question}

Answers to this question will be compared. Write 2 to 6 questions to ask of each answer, one a line. Where a program \
can tell (length, form, words that must or must not occur) write a check: a Python expression over the text `answer`, \
true when the answer is good, that may use {helpers}, len, sum, min, max, any, all, sorted, set, methods of texts and \
comprehensions, and nothing else. Write each line in one of two ways:

Read: QUESTION
Run: QUESTION => EXPRESSION"""

READ = """Question: {question}

Answer: {answer}

About this answer: {item}

Say in a few sentences what you find."""

LINE = re.compile(
    rf"^(?:{BULLET})?[ \t]{{0,20}}(Read|Run)[ \t]{{0,20}}:\s{{0,20}}(\S.*)$", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Item:
    """A question to ask of an answer; `check` is the expression that answers it, if one does."""

    question: str
    check: str = ""


@method(
    "judge",
    papers=("Learning to Align Multi-Faceted Evaluation: A Unified and Robust Framework",),
    checked="tests/signals/test_adaptive_judge.py::test_beats_the_judge_that_only_reads_on_constraints_that_code_can_check",
)
def adaptive_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    most: int = 6,
    code: bool = True,
    combine: Combine = "agree",
    max_tokens: int = 512,
) -> Flow[Verdict]:
    """Compare two answers by questions written for the task, answered by reading or by running checks on the text.

    Args:
        most: questions at most.
        code: run checks; else every question is answered by reading.
        combine: of the two orders.
        max_tokens: length limit of every reply.

    Returns:
        The verdict of a last comparison that has all findings before it. Checks run in an interpreter of expressions
        that can do nothing but look at the text (`code_checks`); one that fails is reported as not run.
    """
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    sampling = Sampling(0.0, max_tokens=max_tokens)
    names = ", ".join(helper.__name__ for helper in HELPERS)
    plan = forms.about(example, user(form("plan_checks", PLAN, question=example.question, helpers=names)))
    (written,) = yield from sample(plan, sampling=sampling, role="judge")
    items = read_items(written.text)[:most]
    if not items:
        raise Abstain("the judge wrote no readable question")

    def find(answer: str, item: Item) -> Flow[str]:
        if code and item.check:
            return f"{item.question} {outcome(item.check, answer)}"
        asked = form("read_item", READ, question=example.question, answer=answer, item=item.question)
        (reply,) = yield from sample(forms.about(example, user(asked)), sampling=sampling, role="judge")
        return f"{item.question} {reply.text.strip()}"

    found = yield from gather(find(c.text, item) for c in (first, second) for item in items)
    notes = {first.id: "\n".join(found[: len(items)]), second.id: "\n".join(found[len(items) :])}

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        prompt = forms.compare_critiqued(example.question, a.text, notes[a.id], b.text, notes[b.id])
        return (yield from ask_once(forms.about(example, prompt), a, b, sampling))

    return (yield from in_both_orders(first, second, ask, combine))


def read_items(text: str) -> list[Item]:
    """The questions of a plan, each once. A line to run without an expression is a question to read."""
    items = []
    for how, rest in LINE.findall(text):
        question, arrow, check = rest.partition("=>")
        runs = how.lower() == "run" and arrow
        items.append(Item(question.strip(), check.strip(" `") if runs else ""))
    return list(dict.fromkeys(items))


def outcome(check: str, answer: str) -> str:
    """What running a check says."""
    try:
        return "Checked by a program: yes." if run_check(check, answer) else "Checked by a program: no."
    except CheckError as reason:
        return f"The check could not be run ({reason})."
