"""A judge that awards points for each item of a question's own rubric."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import read_score
from whetstone.signals.values import each_text, mean_signal, or_unknown

AWARD = """Question: {question}

Answer: {answer}

Criterion: {criterion}

Award from 0 to {points} points for this criterion alone, whatever else the answer does or lacks. End with one line, \
"Score: " and a whole number from 0 to {points}."""

ITEMS = "The answer is right.=3|The answer addresses what was asked.=1|The answer can be read without effort.=1"
WHOLE = re.compile(r"\s*[0-9]{1,6}\s*")


@method(
    "signal",
    papers=(
        "KOFFVQA: An Objectively Evaluated Free-form VQA Benchmark for Large Vision-Language Models in the "
        "Korean Language",
    ),
    checked="tests/signals/test_point_rubric.py::test_awards_the_planted_points_in_any_language",
)
def point_rubric(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    items: str = ITEMS,
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 256,
) -> Flow[list[Signal]]:
    """Share of the points that a judge awards, item by item, by a rubric written beforehand.

    Args:
        items: criteria with their points, `TEXT=POINTS` separated by `|`, in any language. The example's own
            `meta["points"]`, a mapping of criterion to points, goes before them.
        samples: how often every item is judged; the value is the mean of the complete gradings.
        temperature: of the gradings; above 0 for several samples.
        max_tokens: length limit of a reply.

    Kind "score", 0 to 1, n = complete gradings: one with an unreadable item is left out. The standard error is over
    repeated gradings. Images and sounds of the question are shown to the judge.
    """
    points = points_of(example, items)
    sampling = Sampling(temperature, max_tokens=max_tokens)

    def award(text: str, criterion: str, most: int) -> Flow[list[float | None]]:
        fields = {"answer": text, "criterion": criterion, "points": str(most)}
        prompt = forms.about(example, user(form("award", AWARD, question=example.question, **fields)))
        replies = yield from sample(prompt, n=samples, sampling=sampling, role="judge")
        read = [read_score(reply.text, 0, most) for reply in replies]
        return [None if reading is None else float(reading.value) for reading in read]

    def ask(text: str) -> Flow[Signal]:
        awarded = yield from gather(award(text, criterion, most) for criterion, most in points.items())
        complete = [known for grading in zip(*awarded, strict=True) if len(known := have(grading)) == len(points)]
        shares = [sum(grading) / sum(points.values()) for grading in complete]
        first = dict(zip(points, (one[0] for one in awarded), strict=True))
        return mean_signal("point_rubric", shares, "score", samples, points=dict(points), awarded=first)

    return (yield from each_text(candidates, lambda text: or_unknown("point_rubric", ask(text))))


def have(values: Sequence[float | None]) -> list[float]:
    """The known ones."""
    return [value for value in values if value is not None]


def points_of(example: Example, items: str) -> dict[str, int]:
    """Points by criterion. Raises `Abstain` when a rubric is not criteria with positive whole points."""
    own = example.meta.get("points")
    pairs: list[tuple[str, object]] = (
        list(own.items())
        if isinstance(own, Mapping)
        else [(text, points) for text, _, points in (item.rpartition("=") for item in items.split("|") if item.strip())]
    )
    found = {text.strip(): int(str(points)) for text, points in pairs if text.strip() and WHOLE.fullmatch(str(points))}
    if len(found) < len(pairs) or not found or not all(found.values()):
        raise Abstain("a point rubric needs criteria with whole points of at least 1")
    return found
