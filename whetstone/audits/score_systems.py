"""Does a judge that scores single answers order the systems as the labels do, and in whose favour does it err?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whetstone.audits.score_columns import Scores
from whetstone.audits.system_ranking import system_ranking
from whetstone.core.types import Finding

LEAST, MOST, SYSTEMS = 10, 2000, 40


def score_systems(scores: Scores, *, seed: int = 0) -> list[Finding]:
    """`system_order`, `decisiveness` and `bias SYSTEM` from scores and labels of several systems on the same prompts.

    Only prompts count on which every system has one readable, labelled score; of more than 2,000 such prompts as many
    are drawn. The detail of `system_order` counts the prompts left out. Nothing for labels of right and wrong alone,
    for one system, for more than 40, and below 10 prompts.
    """
    if scores.label is None or scores.system is None or scores.binary or not 2 <= len(scores.names) <= SYSTEMS:
        return []
    used = (scores.system >= 0) & ~np.isnan(scores.value) & ~np.isnan(scores.label)
    prompts, row = np.unique(scores.prompt[used], return_inverse=True)
    k = len(scores.names)
    cell = row * k + scores.system[used]
    full = (np.bincount(cell, minlength=prompts.size * k).reshape(-1, k) == 1).all(axis=1)
    at = np.flatnonzero(full)
    if at.size < LEAST:
        return []
    at = np.sort(np.random.default_rng(seed).permutation(at)[:MOST])
    tables = []
    for values in (scores.value[used], scores.label[used]):
        table = np.zeros(prompts.size * k)
        table[cell] = values
        tables.append(table.reshape(-1, k)[at])
    found = system_ranking(*tables, systems=scores.names, rounds=300, seed=seed)
    order, *others = (one for one in found if one.name != "bias_spread")
    left_out = int(np.unique(scores.prompt).size - at.size)
    return [replace(order, name="system_order", null=0.0, detail={**order.detail, "left_out": left_out}), *others]
