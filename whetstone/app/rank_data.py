"""What a file holds, in the form that a ranking method reads, and as counts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from whetstone.app.rank_files import Data, Kind, Table
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import Method
from whetstone.ranking.comparisons import Comparisons, Counts, Rankings, count
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.score_table import ScoreTable

DEFAULTS: dict[Kind, str] = {"battles": "bradley_terry", "rankings": "plackett_luce", "scores": "social_choice"}
WORDS = {Comparisons: "battles", Counts: "battles", Rankings: "rankings", ScoreTable: "scores"}


def converted(table: Table, method: Method, function: Callable[..., Any], given: Collection[str] = ()) -> Any:
    """The data in a form that the method reads; `given` are arguments that it is called with besides.

    Raises:
        ConfigError: it reads none, or gives no ranking.
    """
    accepted = reads(function, given)
    if not accepted:
        if method.name == "peer_review":
            raise ConfigError("peer_review needs --exam FILE, verdicts of the reviewers on pairs with labels")
        raise ConfigError(f"{method.name} does not rank a file; call it from Python, see whetstone show {method.name}")
    data = table.data
    choices: tuple[tuple[type, Callable[[], Any]], ...]
    if isinstance(data, Comparisons):
        choices = ((Comparisons, lambda: data), (Counts, lambda: count(data)))
    elif isinstance(data, Rankings):
        choices = (
            (Rankings, lambda: data),
            (ScoreTable, lambda: ScoreTable.from_rankings(data)),
            (Comparisons, data.pairs),
        )
    else:
        choices = (
            (ScoreTable, lambda: data),
            (Rankings, lambda: by_task(data)),
            (Comparisons, lambda: by_task(data).pairs()),
        )
    for kind, make in choices:
        if kind in accepted:
            return make()
    wanted = " or ".join(sorted({WORDS[kind] for kind in accepted}))
    raise ConfigError(f"{method.name} needs {wanted}, and the file holds {table.kind}; try {DEFAULTS[table.kind]}")


def reads(function: Callable[..., Any], given: Collection[str] = ()) -> set[type]:
    """What a ranking method takes as its only argument besides those given; empty where it takes more, or gives no
    ranking."""
    signature = inspect.signature(function, eval_str=True)
    positional = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY and p.name not in given]
    result = signature.return_annotation
    gives = result is Ranking or (is_dataclass(result) and get_type_hints(result).get("ranking") is Ranking)
    if len(positional) != 1 or not gives:
        return set()
    kind = positional[0].annotation
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return {one for one in kinds if isinstance(one, type) and one in WORDS}


def by_task(table: ScoreTable) -> Rankings:
    """Each task as a ranking of the systems that have a score there; equal scores are ties."""
    there = ~np.isnan(table.scores)
    rows = np.flatnonzero(there.sum(axis=0) > 1)
    if not rows.size:
        raise TaskError("no task has scores of two systems: there is nothing to rank")
    order = np.full((len(rows), len(table.names)), -1)
    tied = np.zeros(order.shape, dtype=bool)
    for row, task in enumerate(rows):
        column = table.scores[:, task]
        best = np.argsort(-column, kind="stable")[: there[:, task].sum()]
        order[row, : len(best)] = best
        tied[row, 1 : len(best)] = column[best[1:]] == column[best[:-1]]
    return Rankings(table.names, order, tied)


def tallied(data: Data) -> Counts:
    """Who beat whom; on scores, on how many tasks (by weight)."""
    if isinstance(data, Comparisons):
        return count(data)
    if isinstance(data, Rankings):
        return count(data.pairs())
    k = len(data.names)
    wins, ties = np.zeros((k, k)), np.zeros((k, k))
    for i, own in enumerate(data.scores):
        wins[i] = (own > data.scores) @ data.weight
        ties[i] = (own == data.scores) @ data.weight
    np.fill_diagonal(ties, 0)
    return Counts(data.names, wins, ties, wins, ties, data.scores.size - data.missing)


def played(data: Data) -> NDArray[np.intp]:
    """[k] rows that each system is part of."""
    k = len(data.names)
    if isinstance(data, Comparisons):
        used = slice(None) if data.weight is None else data.weight > 0
        return np.bincount(data.left[used], minlength=k) + np.bincount(data.right[used], minlength=k)
    if isinstance(data, Rankings):
        return np.bincount(data.order[data.order >= 0], minlength=k)
    return np.asarray((~np.isnan(data.scores)).sum(axis=1))
