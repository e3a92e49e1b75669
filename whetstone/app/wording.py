"""From the English of a form back to the form, for a served model that reads forms only.

A method's question reaches a server as text. Where the text is one that Whetstone itself would write, its form is
recovered, so that grit answers over HTTP what it answers at home; any other text stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from whetstone.core.types import Form, Message, Prompt, form
from whetstone.signals import forms
from whetstone.tasks.prompts import LEDGER, LEDGER_INSTRUCTIONS
from whetstone.worlds import ledger

TEMPLATES: Mapping[str, str] = {
    "solve": "{question}\n\n" + LEDGER_INSTRUCTIONS,
    "p_true": forms.P_TRUE,
    "p_ik": forms.P_IK,
    "critique": forms.CRITIQUE,
    "refine": forms.REFINE,
    "compare": forms.COMPARE,
    "compare_critiqued": forms.COMPARE_CRITIQUED,
}
ENTRY = rf"[{ledger.LABELS}]: [+-][0-9]"
FIELDS = {"start": r"[0-9]{2}", "entries": rf"{ENTRY}(?:\n{ENTRY})*"}
"""What a field may hold; any other may hold anything."""


def as_form(prompt: Prompt) -> Prompt:
    """The prompt with its first message as a form, if its text is a form's English or a bare ledger question."""
    first, *rest = prompt
    if first.role != "user" or len(first.parts) != 1 or not isinstance(first.parts[0], str):
        return prompt
    found = recognised(first.parts[0].strip())
    return prompt if found is None else (Message("user", (found,)), *rest)


def recognised(text: str) -> Form | None:
    """The form that reads so in English, with a ledger question in the ledger's notation."""
    if ledger.QUESTION.fullmatch(text) or fields_of(LEDGER, text):
        return form("solve", "{question}", question=_question(text))
    for name, template in TEMPLATES.items():
        fields = fields_of(template, text)
        if fields is not None:
            values = {key: _question(value) if key == "question" else value for key, value in fields.items()}
            return form(name, template, **values)
    return None


def fields_of(template: str, text: str) -> dict[str, str] | None:
    """The values that turn a template into a text, None if there are none."""
    match = _pattern(template).fullmatch(text)
    return match.groupdict() if match else None


def _question(text: str) -> str:
    """A ledger question in its notation; any other text as it is."""
    fields = fields_of(LEDGER, text)
    if fields is None:
        return text
    return fields["start"] + re.sub(r"[:\s]", "", fields["entries"])


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """A template as a pattern with one group a field."""
    pieces = re.split(r"\{(\w+)\}", template.strip())
    for i in range(0, len(pieces), 2):
        pieces[i] = re.escape(pieces[i])
    for i in range(1, len(pieces), 2):
        pieces[i] = f"(?P<{pieces[i]}>{FIELDS.get(pieces[i], '.*?')})"
    return re.compile("".join(pieces), re.DOTALL)
