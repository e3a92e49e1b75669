"""What a judge is taught and tested on when a reply worth imitating is known for every item."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from whetstone.core.errors import TaskError
from whetstone.core.flow import Runner
from whetstone.core.types import Example, Finding, Form, Prompt, user
from whetstone.loops._judging import Item, Judged, Reader, judge
from whetstone.loops.objectives import Demonstration
from whetstone.signals import forms
from whetstone.signals.parsing import Reading, read_comparison, read_score
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion

LETTERS = ("A", "B", "E")


@dataclass(frozen=True, slots=True)
class Lesson:
    """An item, the reply that a good judge gives, and the data set that it comes from."""

    item: Item
    reply: str
    dataset: str = ""

    @property
    def demonstration(self) -> Demonstration:
        return Demonstration(self.item.prompt, self.reply)


def lesson_of(example: Example) -> Lesson:
    """A row of judgments as a lesson.

    The prompt is the example's question with its images and sounds, the reply its target, and the verdict what is read
    in it: by `meta["kind"]` "pairwise" (A, B or E), "pointwise" (a whole number from `meta["low"]` to `meta["high"]`,
    1 to 5 by default), "classification" (one of `meta["labels"]`) or "open" (the text after the last "Answer:").

    Raises TaskError that names the example, when there is no verdict in its target.
    """
    question, target = example.question, example.target or ""
    text = question.text if isinstance(question, Form) else question
    kind, labels = str(example.meta.get("kind", "pairwise")), example.meta.get("labels", ())
    low, high = (_bound(example, name, usual) for name, usual in (("low", 1), ("high", 5)))
    named = tuple(map(str, labels)) if isinstance(labels, Sequence) and not isinstance(labels, str) else ()
    readers: dict[str, tuple[Reader, tuple[str, ...]]] = {
        "pairwise": (read_comparison, LETTERS),
        "pointwise": (partial(read_score, low=low, high=high), tuple(map(str, range(low, high + 1)))),
        "classification": (partial(read_label, labels=named), named),
        "open": (read_open, ()),
    }
    if kind not in readers:
        raise TaskError(f"{example.id}: kind is {kind!r}; it can be {', '.join(readers)}")
    read, values = readers[kind]
    truth = read(target)
    if truth is None or (values and truth.value not in values):
        raise TaskError(f"{example.id}: no verdict of kind {kind} in the target {target[-60:]!r}")
    prompt = forms.about(example, user(text))
    item = made(example, prompt, truth.value, values or (truth.value,), read, pair=str(example.meta.get("pair", "")))
    return Lesson(item, target, str(example.meta.get("dataset", "")))


def _bound(example: Example, name: str, usual: int) -> int:
    """An end of the scale of grades."""
    given = str(example.meta.get(name, usual))
    if not re.fullmatch(r"-?[0-9]{1,3}(?:\.0+)?", given):
        raise TaskError(f"{example.id}: {name} is {given[:40]!r}; it must be a whole number of at most three digits")
    return int(float(given))


def made(
    example: Example,
    prompt: Prompt,
    truth: str,
    values: tuple[str, ...],
    read: Callable[[str], Reading | None],
    *,
    kind: str = "",
    pair: str = "",
    name: str = "",
) -> Item:
    """An item about an example; `name` tells several of one example apart."""
    return Item(f"{example.id}{name and '/' + name}", prompt, truth, values, read, example, (), kind, pair)


def read_label(text: str, labels: Sequence[str]) -> Reading | None:
    """The label that is named last, as a word of its own; of two that end together the longer one."""
    names = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    found = list(re.finditer(rf"(?<!\w)(?:{names})(?!\w)", text, re.IGNORECASE)) if labels else []
    if not found:
        return None
    value = next(label for label in labels if label.lower() == found[-1][0].lower())
    return Reading(value, found[-1].start(), found[-1].end())


def read_open(text: str) -> Reading | None:
    """The words after the last "Answer:", in lower case."""
    found = list(re.finditer(r"(?i)answer\s*:\s*(\S[^\n]*)", text))
    return Reading(" ".join(found[-1][1].lower().split()), found[-1].start(1), found[-1].end(1)) if found else None


def examined(runner: Runner, phase: str, lessons: Sequence[Lesson], *, max_tokens: int) -> list[Judged]:
    """Greedy judgments of the lessons' items."""
    return judge(runner, phase, [lesson.item for lesson in lessons], max_tokens=max_tokens)


def by_name(judged: Sequence[Judged], names: Sequence[str], title: str = "accuracy") -> dict[str, Finding]:
    """Share of right verdicts under each name, `TITLE/NAME`, parallel to the judgments."""
    found: dict[str, Finding] = {}
    for name in sorted(set(names)):
        rows = [row for row, own in zip(judged, names, strict=True) if own == name]
        share = proportion([row.right for row in rows], groups=[row.item.group for row in rows])
        unread = sum(row.verdict is None for row in rows)
        found[f"{title}/{name}"] = finding(f"{title}/{name}", share, unreadable=unread)
    return found
