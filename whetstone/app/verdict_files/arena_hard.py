"""Arena-Hard judgments: two games a question with five-way verdicts; the baseline is A first, then B.

Early files name no baseline. `strength` is 1 for "much better" and 0.5 for "better".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.prompts import answers, content, last_user
from whetstone.app.verdict_files.rows import Dropped, Item, Record, Row, row, shown, size

NAME = "arena_hard"
DEGREES: Mapping[str, tuple[str, float]] = {
    **{"A>>B": ("first", 1.0), "A>B": ("first", 0.5), "A=B": ("tie", 0.0), "A<B": ("second", 0.5)},
    **{"A<<B": ("second", 1.0), "B>>A": ("second", 1.0), "B>A": ("second", 0.5), "B=A": ("tie", 0.0)},
    **{"B<A": ("first", 0.5), "B<<A": ("first", 1.0)},
}
"""Score -> verdict on the answers as shown, and its strength."""


def reads(head: Mapping[str, Any]) -> bool:
    return {"games", "model"} <= head.keys() and ("uid" in head or "question_id" in head)


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        prompt = record.text("uid" if "uid" in record.values else "question_id")
        model = record.text("model")
        baseline = record.optional("baseline") or options.baseline or "baseline"
        if model == baseline:
            yield Dropped("a system compared with itself")
            continue
        known = row(
            judge=record.optional("judge") or options.judge or None,
            prompt=prompt,
            category=record.optional("category"),
            pair=f"{prompt} {min(model, baseline)} {max(model, baseline)}",
        )
        for number, game in enumerate(record.listed("games")):
            if game is None:
                yield Dropped("a game without a reply")
                continue
            swapped = number % 2 == 1
            first, second = (model, baseline) if swapped else (baseline, model)
            yield known | _verdict(record.part(game, f"games[{number}]"), first, second) | {"swapped": swapped}


def _verdict(game: Record, first: str, second: str) -> Row:
    score = game.optional("score")
    if score is not None and score not in DEGREES:
        raise game.fault("score", f"{shown(score)} is no verdict; it can be {', '.join(DEGREES)} or null")
    verdict, strength = DEGREES[score] if score else (None, None)
    asked = last_user(game.values.get("prompt")) or content(game.values.get("user_prompt"))
    first_text, second_text = answers(asked)
    return row(
        first=first,
        second=second,
        verdict=verdict,
        strength=strength,
        first_length=size(first_text),
        second_length=size(second_text),
        raw=_reply(game.values.get("judgment")),
        first_text=first_text,
        second_text=second_text,
    )


def _reply(judgment: Any) -> str | None:
    """A text, or an object with the text in `answer`."""
    return content(judgment.get("answer") if isinstance(judgment, Mapping) else judgment)
