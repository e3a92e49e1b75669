"""Game ratings: what the equilibrium is, and that redundancy does not move it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking._separation_game import affinity_entropy, equilibrium, gains, similarity
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.elo import elo
from whetstone.ranking.game_rating import game_rating, preferences
from whetstone.ranking.score_table import ScoreTable

Floats = NDArray[np.float64]


def arena(prompts: int = 8, models: int = 5, seed: int = 3) -> Floats:
    """[n, k, k] outcomes of models that are each good at something else."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=models) + 0.9 * rng.normal(size=(prompts, models))
    gap = quality[:, :, None] - quality[:, None, :]
    return np.sign(np.where(np.abs(gap) < 0.3, 0.0, gap))


def battles(outcome: Floats, names: tuple[str, ...] | None = None) -> Comparisons:
    """Every pair of models on every prompt once."""
    n, k, _ = outcome.shape
    prompt, left, right = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(k), np.arange(k), indexing="ij"))
    keep = left < right
    prompt, left, right = prompt[keep], left[keep], right[keep]
    names = names or tuple(f"m{i}" for i in range(k))
    return Comparisons(names, left, right, outcome[prompt, left, right].astype(np.int8), group=prompt)


def clone_prompt(outcome: Floats, prompt: int, copies: int) -> Floats:
    return np.concatenate([outcome, np.repeat(outcome[[prompt]], copies, axis=0)])


def clone_model(outcome: Floats, model: int, copies: int) -> Floats:
    who = np.append(np.arange(outcome.shape[1]), np.full(copies, model))
    return outcome[:, who][:, :, who]


def test_cloning_prompts_or_models_moves_elo_but_no_game_rating() -> None:
    outcome = arena()
    k = outcome.shape[1]
    plain = game_rating(battles(outcome))
    strengths = bradley_terry(battles(outcome)).scores
    played = elo(battles(outcome)).scores
    for changed, prompts in ((clone_prompt(outcome, 2, 20), True), (clone_model(outcome, 1, 6), False)):
        cloned = game_rating(battles(changed))
        np.testing.assert_allclose(cloned.ranking.scores[:k], plain.ranking.scores, atol=1e-9)
        np.testing.assert_allclose(cloned.prompts[: len(outcome)], plain.prompts, atol=1e-9)
        assert cloned.distinct == plain.distinct
        if prompts:
            assert np.ptp(cloned.prompts[[2, *range(len(outcome), len(changed))]]) == 0
            share = cloned.prompt_share
            assert share[2] + share[len(outcome) :].sum() == pytest.approx(plain.prompt_share[2], abs=1e-9)
        else:
            assert np.ptp(cloned.ranking.scores[[1, *range(k, k + 6)]]) == 0
        for before, after in (
            (strengths, bradley_terry(battles(changed)).scores[:k]),
            (played, elo(battles(changed)).scores[:k]),
        ):
            moved = (after - after.mean()) - (before - before.mean())
            assert np.abs(moved).max() > 0.05 * np.ptp(before)


def solve(outcome: Floats, by_prompt: Floats, by_model: Floats) -> tuple[Floats, Floats]:
    return gains(outcome, equilibrium(outcome, by_prompt, by_model))


def test_affinity_picks_the_same_equilibrium_with_clones_in_the_game_and_plain_entropy_does_not() -> None:
    outcome = arena(5, 4, seed=1)
    by_prompt, by_model = similarity(outcome), similarity(outcome.transpose(1, 0, 2))
    copies = np.array([0, 1, 2, 3, 4, 1, 1, 1, 1, 1, 1])
    models = np.array([0, 1, 2, 3, 2, 2])
    cloned = outcome[copies][:, models][:, :, models]
    plain = solve(outcome, by_prompt, by_model)
    kept = solve(cloned, by_prompt[np.ix_(copies, copies)], by_model[np.ix_(models, models)])
    np.testing.assert_allclose(kept[0], plain[0][copies], atol=1e-5)
    np.testing.assert_allclose(kept[1], plain[1][models], atol=1e-5)

    tsallis = solve(outcome, np.eye(5), np.eye(4))
    swayed = solve(cloned, np.eye(len(copies)), np.eye(len(models)))
    assert np.abs(swayed[1] - tsallis[1][models]).max() > 0.01


