"""Peer-reviewed forecasts: models forecast and grade each other; better graded forecasts count for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.ranking.grades import Grades, weighted_mean
from whetstone.ranking.ranking import Ranking
from whetstone.stats.estimate import Estimate
from whetstone.stats.raters import intraclass_correlation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PeerForecast:
    """Forecasts of several models put together by what their peers think of them.

    Attributes:
        ranking: of the models by their grades.
        forecast: [questions] weighted mean; `plain` the unweighted one, `spread` the weighted standard deviation.
        weights: [models] sum to 1.
        criteria: [tasks] weight of each criterion in a model's grade; they sum to 1.
        reliability: how far single graders agree on the models, and how reliable their mean is, over the mean of the
            criteria and with the grades models give themselves: ICC(2,1) and ICC(2,k), or ICC(1,.) where grades lack.
        by_criterion: the single grader's ICC on each criterion.
        fit: correlation of the grades with the external scores that `criteria` were fitted to; None without them.
    """

    ranking: Ranking
    forecast: Floats
    plain: Floats
    spread: Floats
    weights: Floats
    criteria: Floats
    reliability: tuple[Estimate, Estimate]
    by_criterion: Mapping[str, Estimate]
    fit: float | None


@method(
    "ranking",
    papers=(
        "AI Predicts AGI: Leveraging AGI Forecasting and Peer Review to Explore LLMs' Complex Reasoning Capabilities",
    ),
    checked="tests/ranking/test_peer_forecast.py::test_known_reliability_and_planted_order_are_found",
)
def peer_forecast(
    grades: Grades,
    forecasts: Floats,
    *,
    external: Mapping[str, float] | None = None,
    sharpness: float = 1.0,
    own: bool = False,
) -> PeerForecast:
    """Combine forecasts by peer grades, with the graders' reliability and a ranking of the models.

    Args:
        grades: of the models (names) by the models (judges) on criteria (tasks); not negative.
        forecasts: [models] or [models, questions], in the order of `grades.names`.
        external: a known score of some models (a benchmark): the criteria's weights, not negative, are fitted to it by
            least squares; None: every criterion counts as much.
        sharpness: a model's weight is its grade to this power; 0 gives the plain mean.
        own: count the grades that models give themselves.

    Raises:
        ConfigError: an option that makes no sense, an external score of a model that is not there.
        TaskError: forecasts that do not fit the grades, negative grades.

    Source: "AI Predicts AGI: Leveraging AGI Forecasting and Peer Review to Explore LLMs' Complex Reasoning
    Capabilities".
    """
    table = np.asarray(forecasts, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if len(table) != len(grades.names) or not np.isfinite(table).all():
        raise TaskError(f"forecasts must be one finite row for each of the {len(grades.names)} graded models")
    if np.nanmin(grades.scores) < 0:
        raise TaskError("grades must not be negative: shift the scale")
    if sharpness < 0:
        raise ConfigError(f"sharpness must be 0 or more, not {sharpness}")
    heard = grades if own else grades.of_others()
    means = weighted_mean(heard.scores, np.ones(len(heard.judges)))
    if np.isnan(means).any():
        name = grades.names[int(np.argmax(np.isnan(means).any(axis=1)))]
        raise TaskError(f"{name!r} lacks a grade by another model on some criterion")
    criteria, fit = _criteria(means, grades.names, external)
    quality = means @ criteria
    weights = quality**sharpness / (quality**sharpness).sum()
    forecast: Floats = weights @ table
    agreed = [_reliability(grades.scores.mean(axis=2), mean_of_raters=mean) for mean in (False, True)]
    return PeerForecast(
        Ranking(
            "peer_forecast",
            grades.names,
            quality,
            n=int((~np.isnan(heard.scores)).sum()),
            settings={"own": own, "sharpness": sharpness, "scale": "mean grade by the others"},
        ),
        forecast,
        table.mean(axis=0),
        np.sqrt(weights @ (table - forecast) ** 2),
        weights,
        criteria,
        (agreed[0], agreed[1]),
        {task: _reliability(grades.scores[:, :, t]) for t, task in enumerate(grades.tasks)},
        fit,
    )


def _criteria(
    means: Floats, names: tuple[str, ...], external: Mapping[str, float] | None
) -> tuple[Floats, float | None]:
    """Weights of the criteria, and the correlation with the external scores."""
    if external is None:
        return np.full(means.shape[1], 1 / means.shape[1]), None
    strangers = set(external) - set(names)
    if strangers:
        raise ConfigError(f"external names {sorted(strangers)[0]!r}, which is not graded")
    known = [i for i, name in enumerate(names) if name in external]
    target = np.array([external[names[i]] for i in known])
    if len(known) < 3 or np.ptp(target) == 0:
        raise ConfigError("external needs scores of three models or more that are not all equal")
    grades = means[known] - means[known].mean(axis=0)
    raw, _ = scipy.optimize.nnls(grades, target - target.mean())
    if not raw.any():
        raise TaskError("no criterion rises with the external scores: grades say nothing about them")
    weights = raw / raw.sum()
    return weights, float(np.corrcoef(means[known] @ weights, target)[0, 1])


def _reliability(ratings: Floats, *, mean_of_raters: bool = False) -> Estimate:
    """Of ratings [judges, models]: raters a sample where all rated all, else each model with raters of its own."""
    whole = not np.isnan(ratings).any()
    return intraclass_correlation(
        ratings.T, model="two-way random" if whole else "one-way", mean_of_raters=mean_of_raters
    )
