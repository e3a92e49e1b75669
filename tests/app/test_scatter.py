"""Named points of a finding as a drawing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from whetstone.app.report.scatter import has_points, scatter, write_scatter
from whetstone.core.errors import StoreError
from whetstone.core.types import Finding

FOUND = Finding(
    "slope",
    0.42,
    (0.4, 0.44),
    80,
    verdict="preference <follows> recognition",
    detail={"axes": ["recognition", "preference"], "points": {"up 10": [0.5, 0.51], "down 10": [0.4, 0.45]}},
)


def test_every_point_is_named_and_the_finding_is_said(tmp_path: Path) -> None:
    assert has_points(FOUND)
    assert not has_points(Finding("slope", 0.4, None, 3))
    write_scatter(FOUND, tmp_path / "deep" / "slope.svg", title="By arm")
    text = (tmp_path / "deep" / "slope.svg").read_text()
    ElementTree.fromstring(text)
    assert "up 10: recognition .500, preference .510" in text
    assert "slope .42 [.40, .44], n = 80: preference &lt;follows&gt; recognition" in text
    assert scatter(FOUND, title="By arm") == text
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the picture"):
        write_scatter(FOUND, tmp_path / "file" / "slope.svg")
