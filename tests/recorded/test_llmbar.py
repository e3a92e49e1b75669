"""LLMBar: 203 recorded judges' accuracy and positional agreement (Zeng et al., 2023), and their raw replies."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from whetstone.audits.recorded import Verdicts, audit_verdicts
from whetstone.signals.parsing import read_comparison

FIRST = {"1": 1.0, "2": 0.0, "tie": 0.5, None: np.nan}


def verdicts(rows) -> Verdicts:
    """Both orders of each pair; recorded verdicts name answer 1 or 2 however they were shown."""
    ahead, behind = (np.array([FIRST[row[order]] for row in rows]) for order in ("fwd", "rev"))
    gold = np.array([float(row["label"] == 1) for row in rows])
    n = len(rows)
    return Verdicts(
        np.concatenate([ahead, 1 - behind]),
        np.tile(np.arange(n), 2),
        np.repeat([False, True], n),
        np.concatenate([gold, 1 - gold]),
    )


@pytest.fixture(scope="module")
def judged(recorded, rows):
    found: dict[tuple[str, str, str], list] = {}
    for name in ("Natural", "GPTInst", "Manual", "FairEval"):
        for row in rows(recorded("llmbar") / f"{name}.decisions.jsonl.gz"):
            found.setdefault((name, row["judge"], row["strategy"]), []).append(row)
    return found


def test_accuracy_and_agreement_of_all_203_judges(judged, recorded) -> None:
    with (recorded("llmbar") / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    assert len(expected) == len(judged) == 203
    for row in expected:
        cases = judged[row["set"], row["judge"], row["strategy"]]
        found = {f.name: f for f in audit_verdicts(verdicts(cases))}
        assert len(cases) == int(row["n"])
        assert 100 * found["accuracy"].estimate == pytest.approx(float(row["accuracy_pct"]), abs=1e-9), row
        assert 100 * found["order_consistency"].estimate == pytest.approx(float(row["agreement_pct"]), abs=1e-9), row


def test_what_the_audit_says_of_two_judges(judged) -> None:
    strong = {f.name: f for f in audit_verdicts(verdicts(judged["Natural", "GPT-4", "Vanilla"]))}
    weak = {f.name: f for f in audit_verdicts(verdicts(judged["GPTInst", "ChatGPT", "Vanilla"]))}
    assert strong["kappa"].verdict == "agrees beyond chance"
    assert weak["kappa"].verdict == "no agreement beyond chance found"
    assert weak["accuracy"].interval[1] < 0.5, "superficially better answers win"


@pytest.mark.parametrize("name", ["Natural", "GPTInst"])
@pytest.mark.parametrize(
    "judge", ["GPT-4.Vanilla", "GPT-4.CoT", "GPT-4.Swap", "ChatGPT.Vanilla", "ChatGPT.CoT", "LLaMA2.Vanilla"]
)
def test_raw_replies_are_read_as_recorded(recorded, rows, name, judge) -> None:
    read = total = 0
    for row in rows(recorded("llmbar") / "raw" / f"{name}.{judge}.jsonl.gz"):
        for asked in row["results"]:
            for order, names in (("swap = False", "12"), ("swap = True", "21")):
                if "completion" in asked.get(order, {}):
                    reading = read_comparison(asked[order]["completion"][0])
                    said = {"A": names[0], "B": names[1]}.get(reading.value, "tie") if reading else None
                    total += 1
                    read += said == asked[order]["winner"]
    assert total >= 184
    assert read == total
