"""`whetstone rank` on what judges do: what sways them, an exam for reviewers, and model judges against votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.app.auditing import audit_recorded
from whetstone.app.recorded_verdicts import read_recorded

SKILL = {"ash": 1.2, "elm": 0.4, "fir": -0.4, "oak": -1.2}
Call = Callable[..., Any]
Write = Callable[..., Path]


@pytest.fixture
def call(run_verb: Call) -> Call:
    return partial(run_verb, verb="rank")


def votes(n: int = 600, seed: int = 0, **sway: float) -> list[dict[str, Any]]:
    """Battles of planted strengths whose voters are swayed by length, tone, and family."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n):
        a, b = (str(name) for name in rng.choice(list(SKILL), 2, replace=False))
        long, other = (int(x) for x in rng.integers(20, 400, 2))
        tone, judge = (float(x) for x in rng.normal(size=2)), f"j{i % 2}"
        tone_a, tone_b = tone
        edge = SKILL[a] - SKILL[b] + sway.get("length", 0) * (long - other) / (long + other)
        edge += sway.get("tone", 0) * (tone_a - tone_b) + sway.get("family", 0) * ((a == "oak") - (b == "oak")) * (
            judge == "j0"
        )
        winner = "model_a" if rng.random() < 1 / (1 + np.exp(-edge)) else "model_b"
        rows.append(
            {
                **{"model_a": a, "model_b": b, "winner": winner, "judge": judge, "prompt_id": f"p{i // 4}"},
                **{"length_a": long, "length_b": other, "tone_a": tone_a, "tone_b": tone_b},
            }
        )
    return rows


# -------------------------------------------------------------------------------- what sways judges


def test_planted_effects_are_found_with_flags(write: Write, call: Call) -> None:
    write("b.jsonl", votes(3000, length=1.5, tone=0.5, family=1.0))
    flags = ("--length", "--covariate", "tone=tone_a-tone_b", "--family", "oak=acme,j0=acme", "--json")
    found = call("b.jsonl", *flags)
    assert found["method"] == "contextual_bradley_terry"
    effects = found["settings"]["effects"]
    for name, truth in (("length", 1.5), ("tone", 0.5), ("own family", 1.0), ("shown first", 0.0)):
        assert effects[name]["low"] < truth < effects[name]["high"]
    assert all(effects[name]["p"] < 0.001 for name in ("length", "tone", "own family"))
    assert [s["name"] for s in found["systems"]] == list(SKILL)
    assert "own family" in call("b.jsonl", "--family", "oak=acme,j0=acme", "--no-position")


def test_nothing_is_found_where_nothing_sways(write: Write, call: Call) -> None:
    write("b.jsonl", votes(2000, seed=1))
    effects = call("b.jsonl", "--length", "--covariate", "tone=tone_a-tone_b", "--json")["settings"]["effects"]
    assert all(effect["low"] < 0 < effect["high"] for effect in effects.values())


def test_rows_that_are_left_out_take_their_covariates_along(write: Write, call: Call) -> None:
    rows = votes(400, length=2.0)
    whole, n = call_on(write, call, rows), len(rows)
    for i in range(0, n, 3):
        rows.insert(i, {**rows[i], "winner": None, "length_a": None})
    assert call_on(write, call, rows)["settings"]["effects"] == whole["settings"]["effects"]
    rows[1]["length_a"] = None
    write("b.jsonl", rows)
    assert "row 2, column length_a: no value" in call("b.jsonl", "--length", status=2)


def call_on(write: Write, call: Call, rows: Sequence[dict[str, Any]]) -> Any:
    write("b.jsonl", rows)
    return call("b.jsonl", "--length", "--json")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--covariate", "tone"], "write NAME=VALUE, such as length=words_a/words_b"),
        (["--covariate", "tone=tone_a/nope"], "write tone=LEFT/RIGHT for a ratio"),
        (["--covariate", "tone=tone_a/tone_b"], "write tone=tone_a-tone_b"),
        (["--family", "gpt=acme"], "nobody is called 'gpt'"),
        (["--length", "--method", "elo"], "covariates are for contextual_bradley_terry"),
        (["--separate", "ash"], "write two systems, --separate 'new, old'"),
        (["--separate", "ash, yew"], "no system is called 'yew'"),
        (["--separate", "ash, elm", "--method", "elo"], "gives no covariance of log-odds"),
        (["--exam", "none.jsonl"], "no such file"),
        (["--method", "peer_review"], "peer_review needs --exam FILE"),
        (["--labelled", "x.jsonl"], "--labelled writes the verdicts of --against FILE"),
        (["--against", "b.jsonl", "--labelled", "b.jsonl/x.jsonl"], "x.jsonl: File exists; choose another file"),
        (["--against", "b.jsonl"], ""),
    ],
)
def test_a_mistake_is_one_line(write: Write, call: Call, argv: list[str], said: str) -> None:
    write("b.jsonl", votes(60))
    if said:
        assert said in call("b.jsonl", *argv, status=2)
    else:
        assert "1.00" in call("b.jsonl", *argv), "votes agree with themselves"


