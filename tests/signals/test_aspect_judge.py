"""Aspect by aspect."""

from __future__ import annotations

import json
from dataclasses import replace

from whetstone.core.types import TIE
from whetstone.signals.aspect_judge import Aspect, aspect_judge, by_aspect, read_tree

TREE = json.loads("""{"text": {"style": {"brevity": "Is it short?", "warmth": "Is it kind?"}, "facts": ["sums"]}}""")


def judge(toy, *, bias: bool = False):
    """Prefers in each aspect the answer that names it."""

    def model(request):
        name, fields = toy.asked(request)
        assert name == "compare_aspect"
        aspect = fields["aspect"].rpartition(", ")[2]
        has = [aspect in fields[side] for side in ("first", "second")]
        return toy.said(f"Verdict: {'A' if bias or has[0] > has[1] else 'B' if has[0] < has[1] else 'E'}")

    return model


def ask(toy, model, first, second):
    example = replace(toy.question(1), meta={"aspects": TREE})
    return toy.run(aspect_judge(toy.task, example, *toy.candidates(first, second)), model)


def test_finds_the_planted_winner_of_every_aspect(toy) -> None:
    verdict = ask(toy, judge(toy), "brevity sums", "warmth")
    assert {path: part.choice for path, part in by_aspect(verdict).items()} == {
        "text/style/brevity": "c0",
        "text/style/warmth": "c1",
        "text/facts/sums": "c0",
    }
    assert (verdict.choice, round(verdict.probs["c0"], 2)) == ("c0", 0.67)
    assert ask(toy, judge(toy), "brevity", "warmth").choice == TIE
    positions = ask(toy, judge(toy, bias=True), "brevity", "warmth")
    assert {part.choice for part in positions.orders} == {TIE}, "a preference for a position wins no aspect"
    assert by_aspect(positions)["text/facts/sums"].reason == "text/facts/sums: the orders disagree"


def test_reads_trees_of_any_depth() -> None:
    assert list(read_tree(TREE))[::2] == [Aspect("text/style/brevity", "Is it short?"), Aspect("text/facts/sums", "")]
    assert list(read_tree({})) == []


def test_default_aspects_and_silence(toy) -> None:
    flow = aspect_judge(toy.task, toy.question(1), *toy.candidates("x", "y"))
    assert len(next(flow)) == 8
    verdict = toy.run(aspect_judge(toy.task, toy.question(1), *toy.candidates("x", "y")), lambda r: toy.said("hm"))
    assert (verdict.choice, verdict.reason) == (None, "unreadable reply in every aspect")
