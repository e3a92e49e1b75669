"""Write `models_reference.json`: numbers of choix, evalica, openskill, trueskill, ppi-python and statsmodels.

Run once in an environment that has them: `python tests/ranking/make_models_reference.py`.
"""

import json
from importlib.metadata import version
from pathlib import Path

import choix
import evalica
import numpy as np
import statsmodels.api as sm
import trueskill
from openskill.models import ThurstoneMostellerFull
from ppi_py import ppi_logistic_pointestimate, ppi_mean_ci, ppi_mean_pointestimate

rng = np.random.default_rng(7)
truth = np.array([1.0, 0.4, 0.0, -0.5, -0.9])
k = len(truth)
BETA = 25 / 6


def pairs(n):
    left = rng.integers(k, size=n)
    return left, (left + rng.integers(1, k, size=n)) % k


def design(left, right):
    """One column for each system but the first."""
    columns = np.zeros((len(left), k))
    columns[np.arange(len(left)), left] = 1
    columns[np.arange(len(left)), right] = -1
    return columns[:, 1:]


def chance(left, right):
    return 1 / (1 + np.exp(truth[right] - truth[left]))


def plackett_luce():
    rankings = []
    for _ in range(60):
        shown = rng.permutation(k)[: rng.integers(2, 5)]
        rankings.append(shown[np.argsort(-(truth[shown] + rng.gumbel(size=len(shown))))].tolist())
    return {"rankings": rankings, "strengths": choix.ilsr_rankings(k, rankings, alpha=0.0, tol=1e-13).tolist()}


def scores():
    left, right = pairs(120)
    share, u = chance(left, right), rng.random(120)
    outcome = np.where(u < 0.8 * share, 1, np.where(u < 0.8 * share + 0.2, 0, -1))
    words = {1: evalica.Winner.X, -1: evalica.Winner.Y, 0: evalica.Winner.Draw}
    votes = ([str(i) for i in left], [str(i) for i in right], [words[int(o)] for o in outcome])
    exact = {"tolerance": 1e-15, "limit": 100_000}
    found = {
        "counting": evalica.counting(*votes),
        "average_win_rate": evalica.average_win_rate(*votes),
        "elo": evalica.elo(*votes, k=16.0),
        "eigen": evalica.eigen(*votes, **exact),
        "pagerank": evalica.pagerank(*votes, **exact),
        "newman": evalica.newman(*votes, **exact),
    }
    return {
        "left": left.tolist(),
        "right": right.tolist(),
        "outcome": outcome.tolist(),
        "v": float(found["newman"].v),
        "scores": {name: [float(result.scores[str(i)]) for i in range(k)] for name, result in found.items()},
    }


def skill():
    cases = []
    four = [25.0] * 4, [25 / 3] * 4
    mixed = [30.0, 22.0, 27.0, 25.0], [4.0, 8.0, 2.0, 6.0]
    for margin in (0.0, 0.8):
        model = ThurstoneMostellerFull(
            mu=25, sigma=25 / 3, beta=BETA, kappa=1e-4, gamma=lambda *_: 1.0, epsilon=margin, tau=0.0
        )
        results = (
            (*four, [0, 1, 2, 3]),
            (*mixed, [0, 1, 2, 3]),
            (*mixed, [1, 0, 1, 2]),
            ([24.0, 26.0], [7.0, 3.0], [1, 0]),
        )
        for means, deviations, places in results:
            teams = [[model.rating(mu=m, sigma=s)] for m, s in zip(means, deviations, strict=True)]
            new = model.rate(teams, ranks=places)
            cases.append(
                {
                    "margin": margin,
                    "means": means,
                    "deviations": deviations,
                    "places": places,
                    "new_means": [team[0].mu for team in new],
                    "new_deviations": [team[0].sigma for team in new],
                    "tolerance": 1e-12,
                }
            )
    for drawn, places in ((0.0, [0, 1]), (0.0, [1, 0]), (0.25, [0, 1]), (0.25, [0, 0])):
        game = trueskill.TrueSkill(mu=25, sigma=25 / 3, beta=BETA, tau=0, draw_probability=drawn)
        new = game.rate([(game.create_rating(28, 4),), (game.create_rating(23, 7),)], ranks=places)
        cases.append(
            {
                "margin": trueskill.calc_draw_margin(drawn, 2, game) if drawn else 0.0,
                "means": [28.0, 23.0],
                "deviations": [4.0, 7.0],
                "places": places,
                "new_means": [team[0].mu for team in new],
                "new_deviations": [team[0].sigma for team in new],
                "tolerance": 2e-6,  # its normal distribution is an approximation
            }
        )
    return cases


