"""The report as text: everything escaped, nothing loaded, small, whole even when the run is not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from whetstone.app.report import figures as f
from whetstone.app.report import render, write_model_card, write_report
from whetstone.app.report.changes import marked
from whetstone.app.report.graphs import strategy_names
from whetstone.app.report.html import Markup, brief, embed_json, escape, h, visible
from whetstone.app.report.plots import Point, Series, category_axis, chart, log_axis, number_axis, percent_axis
from whetstone.app.result import Arm, Change, Measure, ModelCard, Paired, Provenance, Result, StrategyRow, TaskCard
from whetstone.core.errors import StoreError

EMPTY = Result(Provenance("r", "whetstone improve", "0"), TaskCard("t"), ModelCard("m", "f"))
SVG_VOID = {"line", "path", "circle", "rect", "polyline", "polygon", "meta"}


class Page(HTMLParser):
    """Elements, their attributes and whether every one is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def text(synthetic: Result) -> str:
    return render(synthetic)


def test_page_is_well_formed_and_complete(text: str, synthetic: Result) -> None:
    page = Page(text)
    assert page.open == []
    ids = {attributes["id"] for _, attributes in page.seen if "id" in attributes}
    sections = {
        "verdict",
        "answers",
        "baseline",
        "know",
        "audit",
        "gap",
        "sharpen",
        "train",
        "cost",
        "card",
        "reproduce",
    }
    assert sections <= ids
    for tag, attributes in page.seen:
        if tag == "a":
            assert str(attributes["href"]).removeprefix("#") in ids
    words = " ".join(page.words)
    for told in (synthetic.summary, synthetic.run.command, synthetic.model.fingerprint, *synthetic.limits):
        assert told in words
    assert "was rolled back with 3 of 3 seeds" in words


def test_page_loads_nothing(text: str) -> None:
    page = Page(text)
    for _, attributes in page.seen:
        assert not {"src", "srcset", "style", "action", "data"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("href", "#")).startswith("#")
    assert not re.search(r"@import|url\(|https?://|//[a-z]+\.", text)


def test_policy_names_exactly_this_style_and_script(text: str) -> None:
    page = Page(text)
    policy = next(a["content"] for _, a in page.seen if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(content) == 1
        assert base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode() in policy


def test_page_is_small(text: str) -> None:
    assert len(text.encode()) < 600_000


def test_embedded_data_is_the_result(text: str, synthetic: Result) -> None:
    data = re.findall(r'<script type="application/json" id="result">(.*?)</script>', text)
    assert Result.from_json(data[0]) == synthetic


def test_hostile_text_is_shown_not_run(hostile: Result, text: str) -> None:
    attacked = render(hostile)
    page, clean = Page(attacked), Page(text)
    assert page.open == []
    assert {(tag, *attributes) for tag, attributes in page.seen} <= {
        (tag, *attributes) for tag, attributes in clean.seen
    }
    assert sum(tag == "script" for tag, _ in page.seen) == 2
    assert "<script>window" not in attacked
    assert "<img" not in attacked
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", attacked)
    assert "␀␛[31m⟨U+202E⟩⟨U+D800⟩" in attacked
    assert attacked.encode("utf-8")


def test_huge_texts_and_many_rows_stay_small(synthetic: Result) -> None:
    assert synthetic.conclusion is not None
    huge = "x" * 5_000_000
    many = tuple(replace(synthetic.conclusion.changes[0], before=huge, after=huge, question=huge) for _ in range(500))
    end = replace(synthetic.conclusion, sentence=huge, changes=many, levels=synthetic.conclusion.levels * 300)
    result = replace(
        synthetic,
        summary=huge,
        conclusion=end,
        signals=synthetic.signals * 200,
        strategies=synthetic.strategies * 200,
        arms=synthetic.arms * 50,
        limits=(huge,) * 50,
    )
    text = render(result)
    assert len(text.encode()) < 3_000_000
    assert "[4,999,600 more characters]" in text
    assert "more rows are in result.json" in text
    assert 'id="result"' not in text


def test_parts_of_a_run_make_a_page(synthetic: Result) -> None:
    for result in (
        EMPTY,
        replace(EMPTY, complete=False, stopped="token budget"),
        replace(synthetic, arms=(), conclusion=None),
        replace(synthetic, task=TaskCard("flat"), baseline=synthetic.baseline[:1], signals=(), strategies=()),
        replace(synthetic, arms=(Arm("never run", "control"),), prediction=None, audits=(), cost=None, limits=()),
        replace(synthetic, conclusion=replace(synthetic.conclusion, levels=(), changes=(), seeds=())),  # type: ignore[type-var]
    ):
        assert Page(render(result)).open == []
        assert write_model_card(result).startswith("# Model card")
    assert "Stopped early: token budget" in render(replace(EMPTY, complete=False, stopped="token budget"))
    assert "Nothing was measured yet." in render(EMPTY)


def test_unknown_numbers_are_dashes(synthetic: Result) -> None:
    assert synthetic.conclusion is not None
    nothing = Measure(None)
    pair = Paired("1", nothing, nothing, nothing, None, "", 0, 0)
    end = replace(synthetic.conclusion, overall=pair, levels=(pair,), seeds=(), process_after=None)
    text = render(replace(synthetic, conclusion=end))
    assert Page(text).open == []
    assert "None" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL).replace("None.", "")


