"""Statistics: every number with its n and its interval. Pure functions over arrays, numpy and scipy only.

    intervals       wilson, clopper_pearson, proportion, mean, clustered_mean
    bootstrap       bootstrap (any statistic), bootstrap_mean; by items or clusters, percentile or BCa
    paired          paired_bootstrap, paired_permutation, mcnemar, sign_test
    discrimination  auroc, auroc_test, auroc_difference, auprc
    calibration     reliability, ece, ece_test, brier, brier_parts
    recalibration   fit_platt, fit_isotonic, fit_temperature
    selective       risk_coverage, aurc, excess_aurc, accuracy_at_coverage
    passk           pass_at_k, majority_at_k
    multiple        holm, benjamini_hochberg
    diversity       distinct_share, entropy, mean_distinct_share, mean_entropy

Results are `Estimate` or `HypothesisTest`; what the data do not define is None with a note. Wrong arguments (lengths
that differ, unknown values among the data, impossible counts) raise ValueError. Submodules of scipy load when they
are first used, so that importing this package costs little more than numpy.
"""

from __future__ import annotations

from whetstone.stats.bootstrap import bootstrap, bootstrap_mean
from whetstone.stats.calibration import BrierParts, ReliabilityBin, brier, brier_parts, ece, ece_test, reliability
from whetstone.stats.discrimination import auprc, auroc, auroc_difference, auroc_test
from whetstone.stats.diversity import distinct_share, entropy, mean_distinct_share, mean_entropy
from whetstone.stats.estimate import Estimate, HypothesisTest, finding
from whetstone.stats.intervals import clopper_pearson, clustered_mean, mean, proportion, wilson
from whetstone.stats.multiple import benjamini_hochberg, holm
from whetstone.stats.paired import mcnemar, paired_bootstrap, paired_permutation, sign_test
from whetstone.stats.passk import majority_at_k, pass_at_k
from whetstone.stats.recalibration import Isotonic, Platt, Temperature, fit_isotonic, fit_platt, fit_temperature
from whetstone.stats.selective import RiskCoverage, accuracy_at_coverage, aurc, excess_aurc, risk_coverage

__all__ = [
    "BrierParts",
    "Estimate",
    "HypothesisTest",
    "Isotonic",
    "Platt",
    "ReliabilityBin",
    "RiskCoverage",
    "Temperature",
    "accuracy_at_coverage",
    "auprc",
    "auroc",
    "auroc_difference",
    "auroc_test",
    "aurc",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_mean",
    "brier",
    "brier_parts",
    "clopper_pearson",
    "clustered_mean",
    "distinct_share",
    "ece",
    "ece_test",
    "entropy",
    "excess_aurc",
    "finding",
    "fit_isotonic",
    "fit_platt",
    "fit_temperature",
    "holm",
    "majority_at_k",
    "mcnemar",
    "mean",
    "mean_distinct_share",
    "mean_entropy",
    "paired_bootstrap",
    "paired_permutation",
    "pass_at_k",
    "proportion",
    "reliability",
    "risk_coverage",
    "sign_test",
    "wilson",
]
