"""The shipped checkpoint: small, whole, described by its card, and able to do what the card says."""

import json
from random import Random

import pytest

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import GREEDY, form, user
from whetstone.models.grit import CHECKPOINT, load_grit
from whetstone.models.grit.measure import GATES, Row, card, measure, passed
from whetstone.models.grit.train import Recipe
from whetstone.models.transformers import TransformersModel
from whetstone.worlds import ledger


@pytest.fixture(scope="module")
def grit() -> TransformersModel:
    return load_grit()


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [
        Row(**{**row, "interval": row["interval"] and tuple(row["interval"])})
        for row in json.loads((CHECKPOINT / "abilities.json").read_text())
    ]


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in CHECKPOINT.iterdir()) < 8_000_000


def test_its_recipe_and_log_lie_beside_it() -> None:
    recipe = Recipe(**json.loads((CHECKPOINT / "recipe.json").read_text()))
    log = [json.loads(line) for line in (CHECKPOINT / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == recipe.steps


def test_the_card_is_what_was_measured(grit: TransformersModel, rows: list[Row]) -> None:
    written = (CHECKPOINT / "card.md").read_text()
    recipe = json.loads((CHECKPOINT / "recipe.json").read_text())
    assert written == card(rows, {"fingerprint": grit.fingerprint, **recipe})
    for gate in GATES:
        if not passed(gate, rows)[0]:
            assert "**NO**" in written


def solve(question: str) -> Flow[str]:
    [reply] = yield from sample(user(form("solve", "", question=question)), sampling=GREEDY)
    return reply.text


def test_it_solves_easy_ledgers_with_right_steps(grit: TransformersModel) -> None:
    rng = Random(12)
    questions = [ledger.generate(rng, level) for level in (3, 4, 5) for _ in range(30)]
    done = drive({question: solve(question) for question in questions}, {"policy": grit})
    right = [q for q, text in done.results.items() if ledger.read_answer(text) == ledger.answer_of(q)]
    faithful = [q for q in right if ledger.first_error(q, done.results[q]) is None]
    assert len(right) >= 0.9 * len(questions)
    assert len(faithful) >= 0.95 * len(right)


def test_measuring_it_again_agrees_with_the_card(grit: TransformersModel, rows: list[Row]) -> None:
    again = {(r.role, r.what, r.levels): r for r in measure(grit, questions=4, seed=1)}
    assert set(again) == {(r.role, r.what, r.levels) for r in rows}
    for row in rows:
        other = again[row.role, row.what, row.levels]
        if row.levels == "2-8" and row.interval and other.interval:
            assert row.interval[0] <= other.interval[1], row
            assert other.interval[0] <= row.interval[1], row
