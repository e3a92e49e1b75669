"""Recompute `agreement_reference.json`: run it where scikit-learn, krippendorff and irrCAC are installed.

The tests read the stored numbers, so that none of these packages is needed to run them.
"""

from __future__ import annotations

import json
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from scipy import stats
from sklearn.metrics import cohen_kappa_score


def main() -> None:
    rng = np.random.default_rng(11)
    n = 40
    truth = rng.integers(1, 6, n)
    ratings = np.clip(truth[:, None] + rng.integers(-1, 2, (n, 4)), 1, 5).astype(float)
    ratings[rng.random((n, 4)) < 0.2] = np.nan
    ratings[0] = (3, np.nan, np.nan, np.nan)
    ratings[1] = np.nan
    first, second = truth, np.clip(truth + rng.integers(-2, 3, n), 1, 5)
    table = [[None if np.isnan(value) else value for value in row] for row in ratings]
    x = np.round(rng.normal(size=n), 2)
    y = np.round(x + rng.normal(size=n), 1)
    fleiss = CAC(pd.DataFrame({"first": first, "second": second}), digits=12).fleiss()["est"]
    reference = {
        "ratings": table,
        "first": first.tolist(),
        "second": second.tolist(),
        "kappa": {str(w): float(cohen_kappa_score(first, second, weights=w)) for w in (None, "linear", "quadratic")},
        "alpha": {
            scale: float(krippendorff.alpha(ratings.T, level_of_measurement=scale))
            for scale in ("nominal", "ordinal", "interval", "ratio")
        },
        "ac1": float(CAC(pd.DataFrame(ratings), digits=12).gwet()["est"]["coefficient_value"]),
        "fleiss": {"value": fleiss["coefficient_value"], "interval": fleiss["confidence_interval"]},
        "x": x.tolist(),
        "y": y.tolist(),
        "pearson": float(stats.pearsonr(x, y).statistic),
        "spearman": float(stats.spearmanr(x, y).statistic),
        "kendall": float(stats.kendalltau(x, y).statistic),
    }
    Path(__file__).with_name("agreement_reference.json").write_text(json.dumps(reference) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
