"""Statistics: every number with its n and its interval. Pure functions over arrays, numpy and scipy only.

    intervals       wilson, clopper_pearson, proportion, mean, clustered_mean
    bootstrap       bootstrap (any statistic), bootstrap_mean; by items or clusters, percentile or BCa
    paired          paired_bootstrap, paired_permutation, paired_t, mcnemar, sign_test
    systems         compare_systems: many systems on the same items, all pairs; tie_groups
    equivalence     tost, tango, tango_interval
    power           paired_power, required_n, required_n_equivalence, detectable_effect, detectable_difference
    sequential      betting, paired_anytime: look after every item, stop at any time
    aggregates      interquartile_mean, task_median, optimality_gap, performance_profile, probability_of_improvement
    flips           flips: what an update breaks
    discrimination  auroc, auroc_test, auroc_difference, auprc
    calibration     reliability, ece, ece_test, brier, brier_parts
    recalibration   fit_platt, fit_isotonic, fit_temperature
    selective       risk_coverage, aurc, excess_aurc, accuracy_at_coverage
    passk           pass_at_k, majority_at_k
    multiple        holm, benjamini_hochberg
    group_rates     deal_units: the gap between groups against dealing their clusters at random
    agreement       cohen_kappa, krippendorff_alpha, gwet_ac1 (raters: fleiss_kappa, intraclass_correlation)
    correlation     pearson, spearman, kendall, item_level (correlation_difference: which of two follows more closely)
    text_metrics    bleu, rouge_1, rouge_l, chrf ...: METRICS by name
    network         fit_network: a small network that several outputs share
    diversity       distinct_share, entropy, mean_distinct_share, mean_entropy

Results are `Estimate` or `HypothesisTest`; what the data do not define is None with a note. Wrong arguments (lengths
that differ, unknown values among the data, impossible counts) raise ValueError. Submodules of scipy load when they
are first used, so that importing this package costs little more than numpy.
"""

from __future__ import annotations

from whetstone.stats.aggregates import (
    Profile,
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    task_median,
)
from whetstone.stats.bootstrap import bootstrap, bootstrap_mean
from whetstone.stats.calibration import BrierParts, ReliabilityBin, brier, brier_parts, ece, ece_test, reliability
from whetstone.stats.discrimination import auprc, auroc, auroc_difference, auroc_test
from whetstone.stats.diversity import distinct_share, entropy, mean_distinct_share, mean_entropy
from whetstone.stats.equivalence import Equivalence, tango, tango_interval, tost
from whetstone.stats.estimate import Estimate, HypothesisTest, finding
from whetstone.stats.flips import Flips, flips
from whetstone.stats.intervals import clopper_pearson, clustered_mean, mean, proportion, wilson
from whetstone.stats.multiple import benjamini_hochberg, holm
from whetstone.stats.paired import mcnemar, paired_bootstrap, paired_permutation, paired_t, sign_test
from whetstone.stats.passk import majority_at_k, pass_at_k
from whetstone.stats.power import (
    detectable_difference,
    detectable_effect,
    discordant_spread,
    paired_power,
    required_n,
    required_n_equivalence,
)
from whetstone.stats.recalibration import Isotonic, Platt, Temperature, fit_isotonic, fit_platt, fit_temperature
from whetstone.stats.selective import RiskCoverage, accuracy_at_coverage, aurc, excess_aurc, risk_coverage
from whetstone.stats.sequential import Sequential, betting, paired_anytime
from whetstone.stats.systems import Pair, Systems, compare_systems, tie_groups

__all__ = [
    "BrierParts",
    "Equivalence",
    "Estimate",
    "Flips",
    "HypothesisTest",
    "Isotonic",
    "Pair",
    "Platt",
    "Profile",
    "ReliabilityBin",
    "RiskCoverage",
    "Sequential",
    "Systems",
    "Temperature",
    "accuracy_at_coverage",
    "auprc",
    "aurc",
    "auroc",
    "auroc_difference",
    "auroc_test",
    "benjamini_hochberg",
    "betting",
    "bootstrap",
    "bootstrap_mean",
    "brier",
    "brier_parts",
    "clopper_pearson",
    "clustered_mean",
    "compare_systems",
    "detectable_difference",
    "detectable_effect",
    "discordant_spread",
    "distinct_share",
    "ece",
    "ece_test",
    "entropy",
    "excess_aurc",
    "finding",
    "fit_isotonic",
    "fit_platt",
    "fit_temperature",
    "flips",
    "holm",
    "interquartile_mean",
    "majority_at_k",
    "mcnemar",
    "mean",
    "mean_distinct_share",
    "mean_entropy",
    "optimality_gap",
    "paired_anytime",
    "paired_bootstrap",
    "paired_permutation",
    "paired_power",
    "paired_t",
    "pass_at_k",
    "performance_profile",
    "probability_of_improvement",
    "proportion",
    "reliability",
    "required_n",
    "required_n_equivalence",
    "risk_coverage",
    "sign_test",
    "tango",
    "tango_interval",
    "task_median",
    "tie_groups",
    "tost",
    "wilson",
]
