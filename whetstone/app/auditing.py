"""What an audit of a judge comes to: findings with Holm's correction, tables to draw, and whether to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.app.recorded_verdicts import Recorded
from whetstone.app.result import Bin, Measure
from whetstone.app.trust import RULES, Rule, Trust, trust
from whetstone.audits.recorded import Verdicts, agreement, audit_verdicts
from whetstone.audits.recorded_groups import accuracy_gaps
from whetstone.audits.recorded_systems import system_order
from whetstone.audits.score_columns import Scores, audit_scores
from whetstone.audits.score_systems import score_systems
from whetstone.audits.verdict_columns import Judged
from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding
from whetstone.stats import ece_test, finding, holm, reliability
from whetstone.stats.intervals import unmoved

ALPHA = 0.05
Kind = Literal["pairs", "scores"]
MOVED = ("length_errors", "self_errors", "self_preference")
SAID = ("first", "tie", "second", "unreadable")
WORDS = {
    "unreadable": "cannot be read",
    "accuracy": "agrees with the label",
    "kappa": "Cohen's kappa with the label",
    "ac1": "Gwet's AC1 with the label",
    "ties": "pairs that it calls even",
    "abstained": "pairs without a choice",
    "first_position": "chooses the answer shown first",
    "order_consistency": "same verdict in both orders",
    "repeat_consistency": "same verdict when asked again",
    "longer_answer": "chooses the longer of two alike",
    "length_errors": "errs for the longer, minus shorter",
    "own_win_rate": "chooses its own answer",
    "self_preference": "chooses its own answer, minus what is right",
    "self_errors": "errs for its own answer, minus against it",
    "cycles": "circular verdicts (A over B over C over A)",
    "system_order": "orders systems as labels do (tau-b)",
    "decisiveness": "slope of win shares (1 is neutral)",
    "gap": "gap between categories",
    "ece": "probabilities are off by (ECE)",
    "brier": "Brier score",
    "auroc": "separates right from wrong (AUROC)",
    "rank_correlation": "follows the labels (Spearman's rho)",
    "kendall": "follows the labels (Kendall's tau-b)",
    "pearson": "follows the labels (Pearson's r)",
    "first_place": "ranks the right answer first",
    "reciprocal_rank": "mean reciprocal rank of the right answer",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A finding in plain words; `adjusted` is its p-value by Holm over all tests of this judge."""

    finding: Finding
    words: str
    adjusted: float | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """A table of how often what came with what."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class JudgeAudit:
    """The audit of one judge.

    Attributes:
        kind: verdicts on pairs or scores of single answers.
        n: verdicts or scores; `labelled` of them have a label, `prompts` is the number of clusters.
        tables: verdicts against labels, and the two orders against each other.
        bins: reliability of stated probabilities.
        missing: what was not measured, and why.
    """

    judge: str
    kind: Kind
    n: int
    labelled: int
    prompts: int
    measured: tuple[Measured, ...]
    trust: Trust
    tables: tuple[Counts, ...] = ()
    bins: tuple[Bin, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """A demand on all judges."""

    use: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Audited:
    """One or more judges audited on the same material.

    Attributes:
        source: the file, or the model and task.
        format: of the file; "live" for verdicts made now.
        dropped: records that were not used, counted by reason.
    """

    source: str
    format: str
    judges: tuple[JudgeAudit, ...]
    rules: tuple[Rule, ...] = RULES
    dropped: Mapping[str, int] = field(default_factory=dict)
    gate: Gate | None = None
    run: str = ""


def audit_recorded(
    recorded: Recorded,
    source: str,
    *,
    own: str = "",
    judges: Sequence[str] = (),
    rules: Sequence[Rule] = RULES,
    seed: int = 0,
) -> Audited:
    """Every audit of recorded verdicts and scores that needs no model, for each judge.

    Args:
        own: the source that is the judge's own.
        judges: those to audit; none for all.

    Raises:
        ConfigError: an unknown judge or source.
    """
    there = list(dict.fromkeys([*recorded.verdicts, *recorded.scores]))
    unknown = next((name for name in judges if name not in there), None)
    if unknown is not None:
        raise ConfigError(f"no judge is called {unknown!r}; there are {', '.join(there[:20])}")
    every = [*recorded.verdicts.values()]
    if own and not any(own in one.verdicts.names for one in every):
        names = sorted({name for one in every for name in one.verdicts.names})
        raise ConfigError(f"--own {own}: no answers of that source; there are {', '.join(names[:20]) or 'none named'}")
    found = []
    for name in there:
        if judges and name not in judges:
            continue
        if name in recorded.verdicts:
            found.append(of_pairs(name, recorded.verdicts[name], own=own, rules=rules, seed=seed))
        if name in recorded.scores:
            found.append(of_scores(name, recorded.scores[name], rules=rules, seed=seed))
    return Audited(source, recorded.format, tuple(found), tuple(rules), recorded.dropped)


def of_pairs(
    name: str,
    judged: Judged,
    *,
    own: str = "",
    extra: Sequence[Finding] = (),
    rules: Sequence[Rule] = RULES,
    missing: Mapping[str, str] | None = None,
    live: bool = False,
    seed: int = 0,
) -> JudgeAudit:
    """The audit of one judge's verdicts on pairs.

    Args:
        extra: findings that were made elsewhere (probes); live, they stand for those of the same name.
        missing: what else was not measured, and why.
        live: labels come from two answers checked one by one; whoever prefers one of two right answers does not err,
            so that only pairs of a right and a wrong one count for agreement.
    """
    verdicts = judged.verdicts
    mine = own if own in verdicts.names else ""
    decided = verdicts
    if live and verdicts.gold is not None:
        decided = replace(verdicts, gold=np.where(verdicts.gold == 0.5, np.nan, verdicts.gold))
    found = [_marked(one, verdicts) for one in audit_verdicts(verdicts, own=mine, seed=seed)]
    if live:
        again = {one.name: one for one in agreement(decided, seed=seed)} if decided.gold is not None else {}
        elsewhere = {one.name for one in extra}
        found = [again.get(one.name, one) for one in found if one.name not in elsewhere]
    found += accuracy_gaps(replace(judged, verdicts=decided), seed=seed)
    found += system_order(decided, seed=seed)
    prompts = int(np.unique(verdicts.groups).size)
    found = [_reached(one, prompts) for one in _bounded(found, decided)]
    bins, calibration = _calibration(judged, seed)
    found = [one for one in (*found, *calibration, *extra) if one.n or one.verdict]
    tables = [one for one in (confusion(verdicts), flips(verdicts)) if one]
    gold = verdicts.gold
    return JudgeAudit(
        name,
        "pairs",
        len(verdicts.chosen),
        0 if gold is None else int(np.count_nonzero(~np.isnan(gold))),
        prompts,
        measured(found),
        trust(found, rules),
        tuple(tables),
        bins,
        {
            name: reason
            for name, reason in _absent(judged, mine, live, missing or {}).items()
            if reason and all(one.name != name for one in found)
        },
    )


def of_scores(
    name: str, scores: Scores, *, rules: Sequence[Rule] = RULES, extra: Sequence[Finding] = (), seed: int = 0
) -> JudgeAudit:
    """The audit of one judge's scores of single answers."""
    prompts = int(np.unique(scores.prompt).size)
    found = [
        _reached(one, prompts) for one in (*audit_scores(scores, seed=seed), *score_systems(scores, seed=seed), *extra)
    ]
    bins: tuple[Bin, ...] = ()
    labelled = 0
    if scores.label is not None:
        known = ~np.isnan(scores.label) & ~np.isnan(scores.value)
        labelled = int(np.count_nonzero(~np.isnan(scores.label)))
        value, label = scores.value[known], scores.label[known]
        if scores.binary and value.size and value.min() >= 0 and value.max() <= 1:
            bins = _bins(value, label, scores.prompt[known])
    missing = {} if scores.label is not None else {"agreement": "no labels"}
    if scores.lengths is None:
        missing["length"] = "no lengths"
    return JudgeAudit(
        name,
        "scores",
        len(scores.value),
        labelled,
        prompts,
        measured(found),
        trust(found, rules, kind="scores"),
        (),
        bins,
        missing,
    )


