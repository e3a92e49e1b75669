"""One knockout an item between the systems' outputs; all results together give the ranking."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.registry import method
from whetstone.ranking.bradley_terry import Ties, bradley_terry
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.schedules.schedule import Judge, play
from whetstone.ranking.schedules.single_elimination import single_elimination


@method(
    "ranking",
    papers=("Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models",),
    checked="tests/ranking/test_tournament.py::test_finds_the_planted_order_with_one_match_less_than_systems_an_item",
)
def tournament(
    names: Sequence[str], judge: Judge, *, items: int = 100, ties: Ties = "half", level: float = 0.95, seed: int = 0
) -> Ranking:
    """Bradley-Terry strengths from a knockout on each item: fewer matches than systems an item, and no references.

    Args:
        names: the systems.
        judge: maps matches (codes of the systems in the order shown, number of the item) to the places [m, 2] of the
            two; all matches of a call may be judged side by side.
        items: number of items; each takes one match less than there are systems.
        ties, level: as in `bradley_terry`.
        seed: of the brackets, drawn anew for every item, and of the order in which systems are shown.

    Returns:
        As `bradley_terry`, with items as clusters; on a single item, matches count as independent (with a note). The
        strong play more matches than the weak, so that the top of the ranking is known best.

    Raises:
        ConfigError: fewer than two systems or one item.

    Source: "Varco Arena" (2024).
    """
    played = play(single_elimination(len(names), items=items, seed=seed), judge)
    return bradley_terry(played.comparisons(names), ties=ties, level=level, seed=seed)
