"""Is a score trained on ratings and kinds of error closer to people than existing metrics are?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.evaluating import finite
from whetstone.audits.mismatch_errors import KINDS
from whetstone.audits.mismatch_model import Rated, planted, train_mismatch
from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats.correlation import spearman
from whetstone.stats.correlation_difference import correlation_difference
from whetstone.stats.discrimination import auroc_test
from whetstone.stats.estimate import finding
from whetstone.stats.network import folds
from whetstone.stats.text_metrics import METRICS

ARMS: dict[str, dict[str, Any]] = {
    "trained": {},
    "trained without error types": {"auxiliary": 0.0},
    "trained without metrics": {"metrics": False},
}


@method(
    "table",
    papers=("MISMATCH: Fine-grained Evaluation of Machine-generated Text with Mismatch Error Types",),
    checked="tests/audits/test_mismatch.py::test_beats_existing_metrics_where_people_weigh_errors_by_kind",
)
def mismatch(
    rows: Sequence[Mapping[str, Any]],
    *,
    parts: int = 5,
    synthetic: int = 13,
    auxiliary: float = 1.0,
    hidden: int = 16,
    rounds: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Train a score of text pairs on ratings with 13 kinds of error as side task, and test it on pairs held out.

    Args:
        rows: `output`, `reference` and `rating`; may have `errors` (a list of kinds) and `group` (what pairs must stay
            on one side of the split; by default the reference).
        parts: folds of cross-validation.
        synthetic, auxiliary, hidden: as in `train_mismatch`.
        rounds: resamples of the differences.
        seed: of folds, made errors and weights.

    Returns:
        `spearman/...` with the ratings: of the trained score, of it without the side task, of it without metrics as
        features, and of each existing metric; `gain over ...`: the trained score's correlation minus that of the two
        ablations and of the best existing metric, against 0; `auroc/KIND`: how well each predicted kind of error tells
        made texts with it from made texts without, against 1/2, references held out.

    Raises TaskError that names the row, for a missing or unknown field, or fewer groups than parts.
    """
    rated = [rated_of(row, i) for i, row in enumerate(rows, 1)]
    groups, truth = [row.group for row in rated], np.array([row.rating for row in rated], dtype=float)
    if len(set(groups)) < parts:
        raise TaskError(f"{len(set(groups))} groups cannot be cut into {parts} parts; give more rows or fewer parts")
    order = sorted(set(groups))
    Random(seed).shuffle(order)
    fold = dict(zip(order, folds(order, parts).tolist(), strict=True))
    where = np.array([fold[group] for group in groups])
    pairs = [(row.text, row.reference) for row in rated]
    scores: dict[str, NDArray[np.float64]] = {name: np.zeros(len(rated)) for name in ARMS}
    told: list[tuple[Rated, dict[str, float]]] = []
    for part in range(parts):
        train, test = [rated[i] for i in np.flatnonzero(where != part)], np.flatnonzero(where == part)
        for name, arm in ARMS.items():
            fitted = train_mismatch(
                train, **{"synthetic": synthetic, "auxiliary": auxiliary, "hidden": hidden, "seed": seed, **arm}
            )
            scores[name][test] = fitted.score([pairs[i] for i in test])
            if name == "trained":
                made = planted([rated[i].reference for i in test], synthetic, seed + 1)
                told += zip(made, fitted.errors([(row.text, row.reference) for row in made]), strict=True)
    for name, metric in METRICS.items():
        scores[name] = np.array([metric(*pair) for pair in pairs])
    rhos = {name: spearman(values, truth, groups=groups, seed=seed) for name, values in scores.items()}
    best = max(METRICS, key=lambda name: -2.0 if (value := rhos[name].value) is None else value)
    found = [finding(f"spearman/{name}", rho) for name, rho in rhos.items()]
    for name in (*list(ARMS)[1:], best):
        test_ = correlation_difference(scores["trained"], scores[name], truth, groups=groups, rounds=rounds, seed=seed)
        clear = test_.effect.interval is not None and test_.effect.interval[0] > 0
        said = "follows people more closely" if clear else "not closer to people, as far as seen"
        found.append(finding(f"gain over {name}", test_, verdict=said))
    for kind in KINDS:
        marks = [float(kind in (row.errors or ())) for row, _ in told]
        test_ = auroc_test([said[kind] for _, said in told], marks, groups=[row.group for row, _ in told])
        found.append(finding(f"auroc/{kind}", test_, with_it=int(sum(marks))))
    return found


def rated_of(row: Mapping[str, Any], line: int) -> Rated:
    """A rated pair from a row. Raises TaskError that names the row."""
    texts = [row.get(name) for name in ("output", "reference")]
    rating, errors = row.get("rating"), row.get("errors")
    if not all(isinstance(text, str) for text in texts) or isinstance(rating, bool):
        raise TaskError(f"row {line}: needs output and reference, two texts, and rating, a number")
    if not isinstance(rating, (int, float)):
        raise TaskError(f"row {line}: rating is {rating!r}; it must be a number")
    if errors is not None and (isinstance(errors, str) or not isinstance(errors, Collection)):
        raise TaskError(f"row {line}: errors is {errors!r}; it must be a list of kinds")
    if unknown := [kind for kind in errors or () if kind not in KINDS]:
        raise TaskError(f"row {line}: unknown error {unknown[0]!r}; known: {', '.join(KINDS)}")
    text, reference = map(str, texts)
    given = None if errors is None else frozenset(errors)
    rating = finite(rating, f"row {line}: rating")
    return Rated(text, reference, rating, given, str(row.get("group") or reference))
