"""The steps of improve on a toy whose truth is known."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask

from whetstone.app.improve import improve
from whetstone.app.plan import Plan, fit
from whetstone.app.steps import baseline, know, sharpen
from whetstone.app.workbench import Workbench, workbench
from whetstone.core.types import Example

PLAN = Plan(test=80, dev=80, pool=80, k=6, rounds=2, judged=40)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with workbench("test", {}, model=ToyModel(), store=tmp_path) as opened:
        yield opened


def test_baseline_finds_the_skill_of_each_level(bench: Workbench) -> None:
    base = baseline.measure(bench, ToyTask(), PLAN)
    assert base.levels == ("1", "2", "3", "4")
    assert [row.level for row in base.rows] == ["", "1", "2", "3", "4"]
    greedy = [row.greedy.value for row in base.rows[1:]]
    assert greedy[0] >= 0.9
    assert greedy[0] > greedy[2] > greedy[3]
    assert greedy[3] < 0.1
    for row in base.rows:
        assert row.pass_at_k.value >= row.sampled.value
        assert row.greedy.interval[0] <= row.greedy.value <= row.greedy.interval[1]
    assert "solved: 1" in base.sentence, base.sentence


def test_know_keeps_what_separates_and_drops_what_does_not(bench: Workbench) -> None:
    found = know.measure(bench, ToyTask(), PLAN, ["mean_logprob", "vote_share", "p_true", "verbalized"])
    rows = {row.name: row for row in found.rows}
    assert rows["mean_logprob"].kept
    assert rows["vote_share"].kept
    assert rows["mean_logprob"].coverage[-1].coverage == 1.0
    assert not rows["p_true"].kept
    assert rows["verbalized"].abstained == PLAN.dev * PLAN.k
    assert rows["verbalized"].reason == "abstained everywhere"
    assert "p_true" in found.sentence


def test_the_plan_is_scaled_to_budget_and_time(tmp_path: Path) -> None:
    with workbench("test", {}, model=ToyModel(), store=tmp_path, budget=20_000) as bench:
        small = fit(bench, ToyTask(), seeds=1, train=True, time=None)
    assert small.scale < 1
    assert small.test < Plan().test
    with workbench("test", {}, model=ToyModel(), store=tmp_path) as bench:
        assert fit(bench, ToyTask(), seeds=1, train=True, time=None) == Plan()


def test_sharpen_recommends_what_beats_greedy_and_marks_the_front(bench: Workbench) -> None:
    found = sharpen.measure(bench, ToyTask(), PLAN, ("1", "2", "3", "4"), ["mean_logprob"])
    rows = {sharpen.title(row): row for row in found.rows}
    assert found.rows[0].name == "greedy"
    assert sum(row.recommended for row in found.rows) == 1
    assert rows["self_consistency n=16"].tokens.value > rows["self_consistency n=4"].tokens.value
    cheapest = min(found.rows, key=lambda row: row.tokens.value)
    assert cheapest.pareto
    assert any("toy cannot play" in reason for reason in found.abstentions)


class Ungraded(ToyTask):
    """The toy without levels, as most data files are."""

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        for example in super().examples(split, n=n, seed=seed):
            yield replace(example, meta={})


class Untrainable:
    """The toy as a server would show it."""

    name, fingerprint = "server", "server"
    open = ToyModel().open


def test_improve_without_levels(tmp_path: Path) -> None:
    result = improve(Ungraded(), ToyModel(), plan=PLAN, store=tmp_path)
    assert result.complete
    assert [row.level for row in result.baseline] == [""]
    assert result.conclusion.levels == ()
    assert result.main_arm.runs[0].overall.difference.n == PLAN.test


def test_improve_a_model_that_cannot_be_trained(tmp_path: Path) -> None:
    result = improve(ToyTask(), Untrainable(), plan=PLAN, store=tmp_path)
    assert result.complete
    assert result.arms == ()
    assert [step.name for step in result.steps] == ["baseline", "know", "audit", "gap", "sharpen", "verdict"]


def test_improve_says_what_happened_to_each_arm(tmp_path: Path) -> None:
    plan = Plan(test=240, dev=40, pool=200, k=8, rounds=2, judged=24)
    result = improve(ToyTask(), ToyModel(), plan=plan, store=tmp_path)
    main, gold, naive = (next(a for a in result.arms if a.role == role) for role in ("label_free", "gold", "naive"))
    assert main.main
    assert result.conclusion.improved
    assert result.conclusion.overall.p < 0.05
    assert {pair.level for pair in result.conclusion.levels if pair.crossed} <= {"2", "3"}
    assert gold.runs[0].overall.difference.value >= main.runs[0].overall.difference.value - 0.05
    assert any(alarm.stop for alarm in naive.runs[0].alarms)
    assert naive.runs[0].overall.difference.value == 0
    assert any("level 4" in limit for limit in result.limits)
    row = next(row for row in result.audits if row.subject == "p_true")
    assert not row.passed
    assert ToyModel().fingerprint == result.model.fingerprint != result.model.after


def test_a_model_that_learns_nothing_is_told_so(tmp_path: Path) -> None:
    class Stubborn(ToyModel):
        learning_rate = 1e-9

    result = improve(ToyTask(), Stubborn(), plan=PLAN, store=tmp_path)
    assert not result.conclusion.improved
    assert result.conclusion.sentence.startswith("Not improved")
