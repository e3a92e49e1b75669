"""Recompute `reference.json`: run it in an environment that has statsmodels and scikit-learn.

The tests read the stored numbers, so that neither package is needed to run them.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import special
from scipy import stats as scipy_stats
from sklearn import isotonic, linear_model, metrics
from sklearn.calibration import _SigmoidCalibration, calibration_curve
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

PROPORTIONS = [(0, 1, 0.95), (1, 1, 0.95), (0, 20, 0.95), (20, 20, 0.95), (7, 20, 0.95), (7, 20, 0.9)]
PROPORTIONS += [(131, 200, 0.99), (4999, 5000, 0.95)]


def limits(interval) -> list[float]:
    return [float(interval[0]), float(interval[1])]


def main() -> None:
    rng = np.random.default_rng(7)
    n = 60
    correct = (rng.random(n) < 0.6).astype(int)
    scores = np.round(rng.normal(size=n) + correct, 1)
    other = np.round(rng.normal(size=n) + 0.4 * correct, 1)
    confidence = np.round(special.expit(scores), 3)
    baseline = (rng.random(n) < 0.5).astype(int)
    groups = rng.integers(0, 14, n)
    values = np.round(rng.gamma(2.0, 1.0, n), 3)
    t_test = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
    clustered = sm.OLS(values, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)

    def resampled(method: str) -> list[float]:
        found = scipy_stats.bootstrap((values,), np.mean, n_resamples=200_000, method=method, rng=1, batch=5000)
        return limits(found.confidence_interval)

    def signs(wins: int, losses: int) -> dict:
        found = scipy_stats.binomtest(wins, wins + losses)
        return {
            "wins": wins,
            "losses": losses,
            "p": found.pvalue,
            "interval": limits(found.proportion_ci(0.95, "exact")),
        }

    permuted = scipy_stats.permutation_test(
        (values[:12], values[12:24]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    accuracy, mean_confidence = calibration_curve(correct, confidence, n_bins=10, strategy="uniform")
    sigmoid = _SigmoidCalibration().fit(scores, correct)
    rising = isotonic.IsotonicRegression(out_of_bounds="clip").fit(scores, correct)
    at = np.linspace(-3, 4, 29)
    logits = special.logit(np.clip(confidence, 1e-6, 1 - 1e-6))
    logistic = linear_model.LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=10_000)
    p_values = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04, 0.8]
    reference = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "data": {
            "correct": correct.tolist(),
            "baseline": baseline.tolist(),
            "scores": scores.tolist(),
            "other": other.tolist(),
            "confidence": confidence.tolist(),
            "groups": groups.tolist(),
            "values": values.tolist(),
        },
        "proportions": [
            {
                "successes": k,
                "n": m,
                "level": level,
                "wilson": limits(proportion_confint(k, m, 1 - level, "wilson")),
                "clopper_pearson": limits(proportion_confint(k, m, 1 - level, "beta")),
            }
            for k, m, level in PROPORTIONS
        ],
        "mean": {"stderr": float(scipy_stats.sem(values)), "interval": limits(t_test)},
        "clustered_mean": {"stderr": float(clustered.bse[0]), "interval": limits(clustered.conf_int()[0])},
        "bootstrap_mean": {"percentile_not_expanded": resampled("percentile"), "bca": resampled("BCa")},
        "mcnemar": [
            {"wins": won, "losses": lost, "exact": float(mcnemar([[10, won], [lost, 10]], exact=True).pvalue)}
            for won, lost in [(19, 7), (5, 15), (0, 6), (3, 3), (1, 0)]
        ],
        "sign_test": [signs(*pair) for pair in [(12, 5), (0, 4), (7, 7)]],
        "paired_permutation": {"n": 12, "p": float(permuted.pvalue)},
        "auroc": float(metrics.roc_auc_score(correct, scores)),
        "auroc_other": float(metrics.roc_auc_score(correct, other)),
        "average_precision": float(metrics.average_precision_score(correct, scores)),
        "brier": float(metrics.brier_score_loss(correct, confidence)),
        "reliability_width": {"accuracy": accuracy.tolist(), "confidence": mean_confidence.tolist()},
        "platt": {"slope": -float(sigmoid.a_), "intercept": -float(sigmoid.b_)},
        "isotonic": {"at": at.tolist(), "probabilities": rising.predict(at).tolist()},
        "temperature": float(1 / logistic.fit(logits[:, None], correct).coef_[0, 0]),
        "multiple": {
            "p": p_values,
            "holm": multipletests(p_values, method="holm")[1].tolist(),
            "benjamini_hochberg": multipletests(p_values, method="fdr_bh")[1].tolist(),
        },
        "entropy_3_2_1": float(scipy_stats.entropy([3, 2, 1])),
    }
    Path(__file__).with_name("reference.json").write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
