"""Human and judge votes in one model: judges misread, how often is learned where humans voted too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._covariance import robust
from whetstone.ranking._davidson import Codes, Rows, rows_of
from whetstone.ranking._favourites import favourites
from whetstone.ranking._misread import Misread
from whetstone.ranking._newton import Floats, inverse, maximise
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import ranked
from whetstone.ranking._votes import Items, items_of
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
    votes, item = _votes(comparisons, items, judges, smoothing)
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
        notes=(*grounds.notes, *favourites(votes, tables, comparisons.names, named, level=level)),
        part=grounds.part,
    )


def _votes(
    comparisons: Comparisons, items: Items, judges: tuple[int, ...], smoothing: float
) -> tuple[Misread, NDArray[np.int64]]:
    """Rows of human votes, of judge votes on unseen items, and of pairs of votes; and the item of each row.

    A judge's vote on an item with several human votes stands once for each, and all of these weigh as one vote.
    """
    rows = rows_of(comparisons)
    shown = np.ones(len(comparisons)) if comparisons.left_first is None else np.where(comparisons.left_first, 1.0, -1.0)
    truths, outcomes = (
        tuple(o for o in (1, 0, -1) if o or (comparisons.outcome[part] == 0).any())
        for part in (items.by_human, slice(None))
    )
    towards_low = items.sign * comparisons.outcome
    humans, machines = np.flatnonzero(items.by_human), np.flatnonzero(~items.by_human)
    by_item = np.argsort(items.item[humans], kind="stable")
    first = np.searchsorted(items.item[humans][by_item], items.item[machines])
    number = np.bincount(items.item[humans], minlength=len(items.left))[items.item[machines]]
    seen = np.repeat(machines, number)
    within = np.arange(len(seen)) - np.repeat(np.cumsum(number) - number, number)
    partner = humans[by_item[np.repeat(first, number) + within]]
    blind = machines[number == 0]
    vote = np.concatenate([humans, blind, seen])
    said = np.concatenate([humans, np.full(len(blind), -1), partner])
    flip = shown[vote] < 0
    heard = np.where(said >= 0, towards_low[said] * items.sign[vote] * shown[vote], 0)
    weight = rows.weight[vote].copy()
    weight[len(humans) + len(blind) :] /= np.repeat(number, number)
    code = np.full(len(comparisons.judges), -1)
    code[list(judges)] = np.arange(len(judges))
    judge = code[np.asarray(comparisons.judge)[vote]]
    return (
        Misread(
            rows=_shown(rows.k, rows.left[vote], rows.right[vote], flip, weight),
            truths=truths,
            outcomes=outcomes,
            said=np.where(said >= 0, _index(truths)[heard.astype(np.int64)], -1),
            judge=judge,
            voted=np.where(judge >= 0, _index(outcomes)[(comparisons.outcome[vote] * shown[vote]).astype(np.int64)], 0),
            judges=len(judges),
            smoothing=smoothing,
        ),
        items.item[vote],
    )


def _shown(k: int, left: Codes, right: Codes, flip: NDArray[np.bool_], weight: Floats) -> Rows:
    nothing = np.zeros(len(left))
    return Rows(k, np.where(flip, right, left), np.where(flip, left, right), nothing, nothing, weight)


def _index(outcomes: tuple[int, ...]) -> Codes:
    """[3] position in `outcomes` of the outcomes 0, 1 and -1."""
    return np.asarray([outcomes.index(o) if o in outcomes else -1 for o in (0, 1, -1)])
