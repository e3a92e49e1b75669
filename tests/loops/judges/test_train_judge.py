"""The example that runs a loop from the command line."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "docs/examples/train_judge.py"


def test_a_loop_without_rounds_has_nothing_to_draw(monkeypatch, capsys, tmp_path):
    options = ["judge_sft", "rounds=0", "--plot", str(tmp_path / "looks.svg")]
    monkeypatch.setattr(sys, "argv", ["train_judge.py", *options])
    with pytest.raises(SystemExit):
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert "--plot: judge_sft has no round to draw" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
