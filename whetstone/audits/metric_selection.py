"""Which metric scores outputs as an expert does, and which model would it choose?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import finding
from whetstone.stats.correlation import spearman

Floats = NDArray[np.float64]


@method(
    "table",
    papers=("Automatic Personalized Impression Generation for PET Reports Using Large Language Models",),
    checked="tests/audits/test_metric_selection.py::test_the_planted_metric_wins_and_chooses_the_expert_s_model",
)
def metric_selection(
    metrics: Mapping[str, Sequence[float]],
    expert: Sequence[float],
    *,
    models: Sequence[str] = (),
    groups: Sequence[Hashable] | None = None,
    rounds: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Rank metrics by their rank correlation with an expert's scores; the best one chooses the model.

    Args:
        metrics: for each metric its scores of the outputs, higher being better.
        expert: the expert's scores of the same outputs.
        models: the model that wrote each output; empty leaves the choice of a model out.
        groups: cluster of each output, such as the case that it is about.
        rounds, seed: of the bootstrap.

    Returns:
        A finding for each metric, best first, with Spearman's rho against 0 and in its detail the share of resamples
        in which it was the best; then `regret`: the expert's mean of the model that the expert prefers minus that of
        the model that the best metric prefers (0: the same model), with both names in its verdict and detail.

    Raises ConfigError when lists differ in length.
    """
    truth = np.asarray(expert, dtype=np.float64)
    if not metrics or any(len(scores) != len(truth) for scores in metrics.values()):
        raise ConfigError(f"each metric needs {len(truth)} scores, one for each output")
    clusters = np.unique(np.array(groups), return_inverse=True)[1] if groups is not None else np.arange(len(truth))
    rhos = {name: spearman(scores, truth, groups=clusters, seed=seed) for name, scores in metrics.items()}
    wins = _best_shares(metrics, truth, clusters, rounds, seed)
    ordered = sorted(metrics, key=lambda name: 2.0 if (rho := rhos[name].value) is None else -rho)
    out = []
    for name in ordered:
        limits = rhos[name].interval
        follows = limits is not None and limits[0] > 0
        told = "follows the expert" if follows else "does not follow the expert, as far as seen"
        out.append(finding(name, rhos[name], verdict=told, best=wins[name]))
    if models:
        out.append(_regret(np.asarray(models), truth, np.asarray(metrics[ordered[0]], dtype=np.float64), ordered[0]))
    return out


def _best_shares(
    metrics: Mapping[str, Sequence[float]], truth: Floats, clusters: NDArray[np.intp], rounds: int, seed: int
) -> dict[str, float]:
    """In what share of resamples each metric correlates best."""
    table = np.stack([np.asarray(scores, dtype=np.float64) for scores in metrics.values()])
    members = [np.flatnonzero(clusters == unit) for unit in range(int(clusters.max()) + 1)]
    rng = np.random.default_rng(seed)
    wins = np.zeros(len(table))
    for _ in range(rounds):
        drawn = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        ranks = rankdata(np.vstack([table[:, drawn], truth[drawn]]), axis=1)
        ranks -= ranks.mean(axis=1, keepdims=True)
        size = np.sqrt((ranks**2).sum(axis=1))
        rho = np.divide(
            ranks[:-1] @ ranks[-1], size[:-1] * size[-1], out=np.full(len(table), -1.0), where=size[:-1] > 0
        )
        wins[rho.argmax()] += 1
    return dict(zip(metrics, (wins / rounds).tolist(), strict=True))


def _regret(models: NDArray[np.str_], truth: Floats, scores: Floats, metric: str) -> Finding:
    """What choosing a model by the metric costs, in the expert's points."""
    names = np.unique(models)
    chosen, best = (str(max(names, key=lambda m: float(of[models == m].mean()))) for of in (scores, truth))
    cost = float(truth[models == best].mean() - truth[models == chosen].mean())
    verdict = f"{metric} chooses {chosen}" + ("" if chosen == best else f", the expert {best}")
    return Finding("regret", cost, None, len(truth), 0.0, None, verdict, {"chosen": chosen, "expert": best})
