"""B-STaR's quantities: what a set of samples can find (exploration) and how well a reward picks it (exploitation).

`correct` [questions][K] and `rewards` [questions][K] belong to the same samples; a reward of None is never selected.
Source: "B-STaR: Monitoring and Balancing Exploration and Exploitation in Self-Taught Reasoners" and its code
(`determine_hyper.py`): n* = 8, selection above a threshold, best first, duplicates removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import proportion, wilson

N_STAR = 8


@dataclass(frozen=True, slots=True)
class Query:
    """One question: texts of its samples, which of them are right, and their rewards."""

    texts: tuple[str, ...]
    correct: tuple[bool, ...]
    rewards: tuple[float | None, ...]


def ranked(query: Query) -> list[tuple[int, float]]:
    """Position and reward of the rewarded samples, best first; ties go to the earlier sample."""
    rewarded = [(i, reward) for i, reward in enumerate(query.rewards) if reward is not None]
    return sorted(rewarded, key=lambda pair: -pair[1])


def selected(query: Query, threshold: float) -> list[int]:
    """Positions above the threshold, best first, each text once."""
    first: dict[str, int] = {}
    for i, reward in ranked(query):
        if reward > threshold:
            first.setdefault(query.texts[i], i)
    return list(first.values())


def balance_score(query: Query, threshold: float, *, n_star: int = N_STAR) -> float:
    """min(right / n*, 1) * (right / selected), both counted over different texts; 0 when nothing is selected."""
    chosen = selected(query, threshold)
    right = sum(query.correct[i] for i in chosen)
    return min(right / n_star, 1.0) * right / len(chosen) if chosen else 0.0


def balance(queries: Sequence[Query], threshold: float, *, n_star: int = N_STAR) -> Estimate:
    """Mean balance score over questions."""
    return proportion([balance_score(query, threshold, n_star=n_star) for query in queries])


def pass_at_k_s(queries: Sequence[Query], s: int = 1) -> Estimate:
    """Share of questions with at least `s` right samples (exploration; s = 1 is pass@K)."""
    return wilson(sum(sum(query.correct) >= s for query in queries), len(queries))


def reward_at_k_s(queries: Sequence[Query], s: int = 1) -> Estimate:
    """Share of questions whose `s` best samples by reward are all right (exploitation; s = 1 is best-of-K).

    Ties go to the earlier sample; a question with fewer than `s` rewarded samples counts as missed.
    """
    hits = 0
    for query in queries:
        order = ranked(query)
        hits += len(order) >= s and all(query.correct[i] for i, _ in order[:s])
    return wilson(hits, len(queries))