def powered_mean():
    human = rng.normal(size=40) + 1
    judge = human + rng.normal(size=40) * 0.5
    unlabelled = rng.normal(size=300) * 1.2 + 1.1
    low, high = ppi_mean_ci(human, judge, unlabelled, alpha=0.05, lam=0.6)
    return {
        "human": human.tolist(),
        "judge": judge.tolist(),
        "unlabelled": unlabelled.tolist(),
        "power": 0.6,
        "value": float(np.ravel(ppi_mean_pointestimate(human, judge, unlabelled, lam=0.6))[0]),
        "tuned": float(np.ravel(ppi_mean_pointestimate(human, judge, unlabelled))[0]),
        "low": float(np.ravel(low)[0]),
        "high": float(np.ravel(high)[0]),
    }


def powered_strengths():
    parts = {}
    for name, n in (("labelled", 150), ("more", 600)):
        left, right = pairs(n)
        human = (rng.random(n) < chance(left, right)).astype(int)
        judge = np.where(rng.random(n) < 0.8, human, 1 - human)
        parts[name] = {"left": left, "right": right, "human": human, "judge": judge}
    a, b = parts["labelled"], parts["more"]
    found = ppi_logistic_pointestimate(
        *(design(a["left"], a["right"]), a["human"], a["judge"], design(b["left"], b["right"]), b["judge"]),
        lam=0.7,
        optimizer_options={"ftol": 1e-16, "gtol": 1e-13},
    )
    strengths = np.append(0.0, found)
    return {
        **{part: {column: values.tolist() for column, values in rows.items()} for part, rows in parts.items()},
        "power": 0.7,
        "strengths": (strengths - strengths.mean()).tolist(),
    }


def contextual():
    left, right = pairs(300)
    length, first, group = rng.normal(size=300), rng.random(300) < 0.5, rng.integers(40, size=300)
    odds = truth[left] - truth[right] + 0.7 * length + np.where(first, 0.4, -0.4)
    share, u = 1 / (1 + np.exp(-odds)), rng.random(300)
    outcome = np.where(u < 0.85 * share, 1, np.where(u < 0.85 * share + 0.15, 0, -1))
    columns = np.column_stack([design(left, right), np.where(first, 1.0, -1.0), length])
    model = sm.GLM((outcome + 1) / 2, columns, family=sm.families.Binomial())
    plain = model.fit(cov_type="HC0", tol=1e-14)
    grouped = model.fit(cov_type="cluster", cov_kwds={"groups": group, "use_correction": False}, tol=1e-14)
    return {
        "left": left.tolist(),
        "right": right.tolist(),
        "outcome": outcome.tolist(),
        "length": length.tolist(),
        "left_first": first.tolist(),
        "group": group.tolist(),
        "parameters": plain.params.tolist(),
        "hc0": plain.cov_params().tolist(),
        "clustered": grouped.cov_params().tolist(),
    }


packages = ("choix", "evalica", "openskill", "trueskill", "ppi-python", "statsmodels")
reference = {
    "versions": {name: version(name) for name in packages},
    "plackett_luce": plackett_luce(),
    "scores": scores(),
    "skill": skill(),
    "powered_mean": powered_mean(),
    "powered_strengths": powered_strengths(),
    "contextual": contextual(),
}
Path(__file__).with_name("models_reference.json").write_text(json.dumps(reference) + "\n", encoding="utf-8")
