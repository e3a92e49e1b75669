"""What tests of verbs share: running one, writing a file for it, and a realistic result of `improve`, made up."""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from whetstone.app import cli
from whetstone.app.result import (
    Arm,
    AuditRow,
    BaselineRow,
    Bin,
    Change,
    Conclusion,
    Cost,
    LevelAccuracy,
    LevelMeasure,
    Measure,
    ModelCard,
    Paired,
    Prediction,
    Provenance,
    Result,
    RiskPoint,
    SeedRun,
    SignalRow,
    Step,
    StrategyRow,
    TaskCard,
    TrainingRound,
)
from whetstone.core.types import Alarm, Finding


@pytest.fixture
def run_verb(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a verb of the command line: its JSON, or its text; with a status of 2 its complaint, which is one line."""

    def run(*argv: str, verb: str, status: int = 0) -> Any:
        assert cli.main([verb, *argv]) == status, capsys.readouterr().err
        captured = capsys.readouterr()
        if status == 2:
            assert captured.out == ""
            assert captured.err.count("\n") == 1
            return captured.err.strip()
        return json.loads(captured.out) if "--json" in argv else captured.out

    return run


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write rows as a file in a folder of its own, which is the current one; the name says the format."""
    monkeypatch.chdir(tmp_path)

    def to(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        path = Path(name)
        if name.endswith(".parquet"):
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        elif ".jsonl" in name:
            text = "".join(json.dumps(row) + "\n" for row in rows)
            path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        else:
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if name.endswith(".tsv") else ",")
                writer.writeheader()
                writer.writerows(rows)
        return path

    return to


LEVELS = ("6", "7", "8", "9", "10", "11", "12")
BASE = dict(zip(LEVELS, (1.0, 0.99, 0.95, 0.63, 0.28, 0.04, 0.01), strict=True))
N = 100


def share(value: float, n: int = N) -> Measure:
    """A share with its Wilson interval."""
    hits, z = min(n, max(0, round(value * n))), 1.96
    p = hits / n
    mid, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Measure(p, (max(0.0, (mid - half) / scale), min(1.0, (mid + half) / scale)), n)


def around(value: float, half: float, n: int = N) -> Measure:
    """A value with a symmetric interval."""
    return Measure(value, (value - half, value + half), n)


def paired(level: str, before: float, after: float, n: int = N) -> Paired:
    """A plausible paired comparison of two accuracies."""
    broken = round(0.02 * n * before)
    fixed = round((after - before) * n) + broken
    fixed, broken = (fixed, broken) if fixed >= 0 else (0, broken - fixed)
    change = (fixed - broken) / n
    spread = 1.96 * math.sqrt(max(fixed + broken, 1)) / n
    p = min(1.0, 2 * 0.5 ** max(1, abs(fixed - broken)))
    return Paired(
        level,
        share(before, n),
        share(after, n),
        Measure(change, (change - spread, change + spread), n),
        p,
        "exact McNemar",
        fixed,
        broken,
        p < 0.05 and fixed > broken,
    )


def accuracies(gain: float) -> tuple[LevelAccuracy, ...]:
    """Accuracy by level after training that went `gain` (0 to 1, or below 0) of the way."""
    reach = dict(zip(LEVELS, (1.0, 1.0, 0.99, 0.98, 0.84, 0.70, 0.15), strict=True))
    rows = []
    for level in LEVELS:
        value = BASE[level] + gain * (reach[level] - BASE[level]) if gain >= 0 else BASE[level] * (1 + gain)
        rows.append(LevelAccuracy(level, share(value), share(value * 0.9), share(0.97 - 0.02 * abs(gain))))
    overall = sum(r.greedy.value or 0 for r in rows) / len(rows)
    return (LevelAccuracy("", share(overall, N * len(LEVELS)), share(overall * 0.9, N * len(LEVELS))), *rows)


def seed_run(role: str, seed: int) -> SeedRun:
    """The rounds of one arm with one seed."""
    rng = random.Random(f"{role}{seed}")
    gains = {"label_free": (0.0, 0.72, 0.95), "gold": (0.0, 0.8, 1.15), "naive": (0.0, -0.22)}[role]
    naive = role == "naive"
    rounds = []
    for i, gain in enumerate(gains):
        gain = gain + rng.uniform(-0.03, 0.03) if i else gain
        rows = accuracies(gain)
        truth = rows[0].greedy.value or 0.0
        alarms = ()
        if naive and i:
            alarms = (
                Alarm("proxy_against_gold", "the proxy rose by .31 while held-out accuracy fell by .12", stop=True),
                Alarm("acceptance", "99.7 % of the generations were kept: the filter does not filter"),
            )
        rounds.append(
            TrainingRound(
                index=i,
                seen=3200 if i else 0,
                kept=(3190 if naive else 1450 + 90 * i) if i else 0,
                proxy=share(0.62 + 0.31 * i if naive else truth + 0.05, 700),
                gold=share(truth, 700),
                precision=share(0.55 if naive else 1.0 if role == "gold" else 0.97, 1500) if i else None,
                exploration=around(0.61 - 0.09 * i, 0.02, 400),
                exploitation=around(0.72 - 0.2 * i if naive else 0.72 + 0.11 * i, 0.02, 400),
                balance=around(0.66 + (-0.15 if naive else 0.03) * i, 0.02, 400),
                distinct=around(4.9 - 1.1 * i, 0.15, 400),
                length=around(47.0 - (14 if naive else 0.4) * i, 0.8, 400),
                accuracy=rows,
                alarms=alarms,
                rolled_back=naive and i == 1,
                tokens=210_000 if i else 40_000,
                seconds=19.4 + rng.random() if i else 3.1,
            )
        )
    kept = 0 if naive else len(rounds) - 1
    before, after = rounds[0].accuracy, rounds[kept].accuracy
    pairs = [
        paired(b.level, b.greedy.value or 0, a.greedy.value or 0, b.greedy.n)
        for b, a in zip(before, after, strict=True)
    ]
    tokens, seconds = sum(r.tokens for r in rounds), sum(r.seconds for r in rounds)
    return SeedRun(seed, tuple(rounds), before, after, pairs[0], tuple(pairs[1:]), kept, tokens, seconds)


def signal(name: str, auroc: float, *, trusted: bool = False, tokens: float = 0.0) -> SignalRow:
    """A signal with its reliability and risk-coverage curves."""
    kept = auroc > 0.55
    sharpness = 2 * auroc - 1
    bins = tuple(
        Bin(i / 8, (i + 1) / 8, (i + 0.5) / 8, share(0.5 + ((i + 0.5) / 8 - 0.5) * (0.5 + 0.5 * sharpness), n))
        for i, n in enumerate((190, 70, 44, 31, 36, 52, 120, 257))
    )
    curve = tuple(RiskPoint(c / 20, share(0.37 * (c / 20) ** (4 * sharpness + 0.1), 40 * c)) for c in range(1, 21))
    reason = "separates right from wrong" if kept else "no better than chance after Holm's correction"
    return SignalRow(
        name,
        kept,
        reason,
        trusted,
        around(auroc, 0.018, 800),
        0.0001 if kept else 0.41,
        around(0.04 + 0.2 * (1 - auroc), 0.012, 800),
        around(0.25 - 0.2 * sharpness, 0.011, 800),
        tokens,
        800,
        0 if kept else 12,
        bins,
        curve,
    )


def strategy(name: str, accuracy: float, tokens: float, **flags: bool) -> StrategyRow:
    """A strategy with its place in the accuracy-tokens plane."""
    levels = tuple(LevelMeasure(level, share(min(1, BASE[level] * accuracy / 0.56))) for level in LEVELS)
    return StrategyRow(
        name,
        share(accuracy, 700),
        around(tokens, tokens * 0.03, 700),
        {"n": 8} if tokens > 100 else {},
        flags.get("pareto", False),
        flags.get("recommended", False),
        0.002 * tokens / 70,
        levels,
    )


@pytest.fixture(scope="session")
def synthetic() -> Result:
    """The whole result."""
    arms = (
        Arm(
            "agreement_filter",
            "label_free",
            "keeps samples that agree with the majority of complete ledgers; no gold labels",
            "expert_iteration",
            "vote_share",
            True,
            tuple(seed_run("label_free", s) for s in range(3)),
        ),
        Arm(
            "gold_filter",
            "gold",
            "keeps samples that the exact check accepts: the limit of filtering",
            "expert_iteration",
            "gold",
            False,
            tuple(seed_run("gold", s) for s in range(3)),
        ),
        Arm(
            "naive_self_reward",
            "naive",
            "keeps whatever an unaudited one-word P(True) accepts",
            "self_rewarding",
            "p_true",
            False,
            tuple(seed_run("naive", s) for s in range(3)),
        ),
    )
    main = arms[0].runs
    pairs = [
        paired(
            level,
            sum(r.before[i].greedy.value or 0 for r in main) / 3,
            sum(r.after[i].greedy.value or 0 for r in main) / 3,
            300 if level else 2100,
        )
        for i, level in enumerate(("", *LEVELS))
    ]
    question = "63c-7e-3b+0a+9d-2f+4g-8h+1i+5"
    right = "c-7=56e-3=53b+0=53a+9=62d-2=60f+4=64g-8=56h+1=57i+5=62"
    wrong = "c-7=56e-3=53b+0=53a+9=62d-2=60f+4=64g-8=55h+1=56i+5=61"
    changes = tuple(
        Change(
            "fixed" if i % 3 else "broken",
            f"test-{i:04d}",
            LEVELS[2 + i % 4],
            question,
            "62",
            wrong if i % 3 else right,
            right if i % 3 else wrong,
            "61" if i % 3 else "62",
            "62" if i % 3 else "61",
            not i % 3,
            bool(i % 3),
            i % 3,
        )
        for i in range(12)
    )
    sentence = (
        "Training on its own agreed answers raised held-out accuracy from .56 to .80 "
        "(+.24 [+.22, +.26], p < .001, 3 seeds x 700 questions): "
        f"{pairs[0].fixed} answers fixed, {pairs[0].broken} broken."
    )
    names = ("baseline", "know", "audit", "gap", "sharpen", "train", "verdict")
    sentences = (
        "The model solves levels 6 to 8, is partial at 9 and 10, and fails from 11 on.",
        "Vote share separates right from wrong best; one-word P(True) does not beat chance and is dropped.",
        "The one-word judge always picks the second answer: do not trust it.",
        "Pass@8 is .31 above greedy at levels 9 and 10: self-improvement is worth trying.",
        "For up to 300 tokens a question use beta_stopping; beyond that nothing is gained.",
        "Two rounds were kept; the naive arm was rolled back after its first.",
        sentence,
    )
    steps = tuple(
        Step(name, 4.0 + 9 * i, 120_000 + 40_000 * i, 3000, text, {"BudgetExceeded": 2} if name == "sharpen" else {})
        for i, (name, text) in enumerate(zip(names, sentences, strict=True))
    )
    overall = sum(BASE.values()) / len(BASE)
    rows = [("", overall, N * len(LEVELS)), *((level, BASE[level], N) for level in LEVELS)]
    return Result(
        run=Provenance(
            "20260901-101500-5f3a",
            "whetstone improve ledger:levels=6-12 --model grit --seeds 3 --budget 4000000",
            "0.1.0",
            {"python": "3.11.2", "torch": "2.13.0", "transformers": "5.23.0", "numpy": "2.4.1", "scipy": "1.17.0"},
            {"model.safetensors": "9f2c" * 16, "tokenizer.json": "01ab" * 16},
            (0, 1, 2),
            "2026-09-01T10:15:00Z",
            "2 x AMD EPYC 9R14, 8 GB, CPU",
            {"rounds": 2, "samples": 8, "levels": ["7-10", "8-11"]},
        ),
        task=TaskCard(
            "ledger:levels=6-12",
            "Balances of labelled ledgers modulo 100; the level is the number of entries.",
            LEVELS,
            {"train": 800, "dev": 200, "test": N * len(LEVELS)},
        ),
        model=ModelCard(
            "grit",
            "c0ffee" * 6,
            661_000,
            "A tiny Llama trained from scratch on generated ledgers; plays every role.",
            "Apache-2.0",
            "deadbeef" * 5,
            "runs/demo/model",
        ),
        steps=steps,
        k=8,
        temperature=0.7,
        baseline=tuple(
            BaselineRow(
                level,
                share(v, n),
                share(v * 0.8, n),
                share(min(1, v * 1.2 + 0.05), n),
                share(min(1.0, v + 0.04), n),
                around(3 + 4 * (1 - v), 0.2, n),
                share(0.96 - 0.1 * (1 - v), max(1, round(v * n))),
                share(0.01, n),
            )
            for level, v, n in rows
        ),
        signals=(
            signal("vote_share", 0.951, trusted=True),
            signal("mean_logprob", 0.912),
            signal("critique", 0.897, tokens=61.0),
            signal("self_certainty", 0.846),
            signal("p_ik", 0.79, tokens=31.0),
            signal("sum_logprob", 0.752),
            signal("p_true", 0.503, tokens=78.0),
            replace(SignalRow("verbalized", False, "the model cannot answer this form", n=800), abstained=800),
        ),
        audits=(
            AuditRow(
                "pairwise (one word)",
                False,
                "Picks the second answer whatever it says.",
                (
                    Finding("position: same choice in both orders", 0.02, (0.01, 0.04), 400, 1.0, 1e-9, "fails"),
                    Finding("agreement with the verifier", 0.51, (0.46, 0.56), 400, 0.5, 0.72, "chance"),
                ),
            ),
            AuditRow(
                "critique",
                True,
                "Agrees with the verifier and does not favour long answers.",
                (
                    Finding("length: prefers the longer wrong answer", 0.49, (0.44, 0.54), 400, 0.5, 0.7, "none"),
                    Finding("agreement with the verifier", 0.94, (0.92, 0.96), 400, 0.5, 1e-12, "agrees"),
                ),
            ),
        ),
        prediction=Prediction(
            True,
            "The signal picks better answers than the model gives.",
            (
                Finding("generation-verification gap", 0.24, (0.21, 0.27), 700, 0.0, 1e-9, "worth trying"),
                Finding("share of questions in the pass@8 band", 0.38, (0.34, 0.42), 700, 0.0, 1e-9, "enough"),
            ),
        ),
        strategies=(
            strategy("greedy", 0.56, 62, pareto=True),
            strategy("beta_stopping", 0.642, 210, pareto=True, recommended=True),
            strategy("early_stopping", 0.628, 260),
            strategy("best_of_n", 0.651, 500, pareto=True),
            strategy("self_consistency", 0.645, 498),
            strategy("self_refine", 0.602, 340),
            strategy("if_or_else", 0.598, 190),
        ),
        arms=arms,
        conclusion=Conclusion(
            True,
            sentence,
            "agreement_filter",
            pairs[0],
            tuple(replace(run.overall, level="") for run in main),
            tuple(pairs[1:]),
            share(0.56, 2100),
            share(0.8, 2100),
            share(0.93, 1176),
            share(0.97, 1680),
            changes,
        ),
        cost=Cost(
            187.0,
            {"policy": 910_000, "judge": 120_000},
            {"policy": 1_420_000, "judge": 88_000},
            610_000,
            31_000,
            0,
            4_000_000,
            1_100_000_000,
        ),
        limits=(
            "Level 12 stays near zero (.01 before, .15 after): the loop does not cross it in two rounds.",
            "At level 11 the agreed answers are wrong in 8 of 100 cases: training past it would learn mistakes.",
        ),
        summary=sentence,
    )


STEPS = ("baseline", "know", "audit", "gap", "sharpen", "train", "verdict")
BAD = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\x00\x1b[31m\u202e\ud800'\"`&lt;]]>-->"
)


@pytest.fixture(scope="session")
def hostile(synthetic: Result) -> Result:
    """The same result with an attack in every text that a model, a file or a user could have written."""
    data = json.loads(synthetic.to_json())

    def poison(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: poison(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [poison(item, key) for item in value]
        fixed = key in ("schema", "kind", "role") or value in STEPS
        return f"{value}{BAD}" if isinstance(value, str) and not fixed else value

    return Result.from_json(json.dumps(poison(data, "")))
