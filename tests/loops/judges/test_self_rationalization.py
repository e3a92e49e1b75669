"""Self-rationalization: pairs by closeness to the label, and a better judge from true labels only."""

from __future__ import annotations

from random import Random

from whetstone.core.types import Example, Generation, Token, user
from whetstone.loops._judge_data import preferences, with_grade
from whetstone.loops._judging import Item, Judged, Judgment
from whetstone.loops._judging_items import GRADES, read_grade
from whetstone.loops.self_rationalization import likeliest, self_rationalization

SMALL = {
    "source": "rows",
    "warm_up": 0,
    "questions": 60,
    "k": 6,
    "monitor": 30,
    "lr": 1e-2,
    "dpo_lr": 1e-2,
    "tokens_per_batch": 256,
    "epochs": 2,
}


def judged(truth: str, *grades: str | None, logprobs: tuple[float, ...] = ()) -> Judged:
    item = Item("i", user("?"), truth, GRADES, read_grade, Example("q", user("?")))
    tokens = [(Token("!", p),) for p in logprobs] or [None] * len(grades)
    judgments = [Judgment(Generation(f"{i}!{g}", t), g) for i, (g, t) in enumerate(zip(grades, tokens, strict=True))]
    return Judged(item, tuple(judgments))


def test_the_closest_grade_is_preferred_to_the_farthest():
    (pair,) = preferences([judged("4", "1", "5", "3", None)], Random(0))
    assert pair.chosen in ("1!5", "2!3")
    assert pair.rejected == "0!1"
    assert preferences([judged("4", "3", "5")], Random(0)) == []  # equally close


def test_without_labels_the_majority_says_what_is_close():
    (pair,) = preferences([judged("5", "2", "2", "3")], Random(0), labels="majority")
    assert pair.rejected == "2!3"


def test_best_of_n_takes_the_likeliest_judgment():
    (row,) = likeliest([judged("4", "2", "4", logprobs=(-1.0, -0.1))])
    assert row.verdict == "4"


def test_a_critique_with_a_grade_keeps_its_notation():
    assert with_grade("a+1+1=5511:#a:!Y", "5") == "a+1+1=5511:#a:!5"
    assert with_grade("a+1+1=5512;N", "2") == "a+1+1=5512;!2"
    assert with_grade("Step 1 is wrong.\nVerdict: N", "2").endswith("Score: 2")


def test_true_labels_make_a_better_judge_and_shuffled_ones_do_not(novice, signs, drive_on):
    start = novice.state()
    *_, true = self_rationalization(novice, signs(), drive_on(novice), **SMALL)
    novice.load_state(start)
    *_, shuffled = self_rationalization(novice, signs(labels="shuffled"), drive_on(novice), **SMALL)
    assert true.metrics["accuracy"].estimate > 0.9
    assert true.metrics["spearman"].interval[0] > 0.5
    for rival in ("sft", "self_consistency", "best_of_n"):
        assert true.metrics[f"gain/{rival}"].interval[0] > 0
    assert shuffled.metrics["accuracy"].interval[0] < 0.55
