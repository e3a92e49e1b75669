"""In which aspects does a judge agree with people?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whetstone.audits.evaluating import Pair, cluster, preference
from whetstone.core.errors import Abstain, TaskError
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import load, method
from whetstone.core.types import TIE, Case, Finding, Json, Task, Verdict
from whetstone.signals.aspect_judge import by_aspect
from whetstone.stats import finding, proportion

LABELS = ("first", "second", "tie")


@method("audit", checked="tests/audits/test_aspect_agreement.py::test_finds_the_aspects_in_which_the_judge_is_blind")
def aspect_agreement(task: Task, cases: Sequence[Case], *, judge: str = "aspect_judge") -> Flow[list[Finding]]:
    """Agreement of a judge's verdicts with people's labels, aspect by aspect.

    Args:
        judge: a judge that gives one verdict an aspect.

    Labels are the example's `meta["aspect_labels"]`, a mapping of an aspect's path to "first", "second" or "tie" for
    the case's first two candidates. Without them, right against wrong labels the aspect "correctness" of the pair.
    """
    asked, labels = [], []
    for case in cases:
        if len(case.candidates) >= 2 and (given := labels_of(case)):
            right = case.correct[:2] if case.correct else (None, None)
            asked.append(Pair(case.example, case.candidates[0], case.candidates[1], (right[0], right[1])))
            labels.append(given)
    if not asked:
        raise Abstain("no pair of candidates has labels")
    function = load(judge, "judge")
    verdicts = yield from gather(function(task, p.example, p.first, p.second) for p in asked)
    if all(verdict.choice is None for verdict in verdicts):
        raise Abstain(f"{judge}: {verdicts[0].reason}")
    return agreements(asked, labels, verdicts)


def labels_of(case: Case) -> dict[str, str]:
    """People's labels of a case by aspect, in lower case. Raises TaskError for one that is not in `LABELS`."""
    given: Json = case.example.meta.get("aspect_labels")
    if isinstance(given, Mapping):
        for path, label in given.items():
            if label not in LABELS:
                raise TaskError(
                    f"{case.example.id}: {path}: {label!r} is no label of an aspect; there are {', '.join(LABELS)}"
                )
        return {str(path).lower(): str(label) for path, label in given.items()}
    known = case.correct[:2]
    if len(known) < 2 or None in known or known[0] == known[1]:
        return {}
    return {"correctness": "first" if known[0] else "second"}


def agreements(
    asked: Sequence[Pair], labels: Sequence[Mapping[str, str]], verdicts: Sequence[Verdict]
) -> list[Finding]:
    """The audit of verdicts that hold one verdict an aspect.

    Args:
        asked: the pairs.
        labels: of each pair, "first", "second" or "tie" by the aspect's path in lower case.
        verdicts: of each pair.

    Returns:
        `agreement/ASPECT` for every labelled aspect: the share of labels that the judge shares, where a tie on one side
        counts 1/2, against 1/2; `coverage`: the share of labels with a readable verdict.
    """
    shares: dict[str, list[tuple[float | None, str]]] = {}
    for pair, given, verdict in zip(asked, labels, verdicts, strict=True):
        parts = {path.lower(): part for path, part in by_aspect(verdict).items()}
        names = dict(zip(LABELS, (pair.first.id, pair.second.id, TIE), strict=True))
        for path, label in given.items():
            choice = parts[path].choice if path in parts else None
            shares.setdefault(path, []).append((shared(choice, names[label]), cluster(pair.example)))
    told = ("agrees with people", "contradicts people", "no better than a coin as far as this shows")
    found = [
        preference(f"agreement/{path}", [share for share, _ in one], [group for _, group in one], told)
        for path, one in shares.items()
    ]
    flat = [(float(share is not None), group) for one in shares.values() for share, group in one]
    return [*found, finding("coverage", proportion([f for f, _ in flat], groups=[g for _, g in flat]))]


def shared(choice: str | None, label: str) -> float | None:
    """1 for the same choice, 1/2 where one side says tie, 0 for the other one; None where either is unknown."""
    if choice is None or not label:
        return None
    return 1.0 if choice == label else 0.5 if TIE in (choice, label) else 0.0
