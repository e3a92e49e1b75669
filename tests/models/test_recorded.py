from __future__ import annotations

import json

import pytest

from whetstone.core.errors import ModelError
from whetstone.core.types import Embed, Embedding, Generation, Media, Message, Sample, Score, Token, Usage, user
from whetstone.models.recorded import RecordedModel, record

PAIRS = [
    (Sample(user("2+3?")), Generation("5", (Token("5", -0.1, (("6", -3.0),), 0.5, 2.0),), "stop", Usage(4, 1))),
    (Sample(user("2+3?")), Generation("six", None, "length", Usage(4, 1))),
    (Score(user("2+3?"), "5"), Generation("5", (Token("5", -0.1),), "stop", Usage(4, 1))),
    (Embed(user("2+3?"), layer=1), Embedding((0.5, -1.0), Usage(4, 0))),
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(record(request, reply) + "\n" for request, reply in PAIRS))
    return path


def test_replies_come_back_as_recorded(tiny, file):
    assert tiny.ask(RecordedModel(file), [request for request, _ in PAIRS]) == [reply for _, reply in PAIRS]


def test_every_session_starts_anew(tiny, file):
    model = RecordedModel(file)
    assert tiny.ask(model, [PAIRS[0][0]]) == tiny.ask(model, [PAIRS[0][0]])


def test_a_sample_is_given_once_and_a_score_always(tiny, file):
    replies = tiny.ask(RecordedModel(file), [PAIRS[0][0]] * 3 + [PAIRS[2][0]] * 3)
    assert isinstance(replies[2], ModelError)
    assert "has 2 of the 3 replies asked for" in str(replies[2])
    assert replies[3] == replies[4] == replies[5] == PAIRS[2][1]


def test_missing_request_is_named(tiny, file):
    replies = tiny.ask(RecordedModel(file), [Sample(user("9-4?")), Score(user("2+3?"), "7"), Embed(user("2+3?"))])
    assert all(isinstance(reply, ModelError) for reply in replies)
    assert "9-4?" in str(replies[0])
    assert "'7'" in str(replies[1])
    assert "'-1'" in str(replies[2])


def test_plain_prompt_and_defaults(tiny, tmp_path):
    (tmp_path / "r.jsonl").write_text(json.dumps({"prompt": "q", "text": "a"}) + "\n")
    assert tiny.ask(RecordedModel(tmp_path / "r.jsonl"), [Sample(user("q"))]) == [Generation("a")]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"text": "a"}', '{"prompt": "q", "kind": "x"}', '{"prompt": "q", "finish": "x"}']
)
def test_bad_line_is_named(tmp_path, line):
    (tmp_path / "r.jsonl").write_text(json.dumps({"prompt": "q", "text": "a"}) + "\n" + line + "\n")
    with pytest.raises(ModelError, match="line 2"):
        RecordedModel(tmp_path / "r.jsonl")


def test_line_separators_of_unicode_are_text(tiny, tmp_path):
    (tmp_path / "r.jsonl").write_text('{"prompt": "q", "text": "a\u2028b\x85"}\n', encoding="utf-8")
    assert tiny.ask(RecordedModel(tmp_path / "r.jsonl"), [Sample(user("q"))]) == [Generation("a\u2028b\x85")]


def test_a_line_that_is_no_utf8_is_named(tmp_path):
    (tmp_path / "r.jsonl").write_bytes(b'{"prompt": "q", "text": "a"}\n{"prompt": "q", "text": "\xff"}\n')
    with pytest.raises(ModelError, match="line 2"):
        RecordedModel(tmp_path / "r.jsonl")


def test_media_are_not_recorded():
    prompt = (Message("user", (Media("image", "image/png", b""),)),)
    with pytest.raises(ModelError, match="text prompts only"):
        record(Sample(prompt), Generation("a"))


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        RecordedModel(tmp_path / "none.jsonl")
