"""The exam of peer reviewers, from a file of verdicts with labels."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whetstone.app.verdict_files.ranked import outcome
from whetstone.app.verdict_files.reading import read_verdicts
from whetstone.core.errors import TaskError
from whetstone.ranking.peer_review import Exam


def read_exam(path: Path) -> Exam:
    """What each judge of a file answered on the pairs that have a label there.

    Where all judges were shown all pairs in both orders, both count, and must agree once the order is undone.

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
    twice = all(len(orders) > 1 for judge in judges for orders in given[judge].values())
    asked = [(item, turn) for turn in ((0, -1) if twice else (0,)) for item in items]

    def answers(again: bool) -> NDArray[np.float64]:
        """[judges, asked] answers, or those to the same pairs in the other order."""
        found = [[_turns(given[judge][item])[~turn if again else turn] for item, turn in asked] for judge in judges]
        return np.array(found)

    truth = np.array([labels[item] for item, _ in asked], dtype=float)
    return Exam(judges, answers(False), truth, answers(True) if twice else None)


def _turns(orders: dict[bool, float]) -> list[float]:
    """What was said in the pair's own order first."""
    return [said for _, said in sorted(orders.items())]
