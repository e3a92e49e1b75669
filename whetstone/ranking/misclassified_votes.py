"""Human and judge votes in one model: judges misread, how often is learned where humans voted too."""

from __future__ import annotations

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._covariance import robust
from whetstone.ranking._favourites import favourites
from whetstone.ranking._newton import inverse, maximise
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking._votes import items_of, misread
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking


@method(
    "ranking", checked="tests/ranking/test_misclassified_votes.py::test_covers_what_humans_think_and_finds_confusions"
)
def misclassified_votes(
    comparisons: Comparisons,
    *,
    human: str = "human",
    smoothing: float = 0.5,
    prior: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Davidson strengths of human votes from human and judge votes, with each judge's confusion matrix.

    Args:
        comparisons: votes with judge and group; `left_first` says which was shown first. Votes on the same pair in the
            same group are about the same item.
        human: name of the human judge, or what the names of all humans begin with.
        smoothing: votes added to each cell of each confusion matrix.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0; None: none where all
            votes together identify the strengths, else 1.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log-odds [k] of human votes with mean 0 and a sandwich covariance, clustered by group. `settings["confusions"]`
        holds for each judge the chances of its votes (1 for the first shown, 0, -1) given a human's.
        Narrower than `prediction_powered` where a judge's vote depends on the human's vote and the order shown alone.
        Where it depends on the systems too (a favourite, or a judge that is steadier than one human), the strengths
        are biased: the notes say so where the votes show it, and that method is the one to use.

    Raises:
        TaskError: votes that cannot be matched.
        ConfigError: `smoothing` is not above 0.

    Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm" (1979), with
    Davidson's model of the true votes and humans as truth.
    """
    if not smoothing > 0:
        raise ConfigError(f"smoothing must be above 0, not {smoothing}")
    items = items_of(comparisons, human)
    grounds = grounds_of(count(comparisons), prior)
    judges = tuple(np.unique(np.asarray(comparisons.judge)[~items.by_human]).tolist())
    votes, item = misread(comparisons, items, judges, smoothing)
    k = len(comparisons.names)
    fit = maximise(lambda theta: votes.derivatives(theta, grounds), votes.start, grounds.free)
    bread = inverse(fit.information, k, grounds.free)
    scores = votes.scores(fit.parameters)
    spread = robust(bread, scores, votes.rows.weight, items.group[item], trusted=grounds.robust)
    tables = votes.confusions(fit.parameters)
    named = tuple(comparisons.judges[code] for code in judges)
    confusions: dict[str, Json] = {name: table.tolist() for name, table in zip(named, tables, strict=True)}
    return ranked(
        "misclassified_votes",
        comparisons.names,
        fit.parameters[:k] - fit.parameters[:k].mean(),
        spread,
        n=len(comparisons),
        level=level,
        seed=seed,
        settings={
            "scale": "natural log-odds of human votes",
            "human votes": list(votes.truths),
            "judge votes": list(votes.outcomes),
            "confusions": confusions,
            "prior": grounds.weight,
        },
        notes=(
            *left_out(comparisons),
            *grounds.notes,
            *favourites(votes, tables, comparisons.names, named, level=level),
        ),
        part=grounds.part,
    )
