"""Errors put into texts, and a score that learns how people weigh them."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.mismatch import mismatch, rated_of
from whetstone.audits.mismatch_errors import KINDS, insert_error
from whetstone.audits.mismatch_model import train_mismatch
from whetstone.core.errors import TaskError

NAMES = ("Anna", "Boris", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Henrik")
THINGS = ("boxes", "letters", "lamps", "chairs", "books", "coats")
WEIGHTS = {"negation": 3.0, "entity": 2.5, "swap": 2.5, "number": 2.0, "spelling": 0.1, "order": 0.2, "addition": 0.3}


def reference(i: int) -> str:
    rng = Random(i)
    a, b = rng.sample(NAMES, 2)
    day, side = rng.choice(("Monday", "Friday", "Sunday")), rng.choice(("north", "south"))
    what = f"{rng.randrange(2, 60)} {rng.choice(('old', 'new', 'heavy', 'red'))} {rng.choice(THINGS)}"
    more = rng.choice(("two", "three", "five"))
    return (
        f"On {day} morning {a} was carrying {what} to the house {side} of the river , "
        f"and {b} could bring her {more} more before evening ."
    )


def rows(n: int, *, planted_weights: bool = True, seed: int = 0) -> list[dict[str, object]]:
    """People take off what each kind of error weighs; without planting they throw dice."""
    made = []
    for i in range(n):
        rng = Random(f"{seed}/{i}")
        text, put = reference(i // 2), []
        for kind in rng.sample(KINDS, rng.randrange(4)):
            changed = insert_error(text, kind, rng, others=[reference(900 + i)])
            if changed:
                text = changed
                put.append(kind)
        cost = sum(WEIGHTS.get(kind, 1.0) for kind in put) if planted_weights else rng.random() * 5
        made.append({"output": text, "reference": reference(i // 2), "rating": 5 - cost + rng.gauss(0, 0.3)})
    return made


def test_every_kind_of_error_can_be_put_in_and_changes_little_else() -> None:
    text = reference(3)
    for kind in KINDS:
        changed = insert_error(text, kind, Random(kind), others=[reference(8), reference(9)])
        assert changed, kind
        assert changed != text
        assert len(set(text.split()) & set(changed.split())) >= len(set(text.split())) - 3, kind
    assert insert_error("She was here .", "negation", Random(0)) == "She was not here ."
    assert insert_error("Anna met Boris", "entity", Random(0), others=["x Clara"]) == "Anna met Clara"
    assert insert_error("short", "omission", Random(0)) is None


def test_beats_existing_metrics_where_people_weigh_errors_by_kind() -> None:
    found = {f.name: f for f in mismatch(rows(160), parts=2, rounds=300)}
    trained = found["spearman/trained"].estimate
    assert trained > 0.85
    assert trained > max(found[f"spearman/{name}"].estimate for name in ("bleu", "rouge_1", "rouge_l", "chrf")) + 0.05
    without, _, over_best = (f for name, f in found.items() if name.startswith("gain over"))
    assert over_best.interval[0] > 0
    assert without.estimate > 0, "the side task helps"
    assert all(found[f"auroc/{kind}"].estimate > 0.7 for kind in KINDS)
    assert sum(found[f"auroc/{kind}"].estimate for kind in KINDS) / len(KINDS) > 0.9


def test_finds_nothing_where_ratings_are_dice() -> None:
    found = {f.name: f for f in mismatch(rows(80, planted_weights=False), parts=2, synthetic=4, rounds=300)}
    low, high = found["spearman/trained"].interval
    assert low < 0 < high
    assert not any(f.verdict == "follows people more closely" for f in found.values())


def test_predicts_ratings_in_points_and_names_the_error() -> None:
    data = rows(160)
    fitted = train_mismatch([rated_of(row, i) for i, row in enumerate(data, 1)])
    text = reference(300)
    wrong = insert_error(text, "negation", Random(1))
    assert wrong
    clean, bad = fitted.score([(text, text), (wrong, text)])
    assert clean > 4.2 > bad + 1
    (said,) = fitted.errors([(wrong, text)])
    assert max(said, key=said.__getitem__) == "negation"


def test_rows_that_cannot_be_used_are_named() -> None:
    with pytest.raises(TaskError, match="row 2: rating"):
        mismatch([{"output": "a", "reference": "b", "rating": 1}, {"output": "a", "reference": "b", "rating": "x"}])
    with pytest.raises(TaskError, match="unknown error 'colour'"):
        mismatch([{"output": "a", "reference": "b", "rating": 1, "errors": ["colour"]}])
    with pytest.raises(TaskError, match="1 groups"):
        mismatch([{"output": "a", "reference": "b", "rating": 1}])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"rating": float("nan")}, "row 3: rating is nan; it must be a finite number"),
        ({"rating": float("inf")}, "row 3: rating is inf"),
        ({"rating": 10**400}, "row 3: rating is too large"),
        ({"errors": "order"}, "row 3: errors is 'order'; it must be a list of kinds"),
        ({"errors": 3}, "row 3: errors is 3"),
        ({"errors": [["order"]]}, r"row 3: unknown error \['order'\]; known: spatial"),
    ],
)
def test_a_row_that_no_statistic_can_use_is_named(fields, told) -> None:
    with pytest.raises(TaskError, match=told):
        rated_of({"output": "a", "reference": "b", "rating": 1, **fields}, 3)
