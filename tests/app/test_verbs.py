"""Every verb on the toy: what it prints, and that --json is JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask

from whetstone.app import cli
from whetstone.app.plan import Plan

ASKING = ("verbs.solve", "verbs.know", "verbs.train", "verbs.run", "verbs.compare", "verbs.doctor", "improve")
TOY = ["--task", "toy", "--model", "toy"]
SMALL = Plan(test=60, dev=24, pool=40, k=4, rounds=1, judged=16)

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb in an empty folder with the toy behind every spec; returns its JSON."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"input": "1+1", "target": "2"}\n')
    for name in ASKING:
        module = import_module(f"whetstone.app.{name}")
        monkeypatch.setattr(module, "load_task", lambda spec: ToyTask())
        monkeypatch.setattr(module, "load_model", lambda spec, device="auto": ToyModel())
    monkeypatch.setattr("whetstone.app.improve.fit", lambda *args, **options: SMALL)

    def call(*argv: str, status: int = 0) -> Any:
        assert cli.main(argv) == status, capsys.readouterr().err
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in argv else out

    return call


def test_solve_compares_strategies_on_the_same_questions(run: Run) -> None:
    argv = ["solve", *TOY, "--limit", "40", "--strategy", "greedy", "--strategy", "self_consistency:n=4"]
    found = run(*argv, "--json")
    first, second = found["strategies"]
    assert first["accuracy"]["n"] == second["accuracy"]["n"] == 40
    assert second["tokens"]["value"] == 4 * first["tokens"]["value"]
    assert second["against"]["difference"]["n"] == 40
    assert [level["level"] for level in first["levels"]] == ["1", "2", "3", "4"]
    assert "self_consistency n=4" in run(*argv)


def test_solve_keeps_to_the_tokens_of_a_question(run: Run) -> None:
    found = run("solve", *TOY, "--limit", "8", "--tokens", "120", "--strategy", "self_consistency:n=16", "--json")
    only = found["strategies"][0]
    assert only["tokens"]["value"] is None or only["tokens"]["value"] <= 120
    assert only["failed"] + only["abstained"] + only["accuracy"]["n"] >= 8


def test_know_ranks_signals(run: Run) -> None:
    found = run("know", *TOY, "--limit", "40", "--k", "4", "--signals", "mean_logprob,p_true", "--json")
    assert [row["name"] for row in found["rows"]] == ["mean_logprob", "p_true"]
    assert found["rows"][0]["kept"]
    assert not found["rows"][1]["kept"]
    assert "error rate among the surest" in run("know", *TOY, "--limit", "40", "--signals", "mean_logprob")


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["position", "--samples", "4"], {"first_position", "order_consistency", "unreadable"}),
        (["calibration", "--signal", "p_true"], {"auroc", "ece", "brier"}),
        (["pairwise_judge"], {"the same in both orders", "readable", "prefers the right answer (ties half)"}),
    ],
)
def test_run_prints_the_findings_of_audits_and_judges(run: Run, argv: list[str], names: set[str]) -> None:
    name, *flags = argv
    found = run("run", name, *TOY, "--limit", "30", *flags, "--json")
    assert {f["name"] for f in found} == names
    assert all(name in run("run", argv[0], *TOY, "--limit", "30", *flags) for name in names)


def test_run_takes_a_strategys_options_as_flags(run: Run) -> None:
    found = run("run", "self_consistency", *TOY, "--limit", "12", "--n", "3", "--json")
    assert found["strategy"] == "self_consistency n=3"


def test_run_a_signal(run: Run) -> None:
    found = run("run", "vote_share", *TOY, "--limit", "30", "--json")
    assert found["rows"][0]["name"] == "vote_share"


def test_run_a_study(run: Run) -> None:
    found = run("run", "majority_voting_helps", *TOY, "--questions", "24", "--json")
    assert all({"name", "estimate", "interval", "n"} <= set(f) for f in found)


def test_train_a_loop_and_look_at_its_rounds(run: Run, tmp_path: Path) -> None:
    found = run(
        "train", "expert_iteration", *TOY, "--questions", "60", "--rounds", "2", "--audited", "--test", "40", "--json"
    )
    assert [row["index"] for row in found["run"]["rounds"]] == [0, 1, 2]
    assert Path(found["saved"]).is_dir()
    assert run("run", "proxy_gold_gap", "--json") is None
    assert any(f["name"] == "distinct" for f in run("run", "bstar", "--json"))
    assert "no alarm in 2 rounds" in run("run", "length_drift")


def test_compare_two_stored_runs(run: Run) -> None:
    run("solve", *TOY, "--limit", "40", "--json")
    run("solve", *TOY, "--limit", "40", "--strategy", "self_consistency:n=4", "--json")
    second, first = [row["id"] for row in run("runs", "--json")]
    found = run("compare", first, second, "--json")
    assert found["pairs"][0]["difference"]["n"] == 40
    assert {one["level"] for one in found["slices"]} == {"1", "2", "3", "4"}
    same = run("compare", f"a=runs/{first}", f"b={first}", "--gate", "--json", status=3)
    assert same["pairs"][0]["p"] == 1.0
    assert not same["gate"]["passed"]


def test_compare_two_strategies_now(run: Run) -> None:
    found = run("compare", "greedy", "best_of_n:n=4", *TOY, "--limit", "40", "--json")
    assert [system["name"] for system in found["systems"]] == ["greedy", "best_of_n:n=4"]


def test_runs_are_listed_shown_diffed_exported_deleted_and_resumed(run: Run, tmp_path: Path) -> None:
    run("solve", *TOY, "--limit", "8", "--json")
    run("solve", *TOY, "--limit", "12", "--json")
    second, first = [row["id"] for row in run("runs", "--json")]
    assert run("runs", "show", first, "--json")["records"] == {"outcome": 8}
    assert run("runs", "diff", first, second, "--json")["params"]["limit"] == [8, 12]
    assert Path(run("runs", "export", first, "out.jsonl", "--json")["exported"]).exists()
    again = run("runs", "resume", first, "--json")
    assert again["run"] == first
    assert run("runs", "delete", first, "--json") == {"deleted": first}
    assert [row["id"] for row in run("runs", "--json")] == [second]
    assert second in run("runs")


def test_doctor_says_what_the_model_can_do(run: Run) -> None:
    found = run("doctor", "--model", "toy", "--json")
    checks = {c["name"]: c["passed"] for c in found["checks"]}
    assert found["passed"]
    assert checks["seed"]
    assert {m["method"] for m in found["methods"]} > {"greedy", "p_true", "position", "expert_iteration"}
    assert (
        next(m for m in found["methods"] if m["method"] == "critique")["abstains"] == "the toy cannot play 'critique'"
    )
    assert checks["training"]
    assert not checks["vectors"]


def test_improve_then_report(run: Run) -> None:
    found = run("improve", "toy", "--model", "toy", "--json")
    assert found["schema"] == "whetstone.result/1"
    assert [step["name"] for step in found["steps"]] == [
        "baseline", "know", "audit", "gap", "sharpen", "train", "verdict",
    ]  # fmt: skip
    written = run("report", "--json")
    assert Path(written["report"]).read_text().startswith("<!doctype html>")
    again = run("improve", "--resume", "last", "--json")
    assert again["conclusion"] == found["conclusion"]


def test_improve_without_training_is_about_the_strategy(run: Run) -> None:
    found = run("improve", "toy", "--model", "toy", "--no-train", "--out", "here", "--json")
    assert found["arms"] == []
    assert found["conclusion"]["subject"].startswith("the strategy")
    assert Path("here/report.html").exists()


def test_improve_stops_at_its_budget_and_says_so(run: Run) -> None:
    found = run("improve", "toy", "--model", "toy", "--budget", "30k", "--json")
    assert not found["complete"]
    assert "budget of 30000 tokens" in found["stopped"]
    assert found["cost"]["prompt"]["policy"] <= 30_000
    assert len(found["steps"]) < 7


def test_validate_names_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"input": "1+1", "target": "2"}\n{oops\n')
    found = run("validate", "bad.jsonl", "--json", status=2)
    assert [p["line"] for p in found["problems"]] == [2]
    (tmp_path / "good.jsonl").write_text('{"input": "1+1", "target": "2"}\n{"input": "1+2", "target": "3"}\n')
    assert run("validate", "good.jsonl", "--json")["usable"]
    assert "nothing wrong" in run("validate", "good.jsonl")


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["solve", *TOY, "--strategy", "self_consistancy"], "did you mean self_consistency"),
        (["solve", *TOY, "--strategy", "self_consistency:m=3"], "options: n"),
        (["solve", *TOY, "--strategy", "self_consistency:n=three"], "option n of self_consistency"),
        (["solve", *TOY, "--limit", "0"], "--limit"),
        (["solve", *TOY, "--strategy", "best_of_n:signal=p_tru"], "did you mean p_true"),
        (["run", "agreement", *TOY, "--evaluator", "pairwise"], "did you mean pairwise_judge"),
        (["solve", "--model", "toy"], "--task"),
        (["solve", *TOY, "--store", "/dev/null/x"], "/dev/null"),
        (["know", *TOY, "--signals", "p_tru"], "did you mean p_true"),
        (["train", "expert_iteraton", *TOY], "did you mean expert_iteration"),
        (["train", "expert_iteration", *TOY, "--filter", "gut"], "--filter"),
        (["run", "positon", *TOY], "did you mean position"),
        (["run", "rater_agreement", *TOY], "--data"),
        (["run", "rater_agreement", "--data", "nowhere.json"], "nowhere.json"),
        (["run", "rating_predictors", "--data", "nowhere.csv"], "from Python"),
        (["run", "bradley_terry", *TOY], "works on data"),
        (["compare", "a", "b"], "no runs are stored"),
        (["compare", "a", "b", "--task", "toy"], "--task and --model"),
        (["report"], "result.json"),
        (["report", "--store", "nowhere"], "nowhere"),
        (["improve", "toy"], "--model"),
        (["improve", "toy", "--model", "toy", "--time", "0"], "--time"),
        (["improve", "toy", "--model", "toy", "--seeds", "none"], "--seeds"),
        (["improve", "--resume", "x"], "no runs are stored"),
        (["validate", "no_such.jsonl"], "no_such.jsonl"),
        (["validate", "x.jsonl", "--verifier", "guess"], "guess"),
    ],
)
def test_a_mistake_is_one_line(run: Run, argv: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("whetstone: ")
    assert err.count("\n") == 1
    assert hint in err


def test_ctrl_c_prints_the_line_that_resumes(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: ToyModel, request: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return answer(self, request)

    answer, left = ToyModel.answer, 150
    monkeypatch.setattr(ToyModel, "answer", interrupted)
    assert cli.main(["solve", *TOY, "--limit", "200"]) == 130
    err = capsys.readouterr().err
    command = err.strip().rpartition("resume with: ")[2].split()
    assert command[:3] == ["whetstone", "runs", "resume"]
    found = run(*command[1:], "--json")
    assert found["run"] == command[3]
    assert found["strategies"][0]["accuracy"]["n"] == 200
