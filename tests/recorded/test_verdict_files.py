"""Files of other tools with published figures: what is read from them gives the figures back."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.app.verdict_files.ranked import read_comparisons
from whetstone.app.verdict_files.reading import read_verdicts
from whetstone.app.verdict_files.writing import convert
from whetstone.audits.recorded import audit_verdicts
from whetstone.audits.rows import verdicts_of
from whetstone.audits.win_rates import win_rates
from whetstone.ranking.comparisons import count
from whetstone.ranking.reading import read_battles

Rows = Callable[[Path], list[dict[str, Any]]]
JUDGES = ["GPT-4.Vanilla", "GPT-4.CoT", "GPT-4.Swap", "ChatGPT.Vanilla", "ChatGPT.CoT", "LLaMA2.Vanilla"]


@pytest.mark.parametrize("name", ["Natural", "GPTInst"])
@pytest.mark.parametrize("judge", JUDGES)
def test_llmbar_results(recorded: Callable[[str], Path], rows: Rows, tmp_path: Path, name: str, judge: str) -> None:
    """result.json with the judges' raw replies: accuracy and positional agreement as published."""
    folder = recorded("llmbar")
    source = folder / "raw" / f"{name}.{judge}.jsonl.gz"
    if not source.is_file():
        pytest.skip(f"no {source.name}")
    with gzip.open(folder / f"{name}.dataset.json.gz", "rt", encoding="utf-8") as file:
        pairs = json.load(file)
    told = [pairs[row["i"]] | {"results": row["results"]} for row in rows(source)]
    (tmp_path / "result.json").write_text(json.dumps(told, indent=2))
    found = read_verdicts(tmp_path / "result.json", judge=judge)
    assert (found.format, found.dropped, len(found.rows)) == ("llmbar", {}, 2 * len(told))
    audited = {finding.name: finding for finding in audit_verdicts(verdicts_of(found.rows)[judge])}
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        model, strategy = judge.rsplit(".", 1)
        (expected,) = (
            row
            for row in csv.DictReader(file)
            if (row["set"], row["judge"], row["strategy"]) == (name, model, strategy)
        )
    accuracy, consistency = audited["accuracy"].estimate, audited["order_consistency"].estimate
    assert accuracy is not None
    assert consistency is not None
    assert 100 * accuracy == pytest.approx(float(expected["accuracy_pct"]), abs=1e-9)
    assert 100 * consistency == pytest.approx(float(expected["agreement_pct"]), abs=1e-9)


def test_alpaca_eval_annotations(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    """annotations.json of 12 models: the published win rate and its standard error."""
    folder = recorded("alpaca_eval_decisions")
    by_model: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(folder / "decisions.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_model.setdefault(row["model"], []).append(
                {
                    "instruction": f"Instruction {row['i']}",
                    "output_1": "x" * int(row["len_baseline"]),
                    "generator_1": "gpt4_1106_preview",
                    "output_2": "x" * int(row["len_model"]),
                    "generator_2": row["model"],
                    "annotator": "weighted",
                    "preference": float(row["preference"]) if row["preference"] else None,
                }
            )
    with (folder / "leaderboard_subset.csv").open(encoding="utf-8", newline="") as file:
        published = {row["model"]: row for row in csv.DictReader(file)}
    assert by_model.keys() == published.keys()
    for model, decisions in by_model.items():
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(decisions, indent=2))
        found = read_verdicts(path)
        one = {finding.name: finding for finding in win_rates(verdicts_of(found.rows)["weighted"])}["one order"]
        assert one.estimate is not None
        assert 100 * (1 - one.estimate) == pytest.approx(float(published[model]["win_rate"]), abs=1e-6)
        shares = np.array([row["verdict"] for row in found.rows if row["verdict"] is not None])
        error = 100 * shares.std(ddof=1) / np.sqrt(shares.size)
        assert error == pytest.approx(float(published[model]["standard_error"]), abs=1e-6)
        assert [row["second_length"] for row in found.rows] == [len(row["output_2"]) for row in decisions]


@pytest.mark.parametrize("name", ["crowd", "gpt4", "gpt3"])
def test_arena_votes(recorded: Callable[[str], Path], name: str) -> None:
    """The same comparisons as the reader of arena columns finds, and every vote on its prompt."""
    prefix = "" if name == "crowd" else f"{name}-"
    path = recorded("llmfao") / f"{prefix}crowd-comparisons.csv.gz"
    one, two = read_comparisons(path), read_battles(path)
    assert one.names == two.names
    a, b = count(one), count(two)
    assert (a.wins == b.wins).all()
    assert (a.ties == b.ties).all()
    assert len({row["prompt"] for row in read_verdicts(path).rows}) == 13


@pytest.mark.parametrize(("name", "share"), [("gpt4", 0.435), ("gpt3", 0.379)])
def test_votes_as_labels(recorded: Callable[[str], Path], tmp_path: Path, name: str, share: float) -> None:
    """Judges against the crowd: the shares of agreement with its majority, up to how even votes are broken."""
    folder = recorded("llmfao")
    votes = folder / "crowd-comparisons.csv.gz"
    done = convert(folder / f"{name}-crowd-comparisons.csv.gz", tmp_path / "out.jsonl", judge=name, labels=votes)
    assert done.labelled == done.rows == 2139
    columns = verdicts_of(read_verdicts(tmp_path / "out.jsonl").rows)[name]
    assert columns.gold is not None
    agreed = np.mean(np.sign(columns.chosen - 0.5) == np.sign(columns.gold - 0.5))
    assert agreed == pytest.approx(share, abs=0.01)