# ------------------------------------------------------------------------------ how many more battles


def test_how_many_more_battles_would_separate_two(write: Write, call: Call) -> None:
    write("b.jsonl", votes(300))
    found = call("b.jsonl", "--separate", "elm, ash", "--separate", "ash, oak", "--json")["asked"]
    assert [(one["first"], one["second"]) for one in found] == [("elm", "ash"), ("ash", "oak")]
    assert found[0]["battles"] > 0 == found[1]["battles"]
    text = call("b.jsonl", "--separate", "elm, ash", "--separate", "ash, oak")
    assert "ash and oak are told apart; no more comparisons" in text
    assert "elm and ash are not told apart: about" in text


# -------------------------------------------------------------------------------------------- exam


def exam(right: dict[str, float], items: int = 60, both: bool = False) -> list[dict[str, Any]]:
    """Verdicts with labels; a judge is right with its chance."""
    rng, rows = np.random.default_rng(0), []
    for judge, chance in right.items():
        for i in range(items):
            label = "first" if i % 2 else "second"
            for swapped in (False, True) if both else (False,):
                good = rng.random() < chance
                said = label if good else {"first": "second", "second": "first"}[label]
                turned = {"first": "second", "second": "first", "tie": "tie"} if swapped else {}
                rows.append(
                    {"judge": judge, "pair": f"q{i}", "swapped": swapped, "verdict": turned.get(said, said)}
                    | {"label": turned.get(label, label)}
                )
    return rows


def test_a_bad_reviewer_fails_the_exam_and_is_not_heard(write: Write, call: Call) -> None:
    """The bad one says the contrary of what is true, twice as often as the others say anything."""
    rng, reviews = np.random.default_rng(1), []
    for i in range(900):
        a, b = (str(name) for name in rng.choice(list(SKILL), 2, replace=False))
        better = rng.random() < 1 / (1 + np.exp(2 * (SKILL[b] - SKILL[a])))
        judge = ("good", "bad", "bad")[i % 3]
        winner = "model_a" if better != (judge == "bad") else "model_b"
        reviews.append({"model_a": a, "model_b": b, "winner": winner, "judge": judge, "prompt_id": i})
    write("reviews.jsonl", reviews)
    write("exam.jsonl", exam({"good": 0.95, "bad": 0.2}))
    found = call("reviews.jsonl", "--exam", "exam.jsonl", "--json")
    assert found["method"] == "peer_review"
    assert [s["name"] for s in found["systems"]] == list(SKILL)
    assert found["settings"]["reviewers"]["bad"]["weight"] == 0
    assert call("reviews.jsonl", "--json")["systems"][0]["name"] == "oak", "without an exam the bad one wins"
    text = call("reviews.jsonl", "--exam", "exam.jsonl")
    assert "Not heard, since below 0.6: bad 0." in text
    write("exam.jsonl", exam({"good": 0.95, "bad": 0.2}, both=True))
    again = call("reviews.jsonl", "--exam", "exam.jsonl", "--json")
    assert again["settings"]["reviewers"]["good"]["exam"] > 0.8


def test_who_always_takes_the_first_is_half_right_and_agrees_never(write: Write, call: Call) -> None:
    write("reviews.jsonl", [{**row, "judge": ("good", "first")[i % 2]} for i, row in enumerate(votes(200))])
    first = [{**row, "judge": "first", "verdict": "first"} for row in exam({"good": 1.0}, both=True)]
    write("exam.jsonl", [*exam({"good": 1.0}, both=True), *first])
    found = call("reviews.jsonl", "--exam", "exam.jsonl", "--json")["settings"]["reviewers"]
    assert found["first"] == {"exam": 0.25, "weight": 0.0}
    assert found["good"]["exam"] == 1.0


