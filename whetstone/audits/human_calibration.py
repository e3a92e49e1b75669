"""What does a small set of people's labels do for a judge that leans on place and length?"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.audits.evaluating import in_words, rise
from whetstone.audits.recorded import Verdicts
from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import finding, proportion

Floats = NDArray[np.float64]
LEAST = 20  # labelled rows from which three weights can be learned


@method(
    "table",
    checked="tests/audits/test_human_calibration.py::test_takes_out_planted_biases_and_costs_a_fair_judge_nothing",
)
def human_calibration(verdicts: Verdicts, *, folds: int = 5, ridge: float = 1.0, seed: int = 0) -> list[Finding]:
    """Accuracy and Brier score of verdicts calibrated on people's labels, against the verdicts as they are.

    Args:
        verdicts: rows with `gold`, as shown; with `lengths` the calibration takes out length too.
        folds: parts of the prompts; each is judged by weights learned on the others, so nothing is tested on itself.
        ridge: pull of the weights to 0.
        seed: of the parts.

    Returns:
        `accuracy` and `accuracy calibrated` (ties 1/2), `gain` between them; `brier`, `brier calibrated` and
        `brier change` of the probability that the answer shown first is better; `first place` and, with lengths,
        `longer`: the learned weights (log-odds; of place for the answer shown first, and of the log-ratio of lengths),
        which a judge without bias has at 0.

    P(first is better) is logistic in the judge's share, a constant and the log-ratio of lengths. Rows that people call
    even, and unreadable verdicts, are left out and counted.

    Raises ConfigError for fewer than 20 usable rows or prompts than folds.
    """
    gold = np.full(len(verdicts.chosen), np.nan) if verdicts.gold is None else verdicts.gold
    used = np.isin(gold, (0.0, 1.0)) & ~np.isnan(verdicts.chosen)
    names, group = np.unique(verdicts.groups[used], return_inverse=True)
    if used.sum() < LEAST or len(names) < folds:
        raise ConfigError(f"{int(used.sum())} labelled verdicts on {len(names)} prompts: too few to calibrate on")
    said, truth = verdicts.chosen[used], gold[used]
    columns = [2 * said - 1, np.ones(len(said))]
    if verdicts.lengths is not None:
        columns.append(np.diff(np.log1p(verdicts.lengths[used][:, ::-1]), axis=1)[:, 0])
    x = np.column_stack(columns)
    part = (np.random.default_rng(seed).permutation(len(names)) % folds)[group]
    better = np.empty(len(said))
    for fold in range(folds):
        better[part == fold] = scipy.special.expit(
            x[part == fold] @ fitted(x[part != fold], truth[part != fold], ridge)
        )
    before, after = (1 - np.abs(np.sign(share - 0.5) / 2 + 0.5 - truth) for share in (said, better))
    error, mended = (said - truth) ** 2, (better - truth) ** 2
    left_out = int(len(gold) - used.sum())
    gain, change = rise(before, after, group), rise(error, mended, group)
    helps, harms, nothing = "calibration helps", "calibration harms", "no effect of calibration found"
    found = [
        finding("accuracy", proportion(before, groups=group), left_out=left_out),
        finding("accuracy calibrated", proportion(after, groups=group)),
        finding("gain", gain, verdict=in_words(gain, (helps, harms, nothing))),
        finding("brier", proportion(error, groups=group)),
        finding("brier calibrated", proportion(mended, groups=group)),
        finding("brier change", change, verdict=in_words(change, (harms, helps, nothing))),
    ]
    weights = fitted(x, truth, ridge)
    for i, name in enumerate(("first place", "longer")[: x.shape[1] - 1], 1):
        found.append(Finding(name, float(weights[i]), None, len(said), 0.0))
    return found


def fitted(x: Floats, y: Floats, ridge: float) -> Floats:
    """Weights of a logistic regression with a ridge, by Newton's method."""
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = scipy.special.expit(x @ weights)
        step = np.linalg.solve(
            (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(x.shape[1]), x.T @ (y - p) - ridge * weights
        )
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(weights)
