"""Criteria for outputs and assertions that check them, suggested by a model: code, or questions to a judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, sample
from whetstone.core.types import Sampling, form, user
from whetstone.signals.code_checks import FUNCTIONS, METHODS, CheckError, run_check
from whetstone.signals.parsing import read_correctness

CRITERIA = """{about}

Some outputs:

{outputs}

By which criteria should such outputs be called good or bad? Name up to {n} that matter and that an output can fail. \
Reply with a JSON list of objects with "name" (a few words) and "text" (what a good output does, in one sentence)."""

ASSERTIONS = """{about}

An output must meet this criterion:

{criterion}

Write up to {n} different assertions that tell whether an output meets it, as a JSON list of objects. An assertion is \
either {"check": EXPRESSION}, a Python expression over the text `answer` that is true of good outputs, with the \
functions {functions} and the methods {methods} only, or {"question": QUESTION}, a question about the output whose \
answer is yes for good outputs. Prefer checks where one can decide."""

ASK = """{about}

Output:

{answer}

{question} End with one line, "Verdict: Y" for yes or "Verdict: N" for no."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a good output does."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """One way to check a criterion: an expression over `answer`, or a question to a judge."""

    name: str
    criterion: str
    kind: Literal["check", "question"]
    text: str


def suggest_criteria(
    about: str, outputs: Sequence[str], *, n: int = 5, sampling: Sampling = Sampling(0.0, max_tokens=1024)
) -> Flow[list[Criterion]]:
    """Criteria that a model finds fit, from what the outputs are about and some of them. Raises Abstain without any."""
    shown = "\n\n---\n\n".join(outputs)
    asked = user(form("suggest_criteria", CRITERIA, about=about, outputs=shown, n=str(n)))
    (reply,) = yield from sample(asked, sampling=sampling, role="writer")
    found: dict[str, Criterion] = {}
    for item in objects(reply.text):
        name, text = str(item.get("name") or "").strip(), str(item.get("text") or "").strip()
        if name and text:
            found.setdefault(name, Criterion(name, text))
    if not found:
        raise Abstain("the model suggested no criterion that could be read")
    return list(found.values())[:n]


def suggest_assertions(
    about: str, criterion: Criterion, *, n: int = 3, sampling: Sampling = Sampling(0.0, max_tokens=1024)
) -> Flow[tuple[list[Assertion], int]]:
    """Assertions for a criterion, and how many suggestions could not be used (no check of the allowed kind)."""
    texts = {"criterion": f"{criterion.name}: {criterion.text}", "n": str(n)}
    tools = {"functions": ", ".join(FUNCTIONS), "methods": ", ".join(sorted(METHODS))}
    asked = user(form("suggest_assertions", ASSERTIONS, about=about, **texts, **tools))
    (reply,) = yield from sample(asked, sampling=sampling, role="writer")
    found: list[Assertion] = []
    lost = 0
    for item in list(objects(reply.text)):
        kind: Literal["check", "question"] = "check" if item.get("check") else "question"
        text = str(item.get(kind) or "").strip()
        if not text or (kind == "check" and not allowed(text)) or len(found) == n:
            lost += len(found) < n
            continue
        found.append(Assertion(f"{criterion.name} {len(found) + 1}", criterion.name, kind, text))
    return found, lost


def holds(about: str, assertion: Assertion, answer: str) -> Flow[bool | None]:
    """Does an output pass? None where the judge's reply could not be read; a check that fails to run is not passed."""
    if assertion.kind == "check":
        try:
            return run_check(assertion.text, answer)
        except CheckError:
            return False
    asked = user(form("assert", ASK, about=about, answer=answer, question=assertion.text))
    (reply,) = yield from sample(asked, sampling=Sampling(0.0, max_tokens=512), role="judge")
    reading = read_correctness(reply.text)
    return None if reading is None else reading.value == "Y"


def allowed(check: str) -> bool:
    """Is this an expression that can be run on a text?"""
    for text in ("A first sentence. And a second one.", "{}", "1 2 3"):
        try:
            run_check(check, text)
        except CheckError:
            continue
        return True
    return False


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects of the first JSON list of objects in a reply."""
    decoder, start = json.JSONDecoder(), text.find("[")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list) and any(isinstance(item, dict) for item in found):
            yield from (item for item in found if isinstance(item, dict))
            return
        start = text.find("[", start + 1)
