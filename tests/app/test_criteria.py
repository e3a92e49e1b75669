"""`whetstone criteria`: criteria suggested, outputs graded, the assertions that align are kept, changes are logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from whetstone.app import cli
from whetstone.app.console import Console
from whetstone.app.criteria import LOG, Criteria, Output, order, read_grades
from whetstone.app.verbs.criteria import criteria
from whetstone.core.errors import ConfigError, StoreError, TaskError
from whetstone.core.types import Form, Generation, Reply, Request
from whetstone.models.scripted import ScriptedModel

SUGGESTED = [
    {"name": "short", "text": "It has at most ten words."},
    {"name": "polite", "text": "It thanks the customer."},
    {"name": "colour", "text": "It names a colour."},
]
ASSERTIONS = {
    "short": [{"check": "len(words(answer)) <= 10"}, {"check": "len(words(answer)) <= 3"}, {"check": "import os"}],
    "polite": [{"question": "Does it thank the customer?"}, {"check": "'!' in answer"}],
    "colour": [{"check": "'blue' in answer.lower()"}],
    "signed": [{"check": "answer.endswith('Bob')"}],
}


def text_of(short: bool, polite: bool, blue: bool, i: int) -> str:
    words = ["item", str(i), "ships", "soon"] if short else ["item", str(i), *["and so on"] * 6]
    return " ".join([*words, *(["thanks"] if polite else []), *(["blue"] if blue else [])])


def good(text: str) -> bool:
    """The simulated grader's rules."""
    return len(text.split()) <= 10 and "thanks" in text


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A file of 80 outputs, by id."""
    monkeypatch.chdir(tmp_path)
    rng = Random(1)
    texts = {f"o{i}": text_of(rng.random() < 0.7, rng.random() < 0.7, rng.random() < 0.5, i) for i in range(80)}
    rows = [json.dumps({"id": name, "question": f"Where is {name}?", "output": text}) for name, text in texts.items()]
    Path("outputs.jsonl").write_text("\n".join(rows) + "\n")
    return texts


class Writer:
    """A model that suggests what is written above, and a judge that can read."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.model = ScriptedModel(self.answer)

    def answer(self, request: Request) -> Reply | Exception:
        part = request.prompt[-1].parts[0]
        assert isinstance(part, Form)
        fields = dict(part.fields)
        self.asked.append(part.name)
        if part.name == "suggest_criteria":
            return Generation(f"Here they are [as asked]:\n```json\n{json.dumps(SUGGESTED)}\n```")
        if part.name == "suggest_assertions":
            return Generation(json.dumps(ASSERTIONS[str(fields["criterion"]).partition(":")[0]]))
        return Generation(f"Verdict: {'Y' if 'thanks' in str(fields['answer']) else 'N'}")


