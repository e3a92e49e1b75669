"""The result survives JSON exactly, and says where JSON is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from whetstone.app.result import Measure, ModelCard, Provenance, Result, Step, TaskCard
from whetstone.core.errors import StoreError
from whetstone.core.types import Finding

EMPTY = Result(Provenance("r", "whetstone improve", "0"), TaskCard("t"), ModelCard("m", "f"))


def test_json_round_trip_is_exact(synthetic: Result) -> None:
    text = synthetic.to_json()
    again = Result.from_json(text)
    assert again == synthetic
    assert again.to_json() == text
    assert Result.from_json(EMPTY.to_json(indent=None)) == EMPTY


def test_json_has_what_a_program_looks_for(synthetic: Result) -> None:
    data = json.loads(synthetic.to_json())
    assert data["schema"] == "whetstone.result/1"
    main = next(arm for arm in data["arms"] if arm["main"])
    for run in main["runs"]:
        assert {"seed", "before", "after", "overall", "rounds", "tokens", "seconds"} <= run.keys()
        assert run["before"][1]["level"] == "6"
        assert set(run["before"][1]["greedy"]) == {"value", "interval", "n"}
        assert {"difference", "p", "fixed", "broken"} <= run["overall"].keys()
        assert all("alarms" in r for r in run["rounds"])
    assert data["steps"][0]["name"] == "baseline"
    assert all({"seconds", "tokens"} <= step.keys() for step in data["steps"])


def test_numpy_numbers_become_plain_ones() -> None:
    step = Step("baseline", np.float64(1.5), np.int64(3))  # type: ignore[arg-type]
    assert Result.from_json(replace(EMPTY, steps=(step,)).to_json()).steps == (Step("baseline", 1.5, 3),)


def test_undefined_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        replace(EMPTY, steps=(Step("baseline", float("nan"), 1),)).to_json()
    with pytest.raises(TypeError, match="set has no JSON form"):
        replace(EMPTY, run=replace(EMPTY.run, settings={"x": {1}})).to_json()  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema="other/9"), "schema 'other/9'"),
        (lambda d: d.update(surprise=1), "result has the unknown field 'surprise'"),
        (lambda d: d["task"].pop("name"), "result.task is incomplete"),
        (lambda d: d.update(k="eight"), "result.k should be int, not str"),
        (lambda d: d["task"].update(levels=[1]), r"result.task.levels\[0\] should be str"),
        (lambda d: d.update(complete=None), "result.complete should be bool"),
    ],
)
def test_wrong_json_is_named(change, message) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(EMPTY.to_json())
    change(data)
    with pytest.raises(StoreError, match=message):
        Result.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{", "3"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(StoreError):
        Result.from_json(text)


def test_measures_copy_estimates_and_findings() -> None:
    finding = Finding("f", 0.5, (0.4, 0.6), 20)
    assert Measure.found(finding) == Measure.of(Measure(0.5, (0.4, 0.6), 20)) == Measure(0.5, (0.4, 0.6), 20)


def test_properties(synthetic: Result) -> None:
    assert synthetic.main_arm is synthetic.arms[0]
    naive = synthetic.arms[2].runs[0]
    assert naive.rolled_back
    assert [alarm.guard for alarm in naive.alarms] == ["proxy_against_gold", "acceptance"]
    assert naive.rounds[0].acceptance is None
    assert naive.rounds[1].acceptance == 3190 / 3200
    assert synthetic.cost is not None
    assert synthetic.cost.tokens == 2_538_000


def test_notebook_form_is_escaped(synthetic: Result) -> None:
    hostile = replace(synthetic, task=TaskCard("<script>alert(1)</script>"), summary="<img src=x onerror=alert(1)>")
    html = hostile._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("<tr>") == 1 + 7 + 1
    assert "<table>" not in EMPTY._repr_html_()