def measured(found: Sequence[Finding]) -> tuple[Measured, ...]:
    """Findings with plain words and Holm's correction over all of their tests."""
    adjusted = holm([one.p for one in found])
    return tuple(Measured(one, words_of(one.name), p, _verdict(one, p)) for one, p in zip(found, adjusted, strict=True))


def words_of(name: str) -> str:
    """What a finding says, in plain words."""
    if name.startswith("accuracy "):
        return f"agrees: {name.removeprefix('accuracy ')}"
    if name.startswith("bias "):
        return f"bias for {name.removeprefix('bias ')}"
    if name.startswith("probe "):
        return f"more wrong by {name.removeprefix('probe ').replace('_', ' ')}"
    if name.startswith("constant "):
        return f"prefers a constant: {name.removeprefix('constant ')}"
    return WORDS.get(name, name)


def _verdict(found: Finding, adjusted: float | None) -> str:
    """What was found, once all tests are counted."""
    if found.p is not None and adjusted is not None and found.p < ALPHA <= adjusted:
        return "not shown (Holm)"
    return found.verdict


def _marked(found: Finding, verdicts: Verdicts) -> Finding:
    """`longer_answer` with the number of its pairs that nobody called equally good."""
    if found.name != "longer_answer":
        return found
    gold = verdicts.gold
    unlabelled = found.n if gold is None else int(np.count_nonzero(np.isnan(gold) & ~np.isnan(verdicts.chosen)))
    told = found.verdict if not unlabelled else f"{found.verdict}; longer ones may be better"
    return replace(found, verdict=told, detail={**found.detail, "unlabelled": unlabelled})


