"""Every bias audit accuses judges without bias at the nominal rate, and finds what is planted.

200 simulated judges an audit. Of 200 tests at the .05 level 20 or more come out significant with a chance of .1 %; a
family of tests that is adjusted together counts once a judge. Discrete tests may accuse less often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest

from whetstone.audits.bias_probes import effects
from whetstone.audits.contention import contention
from whetstone.audits.debiasing import gains
from whetstone.audits.evaluating import Pair
from whetstone.audits.group_gap import gaps, spreads
from whetstone.audits.judgment_consistency import judgment_consistency
from whetstone.audits.length import length_bias
from whetstone.audits.one_vs_many import ranked
from whetstone.audits.position import position_bias
from whetstone.audits.recorded import Verdicts, audit_verdicts
from whetstone.audits.recorded_groups import accuracy_gaps
from whetstone.audits.refinement_hacking import hacking
from whetstone.audits.review_queue import queue
from whetstone.audits.self_preference import bias_score
from whetstone.audits.self_recognition import recognition
from whetstone.audits.system_ranking import system_ranking
from whetstone.audits.verdict_columns import Judged
from whetstone.core.types import TIE, Candidate, Case, Example, Finding, Generation, Signal, Verdict, user

JUDGES, MOST = 200, 19
SKILL = 0.75
PAIRS_A_QUESTION = 2


def candidate(name: str, text: str, source: str) -> Candidate:
    return Candidate(name, Generation(text), source)


def pairs(rng: Random, n: int, *, equal: bool = False, clustered: bool = True) -> list[Pair]:
    """Pairs of an own and another answer that differ in length; two to a question, as hard as each other."""
    found = []
    for i in range(n):
        cluster = f"q{i // PAIRS_A_QUESTION if clustered else i}"
        own, other = candidate("a", "x" * rng.randrange(1, 9), "me"), candidate("b", "y" * 9, "you")
        right = True if equal else rng.random() < 0.5
        first, second, marks = (
            (own, other, (right, not right or equal))
            if rng.random() < 0.5
            else (other, own, (not right or equal, right))
        )
        found.append(Pair(Example(f"{cluster}/{i}", user("?"), group=cluster), first, second, marks))
    return found


def judge(
    rng: Random,
    asked: list[Pair],
    *,
    skill: float = SKILL,
    first: float = 0.0,
    favoured: float = 0.0,
    favour: Callable[[Candidate], bool] = lambda c: False,
) -> list[Verdict]:
    """Verdicts in both orders: right with probability `skill`, equally good answers by a coin, but by the place with
    probability `first` and for a favoured answer with probability `favoured`. How hard a question is is shared by its
    pairs."""
    hard: dict[str, float] = {}
    found = []
    for pair in asked:
        ease = hard.setdefault(pair.group, rng.choice((-0.25, 0.25)))
        orders = []
        for a, b, marks in ((pair.first, pair.second, pair.correct), (pair.second, pair.first, pair.correct[::-1])):
            chance = 0.5 if marks[0] == marks[1] else skill + ease if marks[0] else 1 - skill - ease
            if favour(a) != favour(b) and rng.random() < favoured:
                chance = float(favour(a))
            if rng.random() < first:
                chance = 1.0
            said = a if rng.random() < chance else b
            orders.append(Verdict((a.id, b.id), said.id))
        choice = orders[0].choice if orders[0].choice == orders[1].choice else TIE
        found.append(Verdict((pair.first.id, pair.second.id), choice, orders=tuple(orders)))
    return found


def groups(asked: list[Pair]) -> list[str]:
    return [pair.group for pair in asked]


@dataclass(frozen=True)
class Simulated:
    """An audit of a simulated judge with a planted effect of `size`; `expected` is the estimate that it makes of it.

    `names` are the findings that accuse; the planted effect is read in `where`, by default the first of them.
    """

    audit: Callable[[Random, int, float], list[Finding]]
    names: tuple[str, ...]
    size: float
    expected: float
    n: int = 160
    null: float = 0.0
    where: str = ""


def position(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n)
    return position_bias(judge(rng, asked, first=size), groups(asked))


def longer(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n, equal=True)
    told = judge(rng, asked, favoured=size, favour=lambda c: len(c.text) == 9)
    return [length_bias(asked, told)]


def own(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n)
    return [bias_score(asked, judge(rng, asked, favoured=size, favour=lambda c: c.source == "me"), "me")]


def better_own(rng: Random, n: int, size: float) -> list[Finding]:
    """The own answers are right in 80 % of the pairs, and a perfect judge knows."""
    asked = [
        Pair(p.example, candidate("a", "own", "me"), candidate("b", "other", "you"), (good, not good))
        for p in pairs(rng, n)
        for good in [rng.random() < 0.8]
    ]
    told = judge(rng, asked, skill=0.8, favoured=size, favour=lambda c: c.source == "me")
    truth = [
        Verdict(v.shown, "a" if p.correct[0] else "b", orders=v.orders) if not size else v
        for p, v in zip(asked, told, strict=True)
    ]
    return [bias_score(asked, truth, "me")]


def recognised(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n, equal=True)
    own = {"favour": lambda c: c.source == "me"}
    return recognition(asked, judge(rng, asked, favoured=size, **own), judge(rng, asked, **own), "me")


def preferred(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n, equal=True)
    own = {"favour": lambda c: c.source == "me"}
    return recognition(asked, judge(rng, asked, **own), judge(rng, asked, favoured=size, **own), "me")


def probed(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n)
    probes = ("verbosity", "authority", "format", "sentiment", "bandwagon")
    told = {name: judge(rng, asked, skill=SKILL - (size if name == "authority" else 0)) for name in probes}
    return effects(asked, judge(rng, asked), told)


def remedied(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n)

    def arm(gain: float) -> tuple[list[Verdict], dict[str, list[Verdict]]]:
        return judge(rng, asked), {"verbosity": judge(rng, asked, skill=0.5 + gain)}

    return gains(asked, arm(0.0), arm(size))


def languages(rng: Random, n: int, size: float) -> list[Finding]:
    asked = pairs(rng, n)
    where = [("en", "sw", "th")[int(pair.group[1:]) % 3] for pair in asked]
    told = judge(rng, asked)
    weak = judge(rng, asked, skill=SKILL - size)
    return gaps(asked, [w if g == "sw" else v for v, w, g in zip(told, weak, where, strict=True)], where)


def spread(rng: Random, n: int, size: float) -> list[Finding]:
    where = [("en", "sw", "th")[i % 3] for i in range(n)]
    wide = [1 - size if g == "sw" else 1.0 for g in where]
    return spreads([[Signal(5 + 2 * w * rng.gauss(0, 1), "score") for _ in range(2)] for w in wide], where)


def courts(rng: Random, n: int, size: float) -> list[Finding]:
    dice = np.random.default_rng(rng.randrange(2**32))
    x, where = dice.normal(size=(n, 3)), dice.integers(0, 2, n)
    y = x @ np.array([1.0, 0.5, 0.0]) + dice.normal(size=n) + size * where
    return judgment_consistency(x, y, groups=where.tolist(), rounds=200, seed=rng.randrange(2**32))


def recorded(rng: Random, n: int, size: float, kind: str) -> list[Finding]:
    """Both orders of `n` pairs, four to a prompt that is easy or hard for the judge."""
    dice = np.random.default_rng(rng.randrange(2**32))
    gold = dice.integers(0, 2, n).astype(float)
    lengths, who = dice.integers(20, 900, (n, 2)).astype(float), dice.permuted(np.tile([0, 1], (n, 1)), axis=1)
    ease = np.repeat(dice.choice([-0.25, 0.25], -(-n // 4)), 4)[:n]

    def ask(swapped: bool) -> np.ndarray:
        truth, long, own = (v[:, ::-1] if v.ndim == 2 and swapped else v for v in (gold, lengths, who))
        truth = 1 - truth if swapped else truth
        said = np.where(dice.random(n) < SKILL + ease, truth, 1 - truth)
        by = {"position": np.ones(n), "length": long[:, 0] > long[:, 1], "own": own[:, 0] == 0}[kind]
        return np.where(dice.random(n) < size, by, said).astype(float)

    return audit_verdicts(
        Verdicts(
            np.concatenate([ask(False), ask(True)]),
            np.tile(np.arange(n), 2),
            np.repeat([False, True], n),
            np.concatenate([gold, 1 - gold]),
            np.concatenate([lengths, lengths[:, ::-1]]),
            np.concatenate([who, who[:, ::-1]]),
            ("me", "you"),
            np.tile(np.arange(n) // 4, 2),
        ),
        own="me",
    )


def recorded_gap(rng: Random, n: int, size: float) -> list[Finding]:
    dice = np.random.default_rng(rng.randrange(2**32))
    group = np.arange(n) // 4
    category = group % 3
    ease = dice.choice([-0.25, 0.25], n // 4 + 1)[group] - size * (category == 1)
    said = (dice.random(n) < SKILL + ease).astype(float)
    verdicts = Verdicts(said, gold=np.ones(n), group=group)
    return accuracy_gaps(Judged(verdicts, category=category, categories=("en", "sw", "th")), seed=rng.randrange(2**32))


def refined(rng: Random, n: int, size: float) -> list[Finding]:
    truth = [[float(rng.random() < 0.5) for _ in range(3)] for _ in range(n)]
    ratings = [
        [min(1.0, max(0.0, t + rng.gauss(0, 0.2) + size * i / 2 - 0)) for i, t in enumerate(row)] for row in truth
    ]
    return hacking(ratings, truth, [f"q{i}" for i in range(n)])


def many(rng: Random, n: int, size: float) -> list[Finding]:
    cases = [
        Case(Example(f"q{i}", user("?")), tuple(candidate(str(j), str(j), "x") for j in range(5)), (True, *[False] * 4))
        for i in range(n)
    ]
    values = [[Signal(rng.gauss(size if j == 0 else 0.0, 1), "score") for j in range(5)] for _ in cases]
    return ranked(cases, values)


def queued(rng: Random, n: int, size: float) -> list[Finding]:
    """The queue catches errors where verdicts that hang on the order are wrong more often."""
    asked = pairs(rng, n, clustered=False)
    told = []
    for pair in asked:
        right, wrong = ("a", "b") if (pair.first.id == "a") == bool(pair.correct[0]) else ("b", "a")
        split, wrongly = rng.random() < 0.2, rng.random() < 0.3
        if split and rng.random() < size:
            wrongly = True
        said = wrong if wrongly else right
        both = (said, wrong if said == right else right) if split else (said, said)
        shown = (pair.first.id, pair.second.id)
        orders = (Verdict(shown, both[0]), Verdict(shown[::-1], both[1]))
        told.append(Verdict(shown, said, orders=orders))
    return queue(asked, told)


def experts(rng: Random, n: int, size: float) -> list[Finding]:
    votes, answers = [], []
    for _ in range(n):
        lead = rng.choice((0.4, 0.9))
        votes.append({"x": lead, "y": (1 - lead) / 2, "z": (1 - lead) / 2})
        answers.append(["x" if rng.random() < 0.7 + size * (lead - 0.65) else "y"])
    return contention(answers, votes)


def systems(rng: Random, n: int, size: float) -> list[Finding]:
    dice = np.random.default_rng(rng.randrange(2**32))
    good = np.linspace(-0.5, 0.5, 5)
    bonus = np.array([size, 0, 0, 0, 0])
    item = dice.normal(size=(n, 1))
    people, judged = (good + item + dice.normal(size=(n, 5)) for _ in range(2))
    return system_ranking(judged + bonus, people, rounds=300, seed=rng.randrange(2**32))


AUDITS = {
    "position": Simulated(position, ("first_position",), 0.3, 0.65, null=0.5),
    "length": Simulated(longer, ("longer_answer",), 0.5, 0.75, null=0.5),
    "self_preference": Simulated(own, ("self_preference",), 0.4, 0.2),
    "self_preference of a better system": Simulated(better_own, ("self_preference",), 0.9, 0.18, n=120),
    "recognition": Simulated(recognised, ("recognition",), 0.5, 0.75, null=0.5),
    "preference": Simulated(preferred, ("preference",), 0.5, 0.75, null=0.5),
    "recognition and preference": Simulated(recognised, ("link",), 0.0, 0.0),
    "bias_probes": Simulated(
        probed, ("verbosity", "authority", "format", "sentiment", "bandwagon"), 0.4, 0.4, where="authority"
    ),
    "debiasing": Simulated(
        remedied,
        ("accuracy clean", "accuracy verbosity", "consistency verbosity"),
        0.4,
        0.41,
        n=100,
        where="accuracy verbosity",
    ),
    "group_gap": Simulated(languages, ("gap",), 0.35, 0.35, n=180),
    "scores that collapse": Simulated(
        spread, ("spread en", "spread sw", "spread th"), 0.8, 0.2, null=1.0, where="spread sw"
    ),
    "judgment_consistency": Simulated(courts, ("linco",), 1.0, 0.5, n=100),
    "recorded position": Simulated(
        lambda r, n, s: recorded(r, n, s, "position"), ("first_position",), 0.2, 0.6, 200, 0.5
    ),
    "recorded length": Simulated(lambda r, n, s: recorded(r, n, s, "length"), ("length_errors",), 0.3, 0.3, 200),
    "recorded self-preference": Simulated(
        lambda r, n, s: recorded(r, n, s, "own"), ("self_preference",), 0.3, 0.15, 200
    ),
    "recorded own errors": Simulated(lambda r, n, s: recorded(r, n, s, "own"), ("self_errors",), 0.3, 0.3, 200),
    "recorded groups": Simulated(recorded_gap, ("gap",), 0.4, 0.4, 240),
    "refinement_hacking": Simulated(refined, ("divergence",), 0.3, 0.15, n=80),
    "one_vs_many": Simulated(many, ("first_place",), 1.5, 0.65, n=60, null=0.2),
    "review_queue": Simulated(queued, ("caught",), 1.0, 0.65, n=150),
    "contention": Simulated(experts, ("gap",), 1.0, 0.5, n=120),
    "system_ranking": Simulated(systems, ("bias 0", "bias 1", "bias 2", "bias 3", "bias 4"), 0.8, 0.1, n=60),
}
LIGHT = ("position", "length", "self_preference", "self_preference of a better system", "refinement_hacking")
LIGHT += ("one_vs_many", "scores that collapse", "review_queue")


def accused(findings: list[Finding], names: tuple[str, ...]) -> bool:
    """Whether any of these findings leaves its null behind: by p where it has one, else by its interval."""
    found = [finding for finding in findings if finding.name in names]
    assert {finding.name for finding in found} == set(names)
    return any(
        finding.p < 0.05
        if finding.p is not None
        else finding.interval is not None and not finding.interval[0] <= (finding.null or 0.0) <= finding.interval[1]
        for finding in found
    )


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in LIGHT else [pytest.mark.slow]) for n in AUDITS])
def test_unbiased_judges_are_accused_at_the_nominal_rate(name: str) -> None:
    one = AUDITS[name]
    guilty = sum(accused(one.audit(Random(f"{name}/{seed}"), one.n, 0.0), one.names) for seed in range(JUDGES))
    assert guilty <= MOST
    assert guilty >= (name != "self_preference of a better system"), "a test that accuses nobody tests nothing"


@pytest.mark.parametrize("name", [name for name, one in AUDITS.items() if one.size])
def test_a_planted_bias_is_found_at_its_size(name: str) -> None:
    one = AUDITS[name]
    guilty, sizes = 0, []
    for seed in range(12):
        found = {f.name: f for f in one.audit(Random(f"planted {name}/{seed}"), 4 * one.n, one.size)}
        guilty += accused(list(found.values()), one.names)
        sizes.append(found[one.where or one.names[0]].estimate)
    assert guilty >= 11
    assert np.mean(sizes) == pytest.approx(one.expected, abs=0.06)