def test_not_improved_is_said(synthetic: Result) -> None:
    assert synthetic.conclusion is not None
    text = render(replace(synthetic, conclusion=replace(synthetic.conclusion, improved=False)))
    assert '<span class="verdict bad">Not improved</span>' in text


def test_write_report_names_what_is_wrong(synthetic: Result, tmp_path: Path) -> None:
    write_report(synthetic, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(StoreError, match="choose another folder"):
        write_report(synthetic, tmp_path / "missing" / "report.html")


def test_model_card_is_plain_markdown(synthetic: Result, hostile: Result) -> None:
    card = write_model_card(synthetic)
    assert "| 9 | 63.0\u202f% [57.4, 68.3] |" in card
    assert "    whetstone improve ledger:levels=6-12 --model grit" in card
    assert all(line in card for line in ("## Model", "## Training", "## Limits", "## How to make it again"))
    attacked = write_model_card(hostile)
    assert len(attacked.splitlines()) == len(card.splitlines())
    prose = [line for line in attacked.splitlines() if not line.startswith("    ")]
    assert not any(re.search(r"(?<!\\)<[\w/!]", line) for line in prose)


def test_elements_escape_their_children_and_attributes() -> None:
    assert h("p", "a < b", ["&", h("b", "'")], None, 3) == "<p>a &lt; b&amp;<b>&#x27;</b>3</p>"
    assert h("p", title='"><script>', hidden=True, cls=None) == '<p title="&quot;&gt;&lt;script&gt;" hidden></p>'
    assert h("line", x1=1.0, y1=2.456, view_box="0 0 1 1") == '<line x1="1" y1="2.46" viewBox="0 0 1 1"/>'
    assert isinstance(escape("x"), Markup)


def test_unseen_characters_are_named() -> None:
    assert visible("a\x1bb\x7f\u202e\u2028\x85\ud800") == "a␛b␡⟨U+202E⟩⟨U+2028⟩⟨U+0085⟩⟨U+D800⟩"
    assert visible("line\r\nnext\tx") == "line\nnext\tx"
    assert visible("abcdef", 3) == "abc … [3 more characters]"
    assert brief("abcdef", 4) == "abc…"
    assert brief("abcd", 4) == "abcd"


def test_embedded_json_cannot_end_its_element() -> None:
    text = embed_json({"x": "</script><!-- &"}, "d")
    assert text.count("<") == 2
    assert json.loads(text[text.index(">") + 1 : text.rindex("<")]) == {"x": "</script><!-- &"}


def test_differences_are_marked() -> None:
    before, after = marked("a-1=05b+2=07", "a-1=05b+2=08")
    assert (before, after) == ("a-1=05b+2=<mark>07</mark>", "a-1=05b+2=<mark>08</mark>")
    assert marked("<b>", "<i>")[0] == "&lt;<mark>b</mark>&gt;"
    assert "mark" not in marked("x" * 2000, "y")[0]


def test_changes_without_answers_or_steps(synthetic: Result) -> None:
    assert synthetic.conclusion is not None
    change = Change("fixed", "q1", "", "2+2?", None, "", "4", None, "4")
    text = render(replace(synthetic, conclusion=replace(synthetic.conclusion, changes=(change,))))
    assert "no readable answer" in text
    assert "every step right" in text


def test_numbers_read_well() -> None:
    assert f.share(Measure(0.5, (0.25, 0.75), 4)) == "50.0\u202f% [25.0, 75.0]"
    assert f.share(None) == f.plain(Measure(None)) == f.points(None) == f.number(None) == "–"
    assert f.points(Measure(-0.1, (-0.2, 0.05), 9)) == "−10.0 [−20.0, +5.0]"
    assert [f.p_value(p) for p in (None, 0.0001, 0.25)] == ["–", "<\u202f0.001", "0.250"]
    assert [f.seconds(s) for s in (1.26, 187, 7300)] == ["1.3\u202fs", "3\u202fmin 7\u202fs", "2\u202fh 1\u202fmin"]
    assert [f.short(x) for x in (12, 1200, 2_538_000, 3e9)] == ["12", "1.2\u202fk", "2.54\u202fM", "3\u202fG"]


@pytest.mark.parametrize("values", [[0.0], [1e-9, 2e-9], [-0.4, 0.7], [5.0, 5.0], [1e6, 3e6], [], [-3.0, -1.0]])
def test_axes_hold_their_values_and_have_few_ticks(values: list[float]) -> None:
    axis = number_axis("x", values)
    assert 1 <= len(axis.ticks) <= 9
    assert axis.low < axis.high
    assert all(axis.low <= v <= axis.high for v in values)
    assert all(axis.low <= v <= axis.high for v, _ in axis.ticks)
    assert len({text for _, text in axis.ticks}) == len(axis.ticks)


def test_log_axis_has_round_ticks() -> None:
    axis = log_axis("tokens", [62, 500])
    assert [text for _, text in axis.ticks] == ["50", "100", "200", "500"]
    assert 0 < axis.place(62) < axis.place(500) < 1


def test_crowded_categories_leave_ticks_out() -> None:
    axis = category_axis("level", [str(i) for i in range(60)])
    assert len(axis.ticks) < 20
    assert axis.place(59) < 1


def test_chart_draws_marks_intervals_and_legend() -> None:
    points = (Point(0, 0.5, "half\nn = 4", (0.2, 0.8)), Point(1, 0.7, "more"))
    text = chart(
        "T",
        [Series("a", points, "k0"), Series("b", points, "k1", line="none", light=True)],
        category_axis("x", ["u", "v"]),
        percent_axis("y"),
    )
    assert text.count('role="img"') == 4
    assert text.count("<title>half\nn = 4</title>") == 2
    assert text.count('class="whisker"') == 2
    assert text.count("<polyline") == 1
    assert text.count("<li>") == 2


def test_strategies_of_one_name_are_told_apart() -> None:
    def row(name: str, **options: int | str) -> StrategyRow:
        return StrategyRow(name, Measure(0.5), Measure(1.0), options)

    table = [
        row("greedy"),
        row("vote", n=4),
        row("vote", n=8),
        row("best", signal="x", n=8),
        row("best", signal="y", n=8),
    ]
    assert strategy_names(table) == ["greedy", "vote n=4", "vote n=8", "best x", "best y"]


def test_labels_that_would_cover_something_are_left_out_unless_needed() -> None:
    def labels(needed: bool) -> int:
        crowd = tuple(Point(0.5 + i / 1000, 0.5, "tip", label=f"a name {i}", needed=needed) for i in range(20))
        axis = percent_axis("share")
        return chart("T", [Series("s", crowd, "k0")], axis, axis).count(">a name")

    assert labels(True) == 20
    assert 1 <= labels(False) < 10