def _bounded(found: Sequence[Finding], verdicts: Verdicts) -> list[Finding]:
    """Kappa with an interval where resampling gives none (every verdict right, say): that of the accuracy, rescaled."""
    known = {one.name: one for one in found}
    kappa, accuracy = known.get("kappa"), known.get("accuracy")
    if kappa is None or accuracy is None or kappa.interval or accuracy.interval is None or kappa.estimate is None:
        return list(found)
    said = outcome(verdicts.gold[~np.isnan(verdicts.gold)]) if verdicts.gold is not None else np.zeros(0, np.intp)
    shares = np.bincount(said) / max(len(said), 1)
    chance = float(shares @ shares)
    if kappa.estimate < 1 and accuracy.estimate is not None:
        chance = (accuracy.estimate - kappa.estimate) / (1 - kappa.estimate)
    if not 0 <= chance < 1:
        return list(found)
    low, high = ((bound - chance) / (1 - chance) for bound in accuracy.interval)
    told = "agrees beyond chance" if low > 0 else kappa.verdict
    rescaled = replace(
        kappa, interval=(low, high), verdict=told, detail={**kappa.detail, "method": "of the accuracy, rescaled"}
    )
    return [rescaled if one is kappa else one for one in found]


def _reached(found: Finding, prompts: int) -> Finding:
    """A difference that no error moved, with what the number of prompts leaves possible in either direction."""
    if found.interval is not None or found.estimate != 0 or found.null != 0 or found.name not in MOVED:
        return found
    return replace(
        found, interval=unmoved(min(found.n, prompts)), detail={**found.detail, "note": "no error in either direction"}
    )


