from __future__ import annotations

import json

import pytest

from whetstone.core.errors import ModelError, Unsupported
from whetstone.core.flow import drive, sample, score
from whetstone.core.types import Embed, Generation, Sample, Score, user
from whetstone.models.scripted import ScriptedModel, read_scripted


def test_texts_are_given_in_turn(tiny):
    replies = tiny.ask(ScriptedModel(["a", "b c"]), [Sample(user("q"))] * 3)
    assert [reply.text for reply in replies] == ["a", "b c", "a"]
    assert replies[1].usage.completion == 2
    assert replies[1].tokens is None


def test_synthetic_logprobs(tiny):
    sampled, scored = tiny.ask(ScriptedModel(["b c"], logprob=-0.5), [Sample(user("q")), Score(user("q"), "x y z")])
    assert [(token.text, token.logprob) for token in sampled.tokens] == [("b ", -0.5), ("c", -0.5)]
    assert [token.text for token in scored.tokens] == ["x ", "y ", "z"]


def test_texts_alone_cannot_be_scored_or_embedded(tiny):
    replies = tiny.ask(ScriptedModel(["a"]), [Score(user("q"), "x"), Embed(user("q"))])
    assert all(isinstance(reply, Unsupported) for reply in replies)


def test_function_sees_the_request_and_its_errors_stay_with_it():
    def answer(request):
        if request.prompt[0].text == "bad":
            raise ValueError("no")
        return Generation(request.prompt[0].text.upper())

    flows = {name: sample(user(name)) for name in ("good", "bad")}
    driven = drive(flows, {"policy": ScriptedModel(answer)})
    assert driven.results["good"][0].text == "GOOD"
    assert driven.failures["bad"].error == "ValueError"


def test_a_returned_exception_is_the_reply():
    driven = drive({"x": score(user("q"), "a")}, {"policy": ScriptedModel(lambda request: Unsupported("no scores"))})
    assert driven.failures["x"].error == "Unsupported"


def test_fingerprint_follows_the_texts():
    assert ScriptedModel(["a"]).fingerprint == ScriptedModel(["a"]).fingerprint
    assert ScriptedModel(["a"]).fingerprint != ScriptedModel(["b"]).fingerprint


def test_empty_script_is_refused():
    with pytest.raises(ModelError, match="at least one"):
        ScriptedModel([])


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", "one\ntwo\n"), ("a.json", json.dumps(["one", "two"])), ("a.jsonl", '"one"\n\n"two"\n')],
)
def test_files(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert read_scripted(tmp_path / name).texts == ("one", "two")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.json", "{", "not JSON"), ("a.json", "[1]", "list of strings"), ("a.txt", "", "no replies")],
)
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=message):
        read_scripted(tmp_path / name)


def test_line_separators_of_unicode_are_text(tmp_path):
    (tmp_path / "a.jsonl").write_text('"one\u2028two"\n', encoding="utf-8")
    assert read_scripted(tmp_path / "a.jsonl").texts == ("one\u2028two",)


def test_a_file_that_is_no_utf8_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\xff")
    with pytest.raises(ModelError, match=r"not UTF-8 text \(byte 3\)"):
        read_scripted(tmp_path / "a.txt")


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        read_scripted(tmp_path / "none.txt")