def test_an_exam_is_the_same_for_all(write: Write, call: Call) -> None:
    write("reviews.jsonl", votes(60))
    rows = exam({"j0": 0.9, "j1": 0.9})
    for wrong, said in (
        (rows[:-1], "'j1' was not asked about pair 'q59'"),
        ([{**row, "label": None} for row in rows], "no verdict has a label"),
        (exam({"j0": 0.9}), "'j1' reviews but did not sit the exam"),
        (exam({"j0": 0.3, "j1": 0.2}), "no reviewer passes the exam"),
    ):
        write("exam.jsonl", wrong)
        assert said in call("reviews.jsonl", "--exam", "exam.jsonl", status=2)


# ------------------------------------------------------------------------------------ judges by votes


def verdicts(people: Sequence[dict[str, Any]], judges: dict[str, float], seed: int = 0) -> list[dict[str, Any]]:
    """A judge's verdicts in both orders on what people voted on: as people say with its chance, else a coin."""
    rng, rows, done = np.random.default_rng(seed), [], set()
    for vote in people:
        for judge, chance in judges.items():
            pair = tuple(sorted((vote["model_a"], vote["model_b"])))
            if (judge, vote["prompt_id"], pair) in done:
                continue
            done.add((judge, vote["prompt_id"], pair))
            won = vote[vote["winner"]] if rng.random() < chance else str(rng.choice(pair))
            for first, second in (pair, pair[::-1]):
                rows.append(
                    {"judge": judge, "prompt": vote["prompt_id"], "first": first, "second": second}
                    | {"verdict": "first" if won == first else "second"}
                    | {"first_length": 10 + len(first), "second_length": 10 + len(second)}
                )
    return rows


def test_a_good_judge_agrees_with_votes_and_a_coin_does_not(write: Write, call: Call) -> None:
    people = votes(600, seed=3)
    write("votes.jsonl", people)
    write("verdicts.jsonl", verdicts(people, {"good": 0.8, "coin": 0.0}))
    found = {one["judge"]: one for one in call("votes.jsonl", "--against", "verdicts.jsonl", "--json")["judges"]}
    by = {judge: {f["name"]: f for f in one["findings"]} for judge, one in found.items()}
    assert found["good"]["used"] == 600
    assert by["good"]["rank_spearman"]["estimate"] == 1.0
    assert by["good"]["vote_pearson"]["interval"][0] > 0.6
    low, high = by["coin"]["vote_pearson"]["interval"]
    assert low < 0.03
    assert high < 0.3
    text = call("votes.jsonl", "--against", "verdicts.jsonl")
    assert "vote correlation" in text
    assert "good" in text
    call("votes.jsonl", "--against", "verdicts.jsonl", "--picture", "page.html")
    assert "Model judges against these votes" in Path("page.html").read_text()


def test_votes_are_labels_for_the_audit_of_the_verdicts(write: Write, call: Call) -> None:
    people = votes(600, seed=3)
    write("votes.jsonl", people)
    write("verdicts.jsonl", verdicts(people, {"good": 0.8, "coin": 0.0}))
    call("votes.jsonl", "--against", "verdicts.jsonl", "--labelled", "labelled.jsonl")
    audited = audit_recorded(read_recorded(Path("labelled.jsonl")), "labelled.jsonl")
    kappa = {one.judge: next(m.finding for m in one.measured if m.finding.name == "kappa") for one in audited.judges}
    assert kappa["good"].interval is not None
    assert kappa["good"].interval[0] > 0.6
    assert kappa["coin"].interval is not None
    assert kappa["coin"].interval[1] < 0.3


def test_rankings_of_several_are_votes_too(write: Write, call: Call) -> None:
    rng, rows, said = np.random.default_rng(0), [], []
    for i in range(150):
        seen = {name: skill + rng.gumbel() for name, skill in SKILL.items()}
        order = sorted(seen, key=lambda name: -seen[name])
        rows.append({"prompt_id": f"p{i}", "ranking": [[name] for name in order], "judge": "ann"})
        said += [
            {"judge": "echo", "prompt": f"p{i}", "first": a, "second": b, "verdict": "first"}
            for a, b in combinations(order, 2)
        ]
    write("votes.jsonl", rows)
    write("verdicts.jsonl", said)
    (found,) = call("votes.jsonl", "--against", "verdicts.jsonl", "--json")["judges"]
    assert found["used"] == 150 * 6
    assert {f["name"]: f["estimate"] for f in found["findings"]}["vote_agreement"] == 1.0
    write("verdicts.jsonl", [{**row, "prompt": "elsewhere"} for row in said])
    complaint = call("votes.jsonl", "--against", "verdicts.jsonl", status=2)
    assert "people's prompts look like 'p0', the judge's like 'elsewhere'" in complaint