def typing(*words: str) -> Callable[[str], str]:
    """A person who types these, then grades by the rules (see `by_rules`)."""
    left: Iterator[str] = iter(words)

    def reply(prompt: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return reply


def work(outputs: dict[str, str], **options: Any) -> Any:
    return criteria("outputs.jsonl", model=options.pop("model", None) or Writer().model, **options)


def test_recovers_the_rules_of_a_simulated_grader(outputs: dict[str, str]) -> None:
    writer = Writer()
    grades = {name: good(text) for name, text in outputs.items()}
    card = work(outputs, model=writer.model, about="Replies", grades=grades)
    assert {assertion.text for assertion in card.kept} == {"len(words(answer)) <= 10", "Does it thank the customer?"}
    found = {finding.name: finding for finding in card.findings}
    assert (found["coverage"].estimate, found["false_failure"].estimate, found["alignment"].estimate) == (1, 0, 1)
    assert found["coverage"].interval is not None
    assert found["coverage"].interval[0] > 0.6
    assert found["coverage colour 1"].verdict == "not kept"
    assert "coverage short 3" not in found, "what is no expression is no check"
    assert (card.changes, card.regraded, card.graded) == ((), (), 80)
    assert json.loads(Path("criteria/report.json").read_text())["graded"] == 80
    asked = len(writer.asked)
    again = work(outputs, model=writer.model, about="Replies", grades=grades)
    assert again == card
    assert len(writer.asked) == asked, "neither suggestions nor judgements are asked twice"


def test_a_person_grades_changes_their_mind_and_goes_on_later(outputs: dict[str, str]) -> None:
    """Grades at the terminal are logged one by one; edits of criteria and second grades are drift."""
    said: list[str] = []

    def reply(prompt: str) -> str:
        state = Criteria.open(Path("criteria"))
        said.append("graded" if state.grades else "")
        return next(words)

    words = iter(["?", "u", "g", "b", "u", "g", "+ signed: It ends with the name Bob.", "- colour", "s", "b", "q"])
    card = work(outputs, reply=reply)
    state = Criteria.open(Path("criteria"))
    assert len(state.grades) == 3
    assert list(state.criteria) == ["short", "polite", "signed"]
    assert {one.criterion for one in state.assertions.values()} == {"short", "polite", "signed"}
    assert card.changes == ("added signed after 2 grades", "dropped colour after 2 grades")
    assert len(card.regraded) == 1
    assert "grade more" in card.note
    rest = {name: good(text) for name, text in outputs.items() if name not in state.grades}
    done = work(outputs, grades=rest)
    drift = {finding.name: finding for finding in done.findings}
    assert (drift["criteria_drift"].estimate, drift["criteria_drift"].n) == (0.5, 4)
    assert (drift["drift"].estimate, drift["drift"].n) == (1.0, 1)
    lines = [json.loads(line) for line in Path("criteria", LOG).read_text().splitlines()]
    assert [line["event"] for line in lines if line["event"] in ("drop", "grade")][:3] == ["grade"] * 3


def test_the_command_line(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("grades.csv").write_text(
        "id,grade\n" + "".join(f"{n},{'good' if good(t) else 'bad'}\n" for n, t in outputs.items())
    )
    Path("script.json").write_text("[]")
    replies = [json.dumps(SUGGESTED[:1]), json.dumps(ASSERTIONS["short"])]
    Path("script.json").write_text(json.dumps(replies))
    argv = ["criteria", "outputs.jsonl", "--model", "scripted:script.json", "--grades", "grades.csv", "--about", "x"]
    assert cli.main(argv) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert "len(words(answer)) <= 10" in told
    assert "1 suggested assertions could not be used." in told
    assert "false_failure" in told
    assert cli.main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"][0]["kind"] == "check"
    Path("grades.csv").write_text("id,grade\no1,perhaps\n")
    assert cli.main(argv) == 2
    assert "grades.csv:2: needs an id and a grade" in capsys.readouterr().err


def test_outputs_that_tell_most_come_first() -> None:
    """By turns one that most assertions fail and one that most pass."""
    outputs = [Output(f"o{i}", "", "") for i in range(4)]
    passed = {"a": [True, False, False, True], "b": [True, False, True, True]}
    assert [one.id for one in order(outputs, passed, {})] == ["o1", "o3", "o2", "o0"]
    assert [one.id for one in order(outputs, passed, {"o1": True})] == ["o2", "o3", "o0"]


def test_mistakes(outputs: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="1 grades are of outputs that are not there"):
        work(outputs, grades={"nobody": True})
    with pytest.raises(TaskError, match=r"none\.csv"):
        read_grades(Path("none.csv"))
    state = Criteria.open(Path("torn"))
    state.log("criterion", name="a", text="b")
    with Path("torn", LOG).open("a") as file:
        file.write('{"event": "gra')
    assert list(Criteria.open(Path("torn")).criteria) == ["a"], "a torn last line is what a crash leaves"
    Criteria.open(Path("torn")).log("criterion", name="c", text="d")
    assert list(Criteria.open(Path("torn")).criteria) == ["a", "c"]
    with Path("torn", LOG).open("ab") as file:
        file.write('{"event": "criterion", "name": "e", "text": "é'.encode()[:-1])
    assert list(Criteria.open(Path("torn")).criteria) == ["a", "c"], "torn within a character"
    Path("torn", LOG).write_text('{"event": "what"}\n{"event": "drop"}\n')
    with pytest.raises(StoreError, match=r"events\.jsonl:1: not an event"):
        Criteria.open(Path("torn"))


def test_any_text_of_a_model_is_kept(tmp_path: Path) -> None:
    """Separators that Unicode counts as ends of lines, and half a surrogate pair, as in a reply that was cut."""
    text = "one\u2028two\x85three\ud83d"
    Criteria.open(tmp_path).log("criterion", name="a", text=text)
    Criteria.open(tmp_path).log("criterion", name="b", text="é")
    assert {one.name: one.text for one in Criteria.open(tmp_path).criteria.values()} == {"a": text, "b": "é"}


def test_an_output_does_not_command_the_terminal(outputs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    text = "\x1b[2Jthanks, blue\ud83d"
    Path("outputs.jsonl").write_text(json.dumps({"id": "o", "question": "q", "output": text}) + "\n")
    work(outputs, reply=typing("q"), console=Console())
    assert "\\x1b[2Jthanks, blue\\ud83d" in capsys.readouterr().out


def test_a_log_without_its_last_newline_loses_nothing(tmp_path: Path) -> None:
    Criteria.open(tmp_path).log("criterion", name="a", text="x")
    path = tmp_path / LOG
    path.write_text(path.read_text().removesuffix("\n"))
    Criteria.open(tmp_path).log("criterion", name="b", text="y")
    assert list(Criteria.open(tmp_path).criteria) == ["a", "b"]


def test_grades_saved_by_a_spreadsheet_are_read(tmp_path: Path) -> None:
    """Such a file starts with a byte order mark."""
    path = tmp_path / "grades.csv"
    path.write_bytes(b"\xef\xbb\xbfid,grade\na,good\nb,0\n")
    assert read_grades(path) == {"a": True, "b": False}


def test_a_model_that_suggests_nothing_readable(outputs: dict[str, str]) -> None:
    with pytest.raises(Exception, match="no criterion that could be read"):
        work(outputs, model=ScriptedModel(lambda request: Generation("I would not know.")))
