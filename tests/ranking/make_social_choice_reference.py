"""Recompute `social_choice_reference.json`: run it in an environment that has open_spiel, cvxpy and pingouin.

The tests read the stored numbers, so that none of these packages is needed to run them.
"""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
from open_spiel.python.algorithms import nash_averaging
from open_spiel.python.voting import base, borda, copeland, kemeny_young, plurality, schulze
from open_spiel.python.voting import ranked_pairs as tideman


def election(rng: np.random.Generator, systems: int, kinds: int) -> list[tuple[int, list[int]]]:
    return [(int(rng.integers(1, 12)), rng.permutation(systems).tolist()) for _ in range(kinds)]


def flat(values: np.ndarray) -> list[float]:
    return [float(v) for v in np.asarray(values).ravel()]


def margins(ballots: list[tuple[int, list[int]]], systems: int) -> np.ndarray:
    place = np.array([np.argsort(order) for _, order in ballots])
    weight = np.array([count for count, _ in ballots])
    wins = np.array([[(weight * (place[:, a] < place[:, b])).sum() for b in range(systems)] for a in range(systems)])
    return wins - wins.T


def main() -> None:
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(11)
    cases = []
    while len(cases) < 9:
        systems = int(rng.integers(3, 6))
        ballots = election(rng, systems, int(rng.integers(3, 7)))
        margin = margins(ballots, systems)
        strength = margin[np.triu_indices(systems, 1)]
        if (strength == 0).any() or len(set(np.abs(strength).tolist())) < strength.size:
            continue  # ties, which packages break in their own ways
        if len(cases) < 6 and (margin > 0).sum(axis=1).max() == systems - 1:
            continue  # most cases have no Condorcet winner
        names = [str(i) for i in range(systems)]
        profile = base.PreferenceProfile(
            votes=[base.WeightedVote(count, [str(i) for i in order]) for count, order in ballots], alternatives=names
        )
        results = {}
        for name, rule in (
            ("plurality", plurality.PluralityVoting()),
            ("borda", borda.BordaVoting()),
            ("copeland", copeland.CopelandVoting()),
            ("schulze", schulze.SchulzeVoting()),
            ("kemeny", kemeny_young.KemenyYoungVoting()),
            ("ranked_pairs", tideman.RankedPairsVoting()),
        ):
            outcome = rule.run_election(profile)
            scores = dict(zip(outcome.ranking, outcome.scores, strict=True))
            results[name] = {"ranking": outcome.ranking, "scores": [float(scores[i]) for i in names]}
        results["nash_averaging"] = flat(nash_averaging._max_entropy_symmetric_nash(margin / np.abs(margin).max()))
        cases.append({"ballots": ballots, "results": results})
    games = []
    for shape in ((3, 4), (4, 3), (5, 6)):
        scores = np.round(rng.normal(size=shape), 2)
        (systems, tasks), (ratings, _) = nash_averaging.nash_averaging_avt_matrix(scores)
        games.append(
            {"scores": scores.tolist(), "systems": flat(systems), "tasks": flat(tasks), "ratings": flat(ratings)}
        )
    ratings = np.round(rng.normal(size=(12, 1)) + rng.normal(size=(1, 5)) / 2 + rng.normal(size=(12, 5)), 1)
    long = pd.DataFrame(ratings).stack().reset_index().set_axis(["target", "rater", "rating"], axis=1)
    icc = pingouin.intraclass_corr(long, targets="target", raters="rater", ratings="rating")
    rows = {row.Type: [row.ICC, *row.CI95] for row in icc.itertuples()}
    found = {
        "versions": {name: version(name) for name in ("open_spiel", "cvxpy", "pingouin", "numpy")},
        "elections": cases,
        "games": games,
        "icc": {"ratings": ratings.tolist(), "rows": rows},
    }
    path = Path(__file__).parent / "social_choice_reference.json"
    lines = json.dumps(found).replace('{"ballots"', '\n {"ballots"').replace(', "games"', ',\n "games"')
    path.write_text(lines.replace(', "icc"', ',\n "icc"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
