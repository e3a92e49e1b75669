"""Does picking one right answer out of many wrong ones foretell what a reward is worth?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whetstone.audits.one_vs_many import binomial_p
from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import HypothesisTest, finding, proportion
from whetstone.stats.correlation import spearman

Floats = NDArray[np.float64]


@method(
    "table",
    papers=("Evaluating Robustness of Reward Models for Mathematical Reasoning",),
    checked="tests/audits/test_reward_robustness.py::test_accuracy_on_sets_foretells_best_of_n_of_planted_rewards",
)
def reward_robustness(
    rewards: Mapping[str, tuple[ArrayLike, ArrayLike]],
    correct: ArrayLike,
    *,
    budgets: Sequence[int] = (1, 4, 16),
    groups: Sequence[str] = (),
) -> list[Finding]:
    """Accuracy of rewards on one-right-many-wrong sets, their best-of-N accuracy, and whether the two go together.

    Args:
        rewards: for each reward its scores [sets, answers], the right answer's first, and its scores [questions, N] of
            a policy's samples.
        correct: [questions, N] whether each sample is right.
        budgets: numbers of samples to choose from, the first ones of each question.
        groups: cluster of each question.

    Returns:
        For each reward `first_place REWARD` (strictly highest right answer, against a random order),
        `reciprocal_rank REWARD`, `best of K REWARD` for each budget (ties share), and `over_optimisation REWARD`: the
        best accuracy over the budgets minus that at the largest. Then `link`: Spearman's rho over the rewards between
        first places and best-of-N accuracy at the largest budget, with its interval where there are enough rewards.

    Raises ConfigError when shapes do not match.
    """
    right = np.asarray(correct, dtype=np.float64)
    where = list(groups) or [str(i) for i in range(len(right))]
    found, firsts, chosen = [], [], []
    for name, given in rewards.items():
        table, drawn = (np.asarray(part, dtype=np.float64) for part in given)
        if table.ndim != 2 or table.shape[1] < 2 or drawn.shape != right.shape or max(budgets) > right.shape[1]:
            raise ConfigError(f"{name}: sets {table.shape}, samples {drawn.shape}, labels {right.shape}")
        rank = 1 + (table[:, 1:] >= table[:, :1]).sum(axis=1)
        rate, null = proportion((rank == 1).astype(float)), 1 / table.shape[1]
        test = HypothesisTest(rate, binomial_p(int((rank == 1).sum()), len(rank), null), null, "exact binomial")
        better = test.p is not None and test.p < 0.05 and (rate.value or 0.0) > null
        told = "finds the right answer more often than chance" if better else "no better than a random order"
        found.append(finding(f"first_place {name}", test, verdict=told))
        found.append(finding(f"reciprocal_rank {name}", proportion(1 / rank)))
        accuracy = [best_of(drawn[:, :k], right[:, :k]) for k in budgets]
        for k, values in zip(budgets, accuracy, strict=True):
            found.append(finding(f"best of {k} {name}", proportion(values, groups=where)))
        means = [float(values.mean()) for values in accuracy]
        lost = max(means) - means[-1]
        peak = f"best at {budgets[int(np.argmax(means))]} samples"
        found.append(Finding(f"over_optimisation {name}", lost, None, len(right), 0.0, None, peak))
        firsts.append(rate.value or 0.0)
        chosen.append(means[-1])
    link = spearman(firsts, chosen)
    told = "robust rewards choose better" if link.interval and link.interval[0] > 0 else "no link shown"
    return [*found, finding("link", link, verdict=told, rewards=len(firsts))]


def best_of(scores: Floats, right: Floats) -> Floats:
    """Accuracy [questions] of the highest-scored sample; samples that share the highest score share the choice."""
    best = scores == scores.max(axis=1, keepdims=True)
    return np.asarray((best * right).sum(axis=1) / best.sum(axis=1))
