"""Game ratings: prompts choose to separate, a king defends, a rebel attacks; redundant prompts and models move nothing.

Left out of the paper: its second solution concept (limiting logit equilibrium).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.ranking._separation_game import affinity_entropy, equilibrium, gains, similarity
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.score_table import ScoreTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GameRating:
    """Ratings of models and prompts by what choosing them would gain against the equilibrium.

    Attributes:
        ranking: of the models; scores are at most 0, and about 0 for those that the equilibrium plays.
        prompts: [n] of the prompts, on the same footing: about 0 for those that separate the best models.
        model_share: [k] chance that the king (or the rebel) is this model; clones share theirs evenly.
        prompt_share: [n] chance of each prompt.
        separation: mean |preference| between king and rebel in equilibrium.
        entropy: affinity entropy of the models' share.
        distinct: number of prompts and of models that differ from each other at all.
    """

    ranking: Ranking
    prompts: Floats
    model_share: Floats
    prompt_share: Floats
    separation: float
    entropy: float
    distinct: tuple[int, int]


@method(
    "ranking",
    papers=("Re-evaluating Open-ended Evaluation of Large Language Models",),
    checked="tests/ranking/test_game_rating.py::test_cloning_prompts_or_models_moves_elo_but_no_game_rating",
)
def game_rating(data: Comparisons | ScoreTable, *, bandwidth: float = 1.0) -> GameRating:
    """Rate models and prompts by the equilibrium of a game of three, which clones of either do not move.

    Args:
        data: comparisons whose `group` is the prompt; or scores, each task a prompt on which the higher score wins.
        bandwidth: distance of payoffs, as a root mean square, at which similarity has fallen to 1/e.

    Raises:
        TaskError: comparisons without prompts; an equilibrium that does not settle.
        ConfigError: a bandwidth that is not above 0.

    Source: "Re-evaluating Open-ended Evaluation of Large Language Models" (deviation payoffs under the coarse
    correlated equilibrium of greatest affinity entropy).
    """
    if not bandwidth > 0:
        raise ConfigError(f"bandwidth must be above 0, not {bandwidth}")
    preference, unknown = preferences(data)
    models, model_of = _distinct(preference.transpose(1, 0, 2))
    prompts, prompt_of = _distinct(preference)
    game = preference[np.ix_(prompts, models, models)]
    by_prompt = similarity(game, bandwidth=bandwidth)
    by_model = similarity(game.transpose(1, 0, 2), bandwidth=bandwidth)
    x = equilibrium(game, by_prompt, by_model)
    prompt_gain, model_gain = gains(game, x)
    kings = x.sum(axis=(0, 2))
    notes = [f"{unknown} of {preference[:, 0, 1:].size * len(preference[0]) // 2} pairs were not compared: ties"] * (
        unknown > 0
    )
    ranking = Ranking(
        "game_rating",
        data.names,
        model_gain[model_of],
        n=len(data) if isinstance(data, Comparisons) else data.scores.size - data.missing,
        settings={"bandwidth": bandwidth, "scale": "mean preference gained by deviating to the model"},
        notes=tuple(notes),
    )
    return GameRating(
        ranking,
        prompt_gain[prompt_of],
        (kings / np.bincount(model_of))[model_of],
        (x.sum(axis=(1, 2)) / np.bincount(prompt_of))[prompt_of],
        float((np.abs(game) * x).sum()),
        affinity_entropy(kings, by_model),
        game.shape[:2],
    )


def preferences(data: Comparisons | ScoreTable) -> tuple[Floats, int]:
    """[n, k, k] mean outcome for the row's model against the column's on each prompt, within [-1, 1]; 0 where they
    were not compared. And the number of pairs, over prompts, that were not.

    Raises TaskError for comparisons without groups.
    """
    k = len(data.names)
    if isinstance(data, ScoreTable):
        higher = data.scores.T[:, :, None] - data.scores.T[:, None, :]
        known = ~np.isnan(higher)
        mean = np.sign(np.where(known, higher, 0.0))
    else:
        if data.group is None:
            raise TaskError("game ratings need to know on which prompt two models were compared: fill the group column")
        n = int(data.group.max()) + 1
        total, weight = np.zeros((n, k, k)), np.zeros((n, k, k))
        each = np.ones(len(data)) if data.weight is None else data.weight
        np.add.at(total, (data.group, data.left, data.right), each * data.outcome)
        np.add.at(weight, (data.group, data.left, data.right), each)
        total, weight = total - total.transpose(0, 2, 1), weight + weight.transpose(0, 2, 1)
        known = weight > 0
        mean = np.divide(total, weight, out=np.zeros_like(total), where=known)
    return mean, int((~known[:, *np.triu_indices(k, 1)]).sum())


def _distinct(profiles: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the first of each set of equal profiles, and the set that each profile is of."""
    flat = np.round(profiles.reshape(len(profiles), -1), 9) + 0.0
    _, first, label = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[label.ravel()]
