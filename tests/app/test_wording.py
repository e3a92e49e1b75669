"""A form's English leads back to the form."""

from __future__ import annotations

from itertools import islice

import pytest

from whetstone.app.wording import as_form
from whetstone.core.types import Message, user
from whetstone.models.grit.dialect import GritDialect
from whetstone.signals import forms
from whetstone.tasks.load import load_task

EXAMPLES = list(islice(load_task("ledger:levels=1-16").examples("dev"), 16))
GOOD, BAD, CRITIQUE = "c-7=56e-3=53", "c-7=56\ne-3=54", "c-7=56:e-3=53;N"


def said(prompt):
    """A prompt as a server gets it."""
    return tuple(Message(message.role, (message.text,)) for message in prompt)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"level {example.level}")
def test_ledger_questions(example):
    encode = GritDialect().encode
    assert encode(as_form(said(example.prompt))) == encode(example.prompt)
    assert encode(as_form(user(str(example.meta["question"])))) == encode(example.prompt)


@pytest.mark.parametrize(
    "ask",
    [
        lambda q: forms.p_true(q, GOOD),
        lambda q: forms.p_ik(q),
        lambda q: forms.critique(q, GOOD),
        lambda q: forms.refine(q, GOOD, CRITIQUE),
        lambda q: forms.compare(q, GOOD, "53"),
        lambda q: forms.compare(q, "", GOOD),
        lambda q: forms.compare_critiqued(q, GOOD, CRITIQUE, "53", CRITIQUE),
    ],
)
def test_what_methods_ask(ask):
    prompt = ask(EXAMPLES[5].question)
    (found,), (wanted,) = as_form(said(prompt))[0].parts, prompt[0].parts
    assert found.name == wanted.name
    assert GritDialect().encode(as_form(said(prompt))) == GritDialect().encode(prompt)


def test_texts_of_several_lines_stay_whole():
    (found,) = as_form(said(forms.p_true(EXAMPLES[0].question, BAD)))[0].parts
    assert found["answer"] == BAD


@pytest.mark.parametrize(
    "text", ["Hello", "Q63c-7e-3?", "63", "", "A balance starts at 63.", "63c-7e-3 and more", "٦٣c-7e-3"]
)
def test_any_other_text_stays_as_it_is(text):
    assert as_form(user(text)) == user(text)


def test_a_begun_reply_stays_begun():
    prompt = (*user("63c-7e-3"), Message("assistant", ("c-7",)))
    assert as_form(prompt)[1] == prompt[1]
    assert as_form(prompt)[0] != prompt[0]