def test_nobody_gains_by_leaving_and_no_even_mixture_of_equilibria_is_more_even() -> None:
    outcome = arena(10, 5)
    by_prompt, by_model = similarity(outcome), similarity(outcome.transpose(1, 0, 2))
    x = equilibrium(outcome, by_prompt, by_model)
    assert x.min() >= 0
    assert x.sum() == pytest.approx(1)
    np.testing.assert_allclose(x, x.transpose(0, 2, 1), atol=1e-9)
    assert max(gain.max() for gain in gains(outcome, x)) < 1e-6

    def spread(y: Floats) -> float:
        flat = np.einsum("pq,ac,bd,qcd->pab", by_prompt, by_model, by_model, y)
        return float((flat * y).sum())

    other = equilibrium(outcome, np.eye(10), np.eye(5))
    assert spread(x) <= spread(other) + 1e-9
    assert all(spread(x) <= spread((1 - t) * x + t * other) + 1e-9 for t in (0.01, 0.1, 0.5))


def test_rock_paper_scissors_is_a_tie_and_a_better_model_is_first() -> None:
    cycle = np.array([[[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]]])
    found = game_rating(battles(cycle))
    np.testing.assert_allclose(found.ranking.scores, 0, atol=1e-9)
    np.testing.assert_allclose(found.model_share, 1 / 3, atol=1e-6)
    ladder = np.sign(np.arange(4)[None, :] - np.arange(4)[:, None])[None].repeat(3, axis=0).astype(float)
    found = game_rating(battles(ladder))
    assert np.argmax(found.ranking.scores) == 0
    assert found.ranking.scores[0] == pytest.approx(0, abs=1e-6)
    assert found.distinct == (1, 4)


def test_a_prompt_on_which_all_tie_is_worth_less_than_one_that_separates() -> None:
    outcome = arena(6, 4)
    outcome[2] = 0
    found = game_rating(battles(outcome))
    assert np.argmin(found.prompts) == 2
    assert found.prompts[2] == pytest.approx(-found.separation)


def test_tables_of_scores_and_comparisons_say_the_same_and_gaps_are_counted() -> None:
    scores = np.array([[3.0, 1, 2], [2, 2, 1], [1, 3, np.nan]])
    table = ScoreTable(("a", "b", "c"), ("x", "y", "z"), scores)
    preference, unknown = preferences(table)
    assert unknown == 2
    np.testing.assert_allclose(preference, -preference.transpose(0, 2, 1))
    rows = battles(preference, table.names)
    np.testing.assert_allclose(preferences(rows)[0], preference)
    assert game_rating(table).ranking.notes == ("2 of 9 pairs were not compared: ties",)


def test_affinity_entropy_does_not_count_splitting_among_clones() -> None:
    kernel = similarity(np.array([[0.0], [1.0], [1.0]]))
    for order in (0.5, 1.0, 2.0):
        one, split = np.array([0.5, 0.5, 0]), np.array([0.5, 0.2, 0.3])
        assert affinity_entropy(one, kernel, order=order) == pytest.approx(affinity_entropy(split, kernel, order=order))
        assert affinity_entropy(split, np.eye(3), order=order) > affinity_entropy(one, np.eye(3), order=order)


def test_mistakes_are_named() -> None:
    rows = battles(arena())
    with pytest.raises(TaskError, match="group"):
        game_rating(Comparisons(rows.names, rows.left, rows.right, rows.outcome))
    with pytest.raises(ConfigError, match="bandwidth"):
        game_rating(rows, bandwidth=0)
