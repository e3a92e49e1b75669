"""MT-bench judgments: scores of single answers, and pairs judged in both orders.

Lengths are those of the answers in the judge's prompt. A pair whose winner was told from two single scores was shown in
no order: it is one verdict, and two scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.prompts import answer, answers
from whetstone.app.verdict_files.rows import Dropped, Item, Record, Row, row, shown, size

NAME = "mt_bench"
FAILED = "$ERROR$"
WINNERS = ("model_1", "model_2", "tie", "error")


def reads(head: Mapping[str, Any]) -> bool:
    pair = {"question_id", "model_1", "model_2", "g1_winner"} <= head.keys()
    return pair or {"question_id", "model", "score", "judgment"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        judge, protocol = _judge(record, options)
        known = row(
            judge=judge,
            protocol=protocol,
            prompt=record.text("question_id"),
            turn=record.count("turn"),
        )
        if "g1_winner" not in record.values:
            yield from _single(record, known)
        else:
            yield from _pair(record, known)


def _single(record: Record, known: Row) -> Iterator[Item]:
    reply = record.values.get("judgment")
    if reply == FAILED:
        yield Dropped("a request that failed")
        return
    score = record.number("score")
    prompt = record.values.get("user_prompt")
    judged = answer(prompt if isinstance(prompt, str) else None)
    yield known | row(
        system=record.text("model"),
        score=None if score is None or score < 0 else score,
        length=size(judged),
        answer=judged,
        raw=reply,
    )


def _pair(record: Record, known: Row) -> Iterator[Item]:
    one, two = record.text("model_1"), record.text("model_2")
    if one == two:
        yield Dropped("a system compared with itself")
        return
    turn = f" {known['turn']}" if "turn" in known else ""
    pair = known | {"pair": f"{known['prompt']}{turn} {min(one, two)} {max(one, two)}"}
    scores = [record.number(field) for field in ("m1_score", "m2_score")]
    if None not in scores:
        yield pair | row(first=one, second=two, verdict=_verdict(record, "g1_winner", "model_1"))
        for system, score, game in ((one, scores[0], "g1"), (two, scores[1], "g2")):
            told = None if score is None or score < 0 else score
            yield known | row(system=system, score=told, raw=record.values.get(f"{game}_judgment"))
        return
    for game, first, second, swapped in (("g1", one, two, False), ("g2", two, one, True)):
        reply = record.values.get(f"{game}_judgment")
        if reply == FAILED:
            yield Dropped("a request that failed")
            continue
        prompt = record.values.get(f"{game}_user_prompt")
        first_text, second_text = answers(prompt if isinstance(prompt, str) else None)
        yield pair | row(
            first=first,
            second=second,
            swapped=swapped,
            verdict=_verdict(record, f"{game}_winner", "model_2" if swapped else "model_1"),
            first_length=size(first_text),
            second_length=size(second_text),
            raw=reply,
            first_text=first_text,
            second_text=second_text,
        )


def _verdict(record: Record, field: str, first: str) -> str | None:
    winner = record.values.get(field)
    if winner not in WINNERS:
        raise record.fault(field, f"{shown(winner)} is no winner; it can be {', '.join(WINNERS)}")
    return {"error": None, "tie": "tie", first: "first"}.get(winner, "second")


def _judge(record: Record, options: Options) -> tuple[str | None, str | None]:
    """The judge's model and the name of its prompt."""
    judge = record.values.get("judge")
    if isinstance(judge, list | tuple) and judge:
        names = [record.name(name, "judge") for name in judge]
        return names[0], " ".join(names[1:]) or None
    return record.optional("judge") or options.judge or None, None
