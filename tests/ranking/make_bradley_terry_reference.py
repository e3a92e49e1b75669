"""Write `bradley_terry_reference.json`: numbers of choix, evalica and arena-rank on a small set of comparisons.

Run once in an environment that has them: `python tests/ranking/make_bradley_terry_reference.py`.
"""

import json
from importlib.metadata import version
from pathlib import Path

import choix
import evalica
import numpy as np
import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset

rng = np.random.default_rng(7)
k, n = 6, 400
truth = rng.normal(0, 1, k)
left = rng.integers(0, k, n)
right = (left + rng.integers(1, k, n)) % k
odds = np.exp((truth[left] - truth[right]) / 2)
share = rng.random(n) * (odds + 1 / odds + 0.8)
outcome = np.where(share < odds, 1, np.where(share < odds + 1 / odds, -1, 0))

decided = outcome != 0
winners, losers = np.where(outcome == 1, left, right)[decided], np.where(outcome == 1, right, left)[decided]
words = {1: evalica.Winner.X, -1: evalica.Winner.Y, 0: evalica.Winner.Draw}
votes = ([str(i) for i in left], [str(i) for i in right], [words[int(o)] for o in outcome])
names = [str(i) for i in range(k)]
settings = {"tolerance": 1e-14, "limit": 10_000}
newman = evalica.newman(*votes, **settings)
winner = np.array(["model_b", "tie", "model_a"])[outcome + 1]
frame = pd.DataFrame({"model_a": votes[0], "model_b": votes[1], "winner": winner})
arena = BradleyTerry(k, scale=1.0, base=np.e, init_rating=0.0, hessian_reg=1e-6, ftol=1e-14, gtol=1e-12)
found = arena.compute_ratings_and_cis(PairDataset.from_pandas(frame))
assert found["competitors"] == names

reference = {
    "versions": {name: version(name) for name in ("choix", "evalica", "arena-rank")},
    "left": left.tolist(),
    "right": right.tolist(),
    "outcome": outcome.tolist(),
    "choix.opt_pairwise, decided only": choix.opt_pairwise(
        k, list(zip(winners.tolist(), losers.tolist(), strict=True)), alpha=0, tol=1e-12
    ).tolist(),
    "evalica.bradley_terry": [float(evalica.bradley_terry(*votes, **settings).scores[name]) for name in names],
    "evalica.newman": [float(newman.scores[name]) for name in names],
    "evalica.newman v": float(newman.v),
    "arena_rank ratings": np.asarray(found["ratings"]).tolist(),
    "arena_rank variances": np.asarray(found["variances"]).tolist(),
}
Path(__file__).with_name("bradley_terry_reference.json").write_text(json.dumps(reference) + "\n", encoding="utf-8")
