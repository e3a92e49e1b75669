"""Which assertions grade outputs as a person does, and do the person's criteria stay put?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import Estimate, finding, mcnemar, wilson

Bools = NDArray[np.bool_]


@method(
    "table",
    papers=("Who Validates the Validators? Aligning LLM-Assisted Evaluation of LLM Outputs with Human Preferences",),
    checked="tests/audits/test_assertion_selection.py::test_recovers_the_rules_of_a_simulated_grader",
)
def assertion_selection(
    assertions: Mapping[str, Sequence[bool]],
    grades: Sequence[bool | None],
    *,
    criteria: Mapping[str, str] | None = None,
    false_failures: float = 0.2,
    earlier: Sequence[bool | None] = (),
    holdout: float = 0.5,
    seed: int = 0,
) -> list[Finding]:
    """Keep for each criterion the assertion that is best aligned with a person's grades; report the kept set.

    Args:
        assertions: for each assertion (code or a judge's question) whether each output passes it.
        grades: the person's grade of each output, good or bad; None where not graded.
        criteria: the criterion that each assertion checks; by default each its own.
        false_failures: an assertion that fails more of the good outputs than this is not kept.
        earlier: the person's grades at an earlier time, to see whether the criteria drifted.
        holdout: part of the graded outputs on which the kept set is reported, and not chosen.
        seed: of the division.

    Returns:
        For each assertion `coverage NAME` (share of bad outputs that it fails) with in its detail the share of good
        outputs that it fails and whether it was kept; for the set, which fails an output when a member does, on the
        held-out outputs: `coverage`, `false_failure` and `alignment` (harmonic mean of coverage and of the share of
        good outputs that pass). With earlier grades `drift`: share of outputs whose grade changed, and McNemar's p of
        a change in strictness.

    Raises ConfigError without both good and bad outputs to choose and to report on.
    """
    known = np.array([grade is not None for grade in grades])
    bad = np.array([grade is False for grade in grades])
    fails = {name: ~np.asarray(passed, dtype=bool) for name, passed in assertions.items()}
    if any(len(failed) != len(bad) for failed in fails.values()):
        raise ConfigError(f"every assertion needs a result for each of the {len(bad)} outputs")
    place = np.empty(len(bad))
    rng = np.random.default_rng(seed)
    for grade in (True, False):
        chosen = np.flatnonzero(known & (bad == grade))
        place[chosen] = rng.permutation(len(chosen)) / max(len(chosen), 1)
    held, learn = known & (place < holdout), known & (place >= holdout)
    if any(not (part & (bad == grade)).any() for part in (held, learn) for grade in (True, False)):
        raise ConfigError("good and bad outputs are needed both to choose assertions and to report on: grade more")
    kept = _kept(fails, bad, learn, criteria or {name: name for name in fails}, false_failures)
    found = []
    for name, failed in fails.items():
        alarm = float(failed[learn & ~bad].mean())
        verdict = "kept" if name in kept else "not kept"
        found.append(finding(f"coverage {name}", _share(failed, learn & bad), verdict=verdict, false_failure=alarm))
    whole = np.any([fails[name] for name in kept], axis=0) if kept else np.zeros(len(bad), bool)
    cover, alarm = float(whole[held & bad].mean()), float(whole[held & ~bad].mean())
    good = cover + 1 - alarm
    score = 2 * cover * (1 - alarm) / good if good else 0.0
    found += [
        finding("coverage", _share(whole, held & bad)),
        finding("false_failure", _share(whole, held & ~bad)),
        Finding("alignment", score, None, int(held.sum()), verdict=f"keeps {', '.join(kept) or 'none'}"),
    ]
    return [*found, *([_drift(earlier, grades)] if len(earlier) else [])]


def _kept(
    fails: Mapping[str, Bools], bad: Bools, learn: Bools, criteria: Mapping[str, str], most: float
) -> tuple[str, ...]:
    """The best aligned assertion of each criterion, where one catches bad outputs and spares good ones."""
    best: dict[str, tuple[float, str]] = {}
    for name, failed in fails.items():
        cover, alarm = float(failed[learn & bad].mean()), float(failed[learn & ~bad].mean())
        if alarm > most or cover <= alarm:
            continue
        score = 2 * cover * (1 - alarm) / (cover + 1 - alarm)
        if score > best.get(criteria[name], (0.0, ""))[0]:
            best[criteria[name]] = score, name
    return tuple(name for _, name in best.values())


def _share(failed: Bools, part: Bools) -> Estimate:
    return wilson(int(failed[part].sum()), int(part.sum()))


def _drift(earlier: Sequence[bool | None], grades: Sequence[bool | None]) -> Finding:
    """Changes of grades given twice."""
    twice = [(bool(a), bool(b)) for a, b in zip(earlier, grades, strict=True) if a is not None and b is not None]
    changed = wilson(sum(a != b for a, b in twice), len(twice))
    test = mcnemar([float(b) for _, b in twice], [float(a) for a, _ in twice])
    sure = test.p is not None and test.p < 0.05
    milder = (test.effect.value or 0.0) > 0
    told = ("became milder" if milder else "became stricter") if sure else "no change of strictness found"
    return Finding("drift", changed.value, changed.interval, len(twice), 0.0, test.p, told, {"method": test.method})
