"""Recompute `comparison_reference.json`: run it in an environment that has statsmodels and rliable.

The tests read the stored numbers, so that neither package is needed to run them.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from rliable import library, metrics
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

TABLES = [(19, 7), (5, 15), (0, 6), (88, 41), (1, 0)]
POWERS = [(0.1, 0.5, 200, 0.05), (0.02, 0.4, 3142, 0.05), (0.5, 1.0, 12, 0.01), (0.0, 1.0, 30, 0.05)]
SIZES = [(0.1, 0.5, 0.8, 0.05), (0.02, 0.4, 0.9, 0.05), (0.8, 1.0, 0.8, 0.01), (0.005, 0.3, 0.8, 0.05)]


def main() -> None:
    rng = np.random.default_rng(11)
    n = 40
    treatment = np.round(rng.normal(0.3, 1, n), 3)
    baseline = np.round(rng.normal(0, 1, n), 3)
    groups = rng.integers(0, 9, n)
    difference = treatment - baseline
    paired = scipy_stats.ttest_rel(treatment, baseline)
    limits = paired.confidence_interval(0.95)
    clustered = sm.OLS(difference, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    tost_p, lower, upper = ttost_paired(treatment, baseline, -0.5, 0.8)
    runs = np.round(rng.gamma(2, 0.4, (7, 5)), 3)
    others = np.round(rng.gamma(2, 0.35, (4, 5)), 1)
    runs[:, 4] = np.round(runs[:, 4], 1)
    taus = np.array([0.0, 0.2, 0.5, 0.8, 1.4])
    p_values = np.round(rng.beta(0.3, 2, 15), 4)
    reference = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
            "rliable": version("rliable"),
        },
        "data": {
            "treatment": treatment.tolist(),
            "baseline": baseline.tolist(),
            "groups": groups.tolist(),
            "runs": runs.tolist(),
            "others": others.tolist(),
        },
        "paired_t": {"t": float(paired.statistic), "p": float(paired.pvalue), "interval": list(map(float, limits))},
        "paired_clustered_t": {"t": float(clustered.tvalues[0]), "p": float(clustered.pvalues[0])},
        "mcnemar_chi_square": [
            {"wins": won, "losses": lost, "statistic": float(found.statistic), "p": float(found.pvalue)}
            for won, lost in TABLES
            for found in [mcnemar([[10, won], [lost, 10]], exact=False, correction=True)]
        ],
        "tost": {"margins": [-0.5, 0.8], "p": float(tost_p), "below": float(lower[1]), "above": float(upper[1])},
        "power": [
            {"effect": e, "spread": s, "n": m, "alpha": a, "power": float(TTestPower().power(e / s, m, a))}
            for e, s, m, a in POWERS
        ],
        "sizes": [
            {"effect": e, "spread": s, "power": b, "alpha": a, "n": float(TTestPower().solve_power(e / s, None, a, b))}
            for e, s, b, a in SIZES
        ],
        "multiple": {
            "p": p_values.tolist(),
            "holm": multipletests(p_values, method="holm")[1].tolist(),
            "benjamini_hochberg": multipletests(p_values, method="fdr_bh")[1].tolist(),
        },
        "rliable": {
            "interquartile_mean": float(metrics.aggregate_iqm(runs)),
            "median": float(metrics.aggregate_median(runs)),
            "optimality_gap": float(metrics.aggregate_optimality_gap(runs)),
            "probability_of_improvement": float(metrics.probability_of_improvement(runs, others)),
            "thresholds": taus.tolist(),
            "profile": [float(library.run_score_deviation(runs, tau)) for tau in taus],
        },
    }
    path = Path(__file__).with_name("comparison_reference.json")
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
