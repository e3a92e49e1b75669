"""Fixed and broken answers, before and after side by side, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import whetstone.app.report.figures as f
from whetstone.app.report.html import Markup, escape, fold, h, join
from whetstone.app.result import Change, Conclusion

SHOWN, MOST, TEXT, COMPARED = 3, 12, 4000, 1500
PIECES = re.compile(r"\d+|[^\W\d]+|\s+|[^\w\s]")


def changes(conclusion: Conclusion) -> Markup | None:
    """Both lists, the first few open."""
    if not conclusion.changes:
        return None
    total = {"fixed": conclusion.overall.fixed, "broken": conclusion.overall.broken}
    return join(_list(kind, [c for c in conclusion.changes if c.kind == kind], total[kind]) for kind in total)


def _list(kind: str, found: Sequence[Change], total: int) -> Markup:
    title = h("h3", "Fixed: wrong before, right after" if kind == "fixed" else "Broken: right before, wrong after")
    if not found:
        return join([title, h("p", f"No example; {f.count(total)} in all." if total else "None.", cls="note")])
    shown = found[:MOST]
    said = h("p", f"{len(shown)} of {f.count(max(total, len(found)))}, as the run stored them.", cls="note")
    rest = shown[SHOWN:]
    more = fold(f"Show {len(rest)} more", *map(_change, rest)) if rest else None
    return join([title, said, *map(_change, shown[:SHOWN]), more])


def _change(change: Change) -> Markup:
    facts = [
        h("span", "question ", h("b", change.id)),
        h("span", f"difficulty {change.level}") if change.level else None,
        h("span", f"seed {change.seed}") if change.seed is not None else None,
        h("span", "right answer ", h("b", change.target)) if change.target is not None else None,
    ]
    old, new = marked(change.before, change.after)
    fixed = change.kind == "fixed"
    return h(
        "article",
        h("div", *facts, cls="head"),
        h("p", escape(change.question, TEXT), cls="question"),
        h(
            "div",
            _side("Before", old, change.before_answer, change.before_process, right=not fixed),
            _side("After", new, change.after_answer, change.after_process, right=fixed),
            cls="pair",
        ),
        cls="change",
    )


def _side(when: str, text: Markup, answer: str | None, process: bool | None, *, right: bool) -> Markup:
    steps = "" if process is None else ", every step right" if process else ", a step is wrong"
    read = f", answer {answer}" if answer is not None else ", no readable answer"
    sign = "\u2713 right" if right else "\u2717 wrong"
    return h(
        "div",
        h("h4", f"{when}: ", h("span", sign, cls="good" if right else "bad"), read, steps),
        h("pre", text, tabindex="0", aria_label=f"{when}, full text"),
        cls=f"side {'good-side' if right else 'bad-side'}",
    )


def marked(before: str, after: str) -> tuple[Markup, Markup]:
    """Both texts with what differs marked; long texts stay unmarked, since comparing them costs time."""
    if max(len(before), len(after)) > COMPARED:
        return escape(before, TEXT), escape(after, TEXT)
    left, right = PIECES.findall(before), PIECES.findall(after)
    codes = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return join(_pieces(left, [(tag, a, b) for tag, a, b, _, _ in codes])), join(
        _pieces(right, [(tag, a, b) for tag, _, _, a, b in codes])
    )


def _pieces(pieces: Sequence[str], codes: Sequence[tuple[str, int, int]]) -> Iterator[Markup]:
    for tag, start, end in codes:
        text = escape("".join(pieces[start:end]), TEXT)
        if text:
            yield text if tag == "equal" else h("mark", text)
