"""The bundled tree of aspects and the pairs that come with it."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.aspect_agreement import aspect_agreement
from whetstone.audits.aspect_pairs import BUNDLED, HARMS, aspect_pairs, branch, load_tree
from whetstone.core.errors import TaskError
from whetstone.signals.aspect_judge import read_tree


def test_the_tree_covers_texts_and_images_and_defines_every_aspect(tmp_path) -> None:
    leaves = list(read_tree(load_tree()))
    assert len(leaves) > 60
    assert {leaf.path.partition("/")[0] for leaf in leaves} >= {"text", "image understanding", "image generation"}
    assert all(leaf.definition.endswith("?") for leaf in leaves)
    assert next(iter(read_tree(branch(load_tree(), "text/form/brevity")))).path == "text/form/brevity"
    with pytest.raises(TaskError, match="no aspect"):
        branch(load_tree(), "text/taste")
    bad = tmp_path / "x.json"
    bad.write_text("[]")
    with pytest.raises(TaskError, match="names, nested"):
        load_tree(bad)
    assert BUNDLED.is_file()


def test_agreement_on_the_bundled_pairs_shows_what_a_judge_sees(toy) -> None:
    """A judge that sees repeated words alone agrees in that aspect and has whims in the others."""

    def answer(request):
        _, fields = toy.asked(request)
        sides = [len(words) - len(set(words)) for words in (fields[name].split() for name in ("first", "second"))]
        if "repetition" in fields["aspect"]:
            return toy.said(f"Verdict: {'E' if sides[0] == sides[1] else 'AB'[sides[0] > sides[1]]}")
        one, two = (Random(fields["aspect"] + fields[name]).random() for name in ("first", "second"))
        return toy.said(f"Verdict: {'AB'[two > one]}")

    cases = aspect_pairs(80)
    labels = [case.example.meta["aspect_labels"] for case in cases]
    assert all({row[path] for row in labels} == {"first", "second", "tie"} for path in HARMS)
    found = {f.name: f for f in toy.run(aspect_agreement(toy.task, cases), answer)}
    seen = found["agreement/text/content/repetition"]
    assert seen.verdict == "agrees with people"
    others = [f for name, f in found.items() if name.startswith("agreement/") and "repetition" not in name]
    assert len(others) == 5
    assert all(f.estimate < seen.estimate - 0.1 for f in others)
    assert sum(f.verdict == "agrees with people" for f in others) <= 1