def _absent(judged: Judged, own: str, live: bool, known: Mapping[str, str]) -> dict[str, str]:
    """What the columns did not allow."""
    verdicts = judged.verdicts
    both = np.intersect1d(verdicts.pair[~verdicts.swapped], verdicts.pair[verdicts.swapped]).size
    few = len(verdicts.names) < 2
    questions = np.unique(verdicts.pair * 2 + verdicts.swapped).size
    return {
        "agreement": "" if verdicts.gold is not None else "no labels",
        "orders": "" if both else "no pair was asked in both orders",
        "repeats": "" if questions < len(verdicts.pair) else "nothing was asked twice",
        "length": "" if verdicts.lengths is not None else "no lengths",
        "own answers": "" if own else "one source only" if few else "no --own",
        "cycles": "" if len(verdicts.names) > 2 else "fewer than three sources",
        "groups": "" if judged.category is not None else "no categories",
        "probes": "" if live else "recorded verdicts cannot be probed",
        **known,
    }


def outcome(shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of `SAID`."""
    return np.where(np.isnan(shares), 3, 1 - np.sign(shares - 0.5)).astype(np.intp)


def confusion(verdicts: Verdicts) -> Counts | None:
    """Verdicts against labels, in the order shown."""
    if verdicts.gold is None:
        return None
    known = ~np.isnan(verdicts.gold)
    table = _crossed(outcome(verdicts.gold[known]), outcome(verdicts.chosen[known]))
    return Counts("Label (row) against verdict (column)", SAID[:3], SAID, table[:3])


def flips(verdicts: Verdicts) -> Counts | None:
    """What was chosen in the pair's order against what was chosen in the reverse one, by answer."""
    rows = [np.flatnonzero(verdicts.swapped == swapped) for swapped in (False, True)]
    first = [own[np.unique(verdicts.pair[own], return_index=True)[1]] for own in rows]
    _, i, j = np.intersect1d(verdicts.pair[first[0]], verdicts.pair[first[1]], return_indices=True)
    if not i.size:
        return None
    ahead, behind = verdicts.chosen[first[0][i]], 1 - verdicts.chosen[first[1][j]]
    names = ("answer 1", "tie", "answer 2", "unreadable")
    title = "Answer 1 shown first (row) against answer 1 shown second (column)"
    return Counts(title, names, names, _crossed(outcome(ahead), outcome(behind)))


def _crossed(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[tuple[int, ...], ...]:
    counts = np.bincount(rows * 4 + columns, minlength=16).reshape(4, 4)
    return tuple(tuple(map(int, row)) for row in counts)


def _calibration(judged: Judged, seed: int) -> tuple[tuple[Bin, ...], list[Finding]]:
    """Reliability of stated probabilities, else of verdicts that are ones, where the label names one answer."""
    verdicts, stated = judged.verdicts, judged.probability
    if stated is None:
        stated = verdicts.chosen
    if verdicts.gold is None or np.isin(stated[~np.isnan(stated)], (0.0, 0.5, 1.0)).all():
        return (), []
    known = np.isin(verdicts.gold, (0.0, 1.0)) & ~np.isnan(stated)
    value, label, groups = stated[known], verdicts.gold[known], verdicts.groups[known]
    if not value.size:
        return (), []
    error = ece_test(value, label, groups=groups, seed=seed)
    off = error.p is not None and error.p < ALPHA
    told = "is not calibrated" if off else "is calibrated, as far as can be told"
    return _bins(value, label, groups), [finding("ece", error, verdict=told)]


def _bins(value: NDArray[np.float64], label: NDArray[np.float64], groups: NDArray[np.intp]) -> tuple[Bin, ...]:
    return tuple(
        Bin(one.low, one.high, one.confidence, Measure.of(one.accuracy))
        for one in reliability(value, label, groups=groups)
    )


def gated(found: Audited, use: str) -> Audited:
    """The audit with a gate: every judge may be trusted for this use."""
    return replace(found, gate=Gate(use, all(one.trust.of(use) == "yes" for one in found.judges)))
