"""LLMBar's result.json: a labelled pair an item, with the judge's verdict in both orders.

`winner` already names the output, not the place. Of several rounds (auxiliary texts, a synthesis of two disagreeing
verdicts) the last one counts. A judge that gave each output a score showed no order: one verdict, and two scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from whetstone.app.cells import number
from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import Item, Record, Row, digest, row, shown, size

NAME = "llmbar"
ORDERS = {"swap = False": False, "swap = True": True}


def reads(head: Mapping[str, Any]) -> bool:
    return {"input", "output_1", "output_2", "label", "results"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for place, record in enumerate(records, 1):
        label = record.values.get("label")
        if label not in (1, 2, "1", "2"):
            raise record.fault("label", f"{shown(label)} names no output; it can be 1 or 2")
        asked = str(record.values.get("input"))
        rounds = [
            part for part in record.listed("results") if isinstance(part, Mapping) and ORDERS.keys() <= part.keys()
        ]
        if not rounds:
            raise record.fault("results", "no verdicts in both orders ('swap = False' and 'swap = True')")
        known = row(judge=options.judge or None, prompt=digest(asked), pair=f"item-{place}", question=asked)
        yield from _scored(record, rounds[-1], known, str(label)) or _judged(record, rounds[-1], known, str(label))


def _judged(record: Record, last: Mapping[str, Any], known: Row, label: str) -> list[Row]:
    found = []
    for field, swapped in ORDERS.items():
        told = record.part(last[field], field)
        first, second = ("2", "1") if swapped else ("1", "2")
        reply = told.values.get("completion")
        found.append(
            known
            | _shown(record, first, second)
            | row(
                swapped=swapped,
                verdict=_place(told, told.values.get("winner"), first),
                label="first" if label == first else "second",
                raw=reply[0] if isinstance(reply, list) and reply else None,
            )
        )
    return found


def _scored(record: Record, last: Mapping[str, Any], known: Row, label: str) -> list[Row]:
    if not {"score_1", "score_2"} <= last.keys():
        return []
    scores = [_score(last[f"score_{side}"]) for side in "12"]
    verdict = None
    if scores[0] is not None and scores[1] is not None:
        verdict = "tie" if scores[0] == scores[1] else "first" if scores[0] > scores[1] else "second"
    told = row(verdict=verdict, label="first" if label == "1" else "second")
    found = [known | _shown(record, "1", "2") | told]
    for side, score in zip("12", scores, strict=True):
        answer = record.values.get(f"output_{side}")
        own = row(
            system=f"output_{side}", score=score, raw=str(last[f"score_{side}"]), length=size(answer), answer=answer
        )
        found.append({name: value for name, value in known.items() if name != "pair"} | own)
    return found


def _score(told: Any) -> float | None:
    return number(told[0]) if isinstance(told, Sequence) and told else None


def _place(told: Record, winner: Any, first: str) -> str | None:
    if winner not in ("1", "2", 1, 2, "tie", None):
        raise told.fault("winner", f"{shown(winner)} is no winner; it can be 1, 2, tie or null")
    if winner is None or winner == "tie":
        return None if winner is None else "tie"
    return "first" if str(winner) == first else "second"


def _shown(record: Record, first: str, second: str) -> Row:
    texts = [record.values.get(f"output_{side}") for side in (first, second)]
    return row(
        first=f"output_{first}",
        second=f"output_{second}",
        first_length=size(texts[0]),
        second_length=size(texts[1]),
        first_text=texts[0],
        second_text=texts[1],
    )
