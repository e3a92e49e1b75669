"""DJPO: the three kinds of pairs, their mixture, and a better judge in each protocol."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.core.errors import ConfigError
from whetstone.core.types import Generation
from whetstone.loops._judge_data import preferences
from whetstone.loops._judge_pairs import bare_verdicts, mixed, shown
from whetstone.loops._judging import Judged, Judgment
from whetstone.loops._judging_items import from_row, graded, pairwise, pointwise
from whetstone.loops.djpo import djpo
from whetstone.loops.objectives import Preference

SMALL = {
    "source": "rows",
    "questions": 60,
    "k": 4,
    "temperature": 1.0,
    "monitor": 30,
    "lr": 1e-2,
    "dpo_lr": 1e-2,
    "tokens_per_batch": 256,
    "epochs": 4,
}


def rows(signs, make, n: int = 2):
    task = signs()
    return make([r for e in task.examples("train", n=n) for r in from_row(task, e, Random(0))])


def judged(item, *verdicts: str) -> Judged:
    return Judged(item, tuple(Judgment(Generation(f"a:!{v}"), v) for v in verdicts))


def test_critique_pairs_prefer_the_right_judgment(signs):
    item = rows(signs, pairwise)[0]
    (pair,) = preferences([judged(item, "B", "A")], Random(0))
    assert (pair.prompt, pair.chosen, pair.rejected) == (item.prompt, "a:!A", "a:!B")


def test_bare_verdicts_are_asked_for_in_their_own_way(signs):
    names = []
    for make in (pairwise, graded, pointwise):
        item = rows(signs, make)[0]
        wrong = next(v for v in item.values if v != item.truth)
        (pair,) = bare_verdicts([judged(item, wrong, item.truth)], Random(0))
        assert (pair.chosen, pair.rejected) == (item.truth, wrong)
        names.append(pair.prompt[0].parts[0].name)
    assert names == ["compare_at_once", "score_at_once", "p_true"]


def test_what_was_judged_is_written_in_the_notation_of_the_judgment():
    assert shown(["a+1=51"], "a:!Y") == "a+1=51"
    assert shown(["a+1=51", "a-1=49"], "a:!Y|a;N!A") == "a+1=51|a-1=49"
    assert shown(["x", "y"], "Verdict: A").startswith("Solution A:")


def test_kinds_are_mixed_by_their_shares():
    pair = Preference((), "a", "b")
    pairs, numbers = mixed([[pair] * 70, [pair] * 40, [pair] * 5], (0.7, 0.15, 0.15), Random(0))
    assert numbers == [70, 15, 5]
    assert len(pairs) == 90


@pytest.mark.parametrize("protocol", ["pairwise", "graded"])
def test_true_labels_make_a_better_judge_and_shuffled_ones_do_not(novice, signs, drive_on, protocol):
    start = novice.state()
    settings = {**SMALL, "protocol": protocol, "rival": False}
    (true,) = djpo(novice, signs(), drive_on(novice), **settings)
    novice.load_state(start)
    (shuffled,) = djpo(novice, signs(labels="shuffled"), drive_on(novice), **settings)
    assert true.metrics["accuracy"].estimate > 0.9
    assert true.metrics["gain"].p < 0.01
    assert min(true.metrics[f"pairs/{kind}"].n for kind in ("critique", "verdict", "deduction")) > 5
    assert shuffled.metrics["accuracy"].interval[0] < 0.55


def test_the_rival_is_trained_from_the_same_weights(novice, signs, drive_on):
    (done,) = djpo(novice, signs(), drive_on(novice), **SMALL)
    assert done.metrics["sft/accuracy"].n == done.metrics["gain/sft"].n == 60
    assert done.metrics["swap_consistency"].estimate > 0.9


def test_shares_are_checked(novice, signs, drive_on):
    with pytest.raises(ConfigError, match="shares needs 3 numbers"):
        next(djpo(novice, signs(), drive_on(novice), shares=(1.0,)))
