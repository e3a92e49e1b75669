"""A judge in three modes: scores, pairs and whole rankings, each against people."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding, Json
from whetstone.stats import clustered_mean, finding, proportion
from whetstone.stats.correlation import pearson


@method(
    "table",
    papers=("MLLM-as-a-Judge: Assessing Multimodal LLM-as-a-Judge with Vision-Language Benchmark",),
    checked="tests/audits/test_judging_modes.py::test_values_by_hand_and_a_planted_order_of_judges",
)
def judging_modes(
    judge: Mapping[str, Sequence[Json]],
    human: Mapping[str, Sequence[Json]],
    *,
    groups: Sequence[Hashable] | None = None,
) -> list[Finding]:
    """Pearson correlation of scores, accuracy on pairs with and without ties, and edit distance of batch rankings.

    Args:
        judge, human: the same modes for the same items: "scores" (numbers), "pairs" ("A", "B", or "C" for a tie) and
            "rankings" (strings or lists of the answers' letters, best first). Modes that one lacks are left out, and
            so are items without a judge's value (None), which are counted.
        groups: cluster of each item, for all modes alike.

    Returns:
        `scores`, `pairs`, `pairs without ties` (of those that people decide and the judge too), `rankings` (mean edit
        distance by the length of the longer ranking: 0 the same, 1 nothing in common).

    Raises ConfigError when no mode is shared or its lists differ in length.
    """
    found: list[Finding] = []
    for mode in ("scores", "pairs", "rankings"):
        if mode not in judge or mode not in human:
            continue
        if len(judge[mode]) != len(human[mode]):
            raise ConfigError(f"{mode}: {len(judge[mode])} of the judge, {len(human[mode])} of people")
        rows = [i for i, value in enumerate(judge[mode]) if value is not None and human[mode][i] is not None]
        left_out = len(judge[mode]) - len(rows)
        said, truth = [judge[mode][i] for i in rows], [human[mode][i] for i in rows]
        where = None if groups is None else [groups[i] for i in rows]
        if mode == "scores":
            found.append(finding(mode, pearson(_numbers(said), _numbers(truth), groups=where), left_out=left_out))
        elif mode == "pairs":
            same = [float(a == b) for a, b in zip(said, truth, strict=True)]
            found.append(finding(mode, proportion(same, groups=where), left_out=left_out))
            firm = [i for i, (a, b) in enumerate(zip(said, truth, strict=True)) if "C" not in (a, b)]
            part = None if where is None else [where[i] for i in firm]
            found.append(finding("pairs without ties", proportion([same[i] for i in firm], groups=part)))
        else:
            far = [edit_distance(list(a), list(b)) for a, b in zip(said, truth, strict=True)]  # type: ignore[arg-type]
            found.append(finding(mode, clustered_mean(far, where), left_out=left_out))
    if not found:
        raise ConfigError("judge and human share none of the modes: scores, pairs, rankings")
    return found


def edit_distance(first: Sequence[Json], second: Sequence[Json]) -> float:
    """Levenshtein distance by the length of the longer list; 0 for two empty ones.

    Source: Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).
    """
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1] / max(len(first), len(second), 1)


def _numbers(values: Sequence[Json]) -> ArrayLike:
    return np.array(values, dtype=np.float64)
