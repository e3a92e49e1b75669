"""The exam of peer reviewers, from a file of verdicts with labels."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from whetstone.app.verdict_files.ranked import outcome
from whetstone.app.verdict_files.reading import read_verdicts
from whetstone.core.errors import TaskError
from whetstone.ranking.peer_review import Exam


def read_exam(path: Path) -> Exam:
    """What each judge of a file answered on the pairs that have a label there.

    A pair that a judge was shown in both orders was asked twice: the verdicts must agree once the order is undone.

    Raises:
        TaskError: no verdict has a label, or judges that were asked different pairs.
    """
    given: dict[str, dict[str, dict[bool, float]]] = defaultdict(lambda: defaultdict(dict))
    labels: dict[str, int] = {}
    for row in read_verdicts(path).rows:
        if row.get("label") is None:
            continue
        first, second = str(row.get("first", "first")), str(row.get("second", "second"))
        item = str(row.get("pair") or f"{row.get('prompt', '')} {' '.join(sorted((first, second)))}")
        swapped = bool(row.get("swapped", first > second))
        sign = -1 if swapped else 1
        label = sign * outcome(row["label"])
        if labels.setdefault(item, label) != label:
            raise TaskError(f"{path}: pair {item!r} has two labels")
        verdict = row["verdict"]
        said = float("nan") if verdict is None else float(sign * outcome(verdict))
        given[str(row.get("judge") or "judge")][item].setdefault(swapped, said)
    if not labels:
        raise TaskError(f"{path}: no verdict has a label, so there is nothing to examine by")
    judges, items = tuple(sorted(given)), tuple(labels)
    for judge in judges:
        missing = next((item for item in items if item not in given[judge]), None)
        if missing:
            raise TaskError(f"{path}: {judge!r} was not asked about pair {missing!r}; an exam is the same for all")
    answers, repeated = np.full((2, len(judges), len(items)), np.nan)
    twice = all(len(orders) > 1 for judge in judges for orders in given[judge].values())
    for i, judge in enumerate(judges):
        for j, item in enumerate(items):
            orders = sorted(given[judge][item].items())
            answers[i, j], repeated[i, j] = orders[0][1], orders[-1][1]
    return Exam(judges, answers, np.array([labels[item] for item in items], dtype=float), repeated if twice else None)
