"""Dialogue metrics from raw dialogues."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.dialogue_model import read_corpus
from whetstone.audits.dialogue_quality import correlations, dialogue_quality, train_quality
from whetstone.audits.spoilt_dialogues import DIMENSIONS, contradiction, spoil
from whetstone.core.errors import TaskError

TOPICS = {
    "garden": ("roses", "tomatoes", "soil", "water", "seeds", "spade"),
    "music": ("guitar", "songs", "concert", "band", "piano", "choir"),
    "travel": ("train", "ticket", "beach", "hotel", "island", "passport"),
    "food": ("soup", "bread", "cheese", "oven", "pepper", "spoon"),
    "sport": ("football", "match", "goal", "tennis", "coach", "stadium"),
}


def dialogue(rng: Random) -> tuple[str, ...]:
    """Six turns about one topic: a greeting, questions with answers, statements that stay true, thanks."""
    words = rng.sample(TOPICS[rng.choice(list(TOPICS))], 5)
    a, b, c, d, e = words
    return (
        rng.choice((f"hello , do you like {a} ?", f"hi there , what about {a} ?")),
        rng.choice((f"yes , i am fond of {a} and {b} .", f"i love {a} , my {b} is lovely .")),
        f"the {b} was near the {c} last {rng.choice(('week', 'month'))} .",
        rng.choice((f"great , {c} and {d} go well together .", f"nice , i enjoy {d} more than {c} .")),
        f"i am sure that {d} is good with {e} .",
        rng.choice((f"thanks , {e} it is !", f"thank you , let us try {e} then .")),
    )


def raw(n: int, seed: int = 0) -> list[tuple[str, ...]]:
    return [dialogue(Random(f"{seed}/{i}")) for i in range(n)]


def rated(n: int) -> list[dict[str, object]]:
    """People take two points off for each way in which a dialogue is spoilt."""
    rows = []
    for i, talk in enumerate(raw(n, seed=9)):
        rng = Random(i)
        row: dict[str, object] = {}
        for name in DIMENSIONS:
            times = rng.randrange(3)
            for _ in range(times):
                talk = spoil(talk, name, rng, raw(20, seed=8))
            row[name] = 5 - 2 * times + rng.gauss(0, 0.3)
        rows.append({**row, "dialogue": list(talk), "rating": sum(float(row[name]) for name in DIMENSIONS)})
    return rows


def test_each_metric_detects_what_was_planted_and_the_sum_follows_people() -> None:
    found = {f.name: f for f in dialogue_quality(raw(150), rated(120), rounds=200)}
    for kind in ("ensemble", "multitask"):
        for name in DIMENSIONS:
            detects = found[f"detects/{kind}/{name}"]
            assert detects.estimate > 0.8, (kind, name)
            assert detects.verdict == "detects what was spoilt"
            assert found[f"spearman/{kind}/{name} with its own ratings"].interval[0] > 0, (kind, name)
            others = [share for other, share in detects.detail["by"].items() if other != name]
            assert detects.estimate > max(others), "each metric looks at its own dimension first"
        assert found[f"spearman/{kind}"].interval[0] > 0.3
        assert found[f"gain/{kind}"].estimate > -0.05, "no worse than its best part"


def test_ratings_by_dice_are_not_followed_and_sound_dialogues_not_told_apart() -> None:
    quality, talks = train_quality(raw(60)), rated(40)
    followed = 0
    for seed in range(20):
        dice = [{"dialogue": row["dialogue"], "rating": Random(f"{seed}/{i}").random()} for i, row in enumerate(talks)]
        found = {f.name: f for f in correlations(quality, dice, 2, seed)}
        low, high = found["spearman/ensemble"].interval
        followed += not low < 0 < high
    assert followed <= 3
    one, other = (quality.scores(raw(60, seed=s), "ensemble").mean(axis=1) for s in (5, 6))
    assert 0.3 < (one > other).mean() < 0.7


def test_contradictions_and_shuffles_lower_the_score_that_should_fall() -> None:
    quality, talks = train_quality(raw(160)), raw(40, seed=3)
    shuffled = [tuple(Random(i).sample(talk, len(talk))) for i, talk in enumerate(talks)]
    taken_back = [(*talk[:3], contradiction(talk[1]) or "i hate that", *talk[4:]) for talk in talks]
    for kind in ("ensemble", "multitask"):
        scores = quality.scores(talks, kind)
        assert (scores[:, 0] > quality.scores(shuffled, kind)[:, 0]).mean() > 0.85
        assert (scores[:, 1] > quality.scores(taken_back, kind)[:, 1]).mean() > 0.8


def test_parts_by_hand() -> None:
    assert contradiction("i am fond of it") == "i am not fond of it"
    assert contradiction("it is not far") == "it is far"
    assert contradiction("hello there") is None
    corpus = read_corpus([("red apple", "green pear")] * 3 + [("blue sky", "white cloud")] * 3)
    assert corpus.together["red", "pear"] > 0
    assert ("red", "cloud") not in corpus.together
    with pytest.raises(TaskError, match="too few"):
        dialogue_quality([("a", "b")] * 30)
    with pytest.raises(TaskError, match="row 1"):
        dialogue_quality(raw(20), [{"dialogue": ["a"]}])
    for said in ("a text", ["one turn"], []):
        with pytest.raises(TaskError, match="row 1: needs dialogue, a list of two turns or more"):
            dialogue_quality(raw(20), [{"dialogue": said, "rating": 1}])
