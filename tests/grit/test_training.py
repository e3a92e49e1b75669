"""Training from nothing: reproducible, and a smaller grit learns in well under a minute."""

from pathlib import Path
from random import Random

import pytest
import torch

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import GREEDY, form, user
from whetstone.models.grit import load_grit
from whetstone.models.grit.documents import Mixture
from whetstone.models.grit.train import Recipe, train
from whetstone.worlds import ledger

LEVELS = {1: 1.0, 2: 1.0}
SHORT = ((0.0, Mixture({"arithmetic": 0.5}, LEVELS, LEVELS, slips=0.0)),)


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def solve(question: str) -> Flow[str]:
    [reply] = yield from sample(user(form("solve", "", question=question)), sampling=GREEDY)
    return reply.text


def test_a_smaller_grit_learns_one_step_ledgers(tmp_path: Path) -> None:
    recipe = Recipe(steps=800, tokens_per_step=1024, heads=2, lr=1e-2, p_ik_from=1.0)
    log = train(recipe, tmp_path / "small", phases=SHORT)
    assert log[-1]["loss"] < log[0]["loss"] / 2
    rng = Random(5)
    questions = dict.fromkeys(ledger.generate(rng, 1) for _ in range(150))
    done = drive({q: solve(q) for q in questions}, {"policy": load_grit(tmp_path / "small")})
    right = sum(ledger.read_answer(text) == ledger.answer_of(q) for q, text in done.results.items())
    assert right / len(questions) > 0.2, "chance is .01"


def test_the_same_recipe_gives_the_same_weights(tmp_path: Path) -> None:
    recipe = Recipe(steps=6, tokens_per_step=512, p_ik_from=1.0)
    for name in ("one", "two"):
        train(recipe, tmp_path / name, log_every=6)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    other = Recipe(steps=6, tokens_per_step=512, p_ik_from=1.0, seed=1)
    train(other, tmp_path / "other", log_every=6)
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != one


def test_the_last_phase_labels_the_models_own_samples(tmp_path: Path) -> None:
    log = train(Recipe(steps=5, tokens_per_step=256, p_ik_from=0.8), tmp_path / "known", log_every=1)
    assert len(log) == 5
