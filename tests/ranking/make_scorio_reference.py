"""Recompute `scorio_reference.json`: run it in an environment that has scorio (`pip install scorio`).

The tests read the stored numbers, so that the package is not needed to run them.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scorio import rank

RULES = ("borda", "copeland", "minimax", "schulze", "ranked_pairs", "kemeny_young")
MODELS = ("bradley_terry", "bradley_terry_davidson")


def main() -> None:
    rng, cases = np.random.default_rng(5), []
    for systems, spread in ((4, 0.3), (5, 0.6), (5, 1.0), (6, 0.5), (6, 0.2)):
        skill = np.sort(rng.normal(0, spread, systems))[::-1]
        chance = 1 / (1 + np.exp(-(skill[:, None] + rng.normal(size=(1, 31)))))
        right = (rng.random((systems, 31, 3)) < chance[:, :, None]).astype(int)
        scores = {name: getattr(rank, name)(right, return_scores=True)[1].tolist() for name in (*RULES, *MODELS)}
        rows = ["".join(map(str, of.ravel().tolist())) for of in right]
        cases.append({"questions": 31, "right": rows, "scores": scores})
    found = {"version": version("scorio"), "cases": cases}
    path = Path(__file__).parent / "scorio_reference.json"
    path.write_text(json.dumps(found).replace('{"questions"', '\n {"questions"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
