"""Battles of a chatbot arena: two systems, who won, whether the voter knew their names.

`winner` is model_a, model_b, tie or tie (bothbad); or 1 stands in one of the columns winner_model_a, winner_model_b and
winner_tie. The left answer, model_a's, counts as the one shown first. Votes whose voter knew the names are left out,
unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.prompts import content
from whetstone.app.verdict_files.rows import Dropped, Item, Record, digest, row, shown, size

NAME = "arena"
SIDES = (("model_a", "model_b"), ("left", "right"))
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")
TIES = ("tie", "tie (bothbad)", "both_bad", "bothbad", "draw")
PROMPTS = ("question_id", "prompt_id", "prompt", "id")
LONGEST = 64
"""Characters beyond which a prompt is the text itself and no name of it."""
JUDGES = ("judge", "worker", "annotator")


def reads(head: Mapping[str, Any]) -> bool:
    sides = any(set(names) <= head.keys() for names in SIDES)
    return sides and ("winner" in head or set(ONE_HOT) <= head.keys())


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        values = record.values
        left, right = next(names for names in SIDES if names[0] in values or names is SIDES[-1])
        first, second = record.text(left), record.text(right)
        if first == second:
            yield Dropped("a system compared with itself")
            continue
        if not options.known_names and _truth(record, "anony") is False:
            yield Dropped("a voter who knew the names")
            continue
        winner = _one_hot(record) if "winner" not in values else values.get("winner")
        if winner is None or winner == "":
            yield Dropped("a battle without a winner")
            continue
        texts = [_last(values.get(f"conversation_{side}"), values.get(f"response_{side}")) for side in "ab"]
        yield row(
            judge=_judge(record) or options.judge or None,
            prompt=_prompt(record),
            turn=record.count("turn") if not isinstance(values.get("turn"), str) else None,
            category=record.optional("language"),
            first=first,
            second=second,
            verdict=_verdict(record, winner, (left, right), (first, second)),
            both_bad=True if str(winner).casefold() in TIES[1:4] else None,
            first_length=size(texts[0]),
            second_length=size(texts[1]),
            first_text=texts[0],
            second_text=texts[1],
        )


def _verdict(record: Record, winner: Any, sides: tuple[str, str], names: tuple[str, str]) -> str:
    word = str(winner).strip()
    if word.casefold() in TIES:
        return "tie"
    for side, name, verdict in zip(sides, names, ("first", "second"), strict=True):
        if word == name or word.casefold() in (side, side.removeprefix("model_")):
            return verdict
    raise record.fault("winner", f"{shown(winner)} is no winner; it can be {sides[0]}, {sides[1]} or tie")


def _prompt(record: Record) -> str | None:
    for field in PROMPTS:
        value = record.values.get(field)
        if value is not None and value != "":
            text = record.name(value, field) if not isinstance(value, list) else repr(value)
            return text if len(text) <= LONGEST else digest(text)
    return None


def _one_hot(record: Record) -> str:
    found = [str(record.values.get(name)) in ("1", "1.0", "True", "true") for name in ONE_HOT]
    if sum(found) != 1:
        raise record.fault(", ".join(ONE_HOT), "one of the three must be 1, the others 0")
    return ("model_a", "model_b", "tie")[found.index(True)]


def _judge(record: Record) -> str | None:
    for field in JUDGES:
        judge = record.values.get(field)
        if isinstance(judge, list | tuple) and judge:
            judge = judge[0]
        if judge is not None and judge != "":
            return record.name(judge, field)
    return None


def _truth(record: Record, field: str) -> bool | None:
    value = record.values.get(field)
    known = {"true": True, "1": True, "false": False, "0": False, "none": None, "": None}
    if str(value).casefold() not in known:
        raise record.fault(field, f"{shown(value)} is neither true nor false")
    return known[str(value).casefold()]


def _last(conversation: Any, response: Any) -> str | None:
    """The last answer of a conversation, or the response itself."""
    if isinstance(conversation, list) and conversation and isinstance(conversation[-1], Mapping):
        return content(conversation[-1].get("content"))
    return response if isinstance(response, str) else None
