"""Verdicts of other tools: what each of their files says, and one line for what is wrong in it.

`verdict_files/` holds what Inspect, DeepEval, promptfoo and the evaluation harness wrote for sums and scripted models.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whetstone.app.verdict_files import sources
from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.reading import FORMATS, read_verdicts, recognised, stream_verdicts
from whetstone.app.verdict_files.rows import Record
from whetstone.app.verdict_files.sources import read_records
from whetstone.audits.rows import verdicts_of
from whetstone.core.errors import ConfigError, TaskError, WhetstoneError

HERE = Path(__file__).parent / "verdict_files"
Write = Callable[..., Path]

ALPACA = {
    "instruction": "Name a prime.",
    "output_1": "Seven.",
    "generator_1": "base",
    "dataset": "sums",
    "output_2": "Eight is one.",
    "generator_2": "tuned",
    "annotator": "weighted",
    "preference": 1.25,
    "price_per_example": 0.01,
    "raw_completion": {"finish_reason": "length", "index": 0, "message": {"content": "m", "role": "assistant"}},
}
PROMPT = (
    "<|User Prompt|>\nName a prime.\n\n"
    "<|The Start of Assistant A's Answer|>\n{}\n<|The End of Assistant A's Answer|>\n\n"
    "<|The Start of Assistant B's Answer|>\n{}\n<|The End of Assistant B's Answer|>"
)
ARENA_HARD = {
    "uid": "u1",
    "category": "hard_prompt",
    "judge": "gpt",
    "model": "tuned",
    "baseline": "base",
    "games": [
        {
            "score": "B>>A",
            "judgment": {"answer": "My verdict: [[B>>A]]"},
            "prompt": [
                {"role": "system", "content": "Judge."},
                {"role": "user", "content": PROMPT.format("Four.", "Seven.")},
            ],
        },
        {"score": "A=B", "judgment": {"answer": "[[A=B]]"}, "prompt": [{"role": "user", "content": "no markers"}]},
    ],
}
OLD_ARENA_HARD = {
    "question_id": "q1",
    "model": "tuned",
    "judge": "gpt",
    "games": [
        {"user_prompt": PROMPT.format("Four.", "Seven."), "judgment": "[[B>A]]", "score": "B>A"},
        {"user_prompt": PROMPT.format("Seven.", "Four."), "judgment": "Hm.", "score": None},
        None,
    ],
}
PAIR = {
    "question_id": 81,
    "model_1": "base",
    "model_2": "tuned",
    "g1_winner": "model_2",
    "g2_winner": "error",
    "judge": ["gpt-4", "pair-v2"],
    "g1_user_prompt": "[The Start of Assistant A's Answer]\nFour.\n[The End of Assistant A's Answer]\n\n"
    "[The Start of Assistant B's Answer]\nSeven.\n[The End of Assistant B's Answer]",
    "g1_judgment": "[[B]]",
    "g2_user_prompt": "",
    "g2_judgment": "I cannot say.",
    "turn": 1,
    "tstamp": 1.5,
}
SINGLE = {
    "question_id": 81,
    "model": "tuned",
    "judge": ["gpt-4", "single-v1"],
    "user_prompt": "...",
    "judgment": "Rating: [[7.5]]",
    "score": 7.5,
    "turn": 2,
    "tstamp": 1.5,
}
BATTLE = {
    "question_id": "c1",
    "model_a": "base",
    "model_b": "tuned",
    "winner": "model_b",
    "judge": "arena_user_1",
    "conversation_a": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
    "conversation_b": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello there."}],
    "turn": 1,
    "anony": True,
    "language": "English",
    "tstamp": 1.5,
}
LLMBAR = {
    "input": "Name a prime.",
    "output_1": "Four.",
    "output_2": "Seven.",
    "label": 2,
    "results": [
        ["1. Is it a prime?", "stop"],
        {
            "swap = False": {"completion": ["Output (b)", "stop"], "winner": "2"},
            "swap = True": {"completion": ["Output (b)", "stop"], "winner": "1"},
        },
    ],
}
BATCH = {
    "id": "batch_req_1",
    "custom_id": "r1",
    "response": {
        "status_code": 200,
        "request_id": "x",
        "body": {
            "model": "gpt",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "B is longer. [[A]]"}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        },
    },
    "error": None,
}
FOO: dict[str, Any] = {
    "promptIdx": 0,
    "testIdx": 0,
    "provider": {"id": "echo", "label": "parrot"},
    "prompt": {"raw": "Name a prime.", "label": "p"},
    "vars": {"n": 1},
    "response": {"output": "Seven.", "tokenUsage": {"total": 3}},
    "success": True,
    "score": 0.9,
    "testCase": {},
    "gradingResult": {
        "pass": True,
        "score": 0.9,
        "reason": "ok",
        "componentResults": [
            {"pass": True, "score": 1, "reason": "Assertion passed", "assertion": {"type": "contains", "value": "e"}},
            {
                "pass": False,
                "score": 0,
                "reason": "Could not extract JSON",
                "tokensUsed": {"total": 11},
                "metadata": {"graderError": True},
                "assertion": {"type": "llm-rubric", "value": "is polite", "metric": "polite"},
            },
            {"pass": True, "score": 1, "reason": "best", "assertion": {"type": "select-best", "value": "the shorter"}},
        ],
    },
}
EXAMPLES: dict[str, Any] = {
    "alpaca_eval": ALPACA,
    "arena_hard": ARENA_HARD,
    "mt_bench": PAIR,
    "llmbar": LLMBAR,
    "lm_eval": {"doc_id": 0, "doc": {}, "target": "4", "resps": [["4"]], "metrics": ["acc"], "acc": 1.0},
    "inspect": {"version": 2, "eval": {"model": "m"}, "samples": [{"id": 1, "scores": {"match": {"value": "C"}}}]},
    "promptfoo": {"evalId": "e", "results": {"version": 3, "results": [FOO]}},
    "deepeval": {"testCases": [{"name": "a", "metricsData": [{"name": "M", "score": 0.5}]}]},
    "openai_batch": BATCH,
    "arena": BATTLE,
    "verdicts": {"verdict": "first"},
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*records: Any, name: str = "file.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    return write


def test_every_format_is_told_from_its_content() -> None:
    """By its first record alone, whatever the file is called."""
    assert {name: recognised(record) for name, record in EXAMPLES.items()} == {name: name for name in FORMATS}
    assert recognised({"question": "x", "answer": "y"}) is None


def test_alpaca_eval(write: Write) -> None:
    """1 is the first output, 2 the second, 0 an old draw; a length each; a question by its text."""
    path = write(ALPACA, ALPACA | {"preference": 0}, ALPACA | {"preference": None}, ALPACA | {"generator_2": "base"})
    found = read_verdicts(path)
    assert (found.format, found.dropped, found.scores) == ("alpaca_eval", {"a system compared with itself": 1}, ())
    assert found.places == {"a system compared with itself": f"{path}:4"}
    assert found.rows[0] == {
        **{"judge": "weighted", "prompt": found.rows[1]["prompt"], "category": "sums", "first": "base"},
        **{"second": "tuned", "verdict": 0.75, "first_length": 6, "second_length": 13},
    }
    assert [row["verdict"] for row in found.rows] == [0.75, 0.5, None]
    assert found.rows[2]["raw"] == "m"
    assert "raw" not in found.rows[0]
    texts = read_verdicts(path, texts=True).rows[0]
    assert (texts["question"], texts["first_text"], texts["raw"]) == ("Name a prime.", "Seven.", "m")


def test_arena_hard(write: Write) -> None:
    """The baseline is A in the first game and B in the second; both are one pair."""
    found = read_verdicts(write(ARENA_HARD))
    one, two = found.rows
    assert (one["first"], one["second"], one["verdict"], one["strength"]) == ("base", "tuned", "second", 1.0)
    assert (one["first_length"], one["second_length"], one["swapped"]) == (5, 6, False)
    assert (two["first"], two["second"], two["verdict"], two["swapped"]) == ("tuned", "base", "tie", True)
    assert "first_length" not in two
    assert one["pair"] == two["pair"]
    assert one["category"] == "hard_prompt"
    old = read_verdicts(write(OLD_ARENA_HARD), baseline="gpt-4-0314")
    assert [row["verdict"] for row in old.rows] == ["second", None]
    assert old.rows[1]["raw"] == "Hm."
    assert old.rows[1]["second"] == "gpt-4-0314"
    assert old.dropped == {"a game without a reply": 1}


def test_mt_bench_pairs(write: Write) -> None:
    """Two orders of a pair; a winner called error is unreadable, a request that failed no verdict."""
    failed = PAIR | {"g2_judgment": "$ERROR$", "turn": 2}
    found = read_verdicts(write(PAIR, failed))
    one, two, three = found.rows
    assert (one["judge"], one["protocol"], one["turn"]) == ("gpt-4", "pair-v2", 1)
    assert (one["first"], one["verdict"], one["first_length"], one["second_length"]) == ("base", "second", 5, 6)
    assert (two["first"], two["verdict"], two["swapped"], two["raw"]) == ("tuned", None, True, "I cannot say.")
    assert one["pair"] == two["pair"] != three["pair"]
    assert one["prompt"] == three["prompt"]
    assert found.dropped == {"a request that failed": 1}


def test_mt_bench_scores(write: Write) -> None:
    """Single scores; -1 is unreadable; a winner told from two scores was shown in no order."""
    found = read_verdicts(write(SINGLE, SINGLE | {"score": -1, "judgment": "no"}))
    assert [row["score"] for row in found.scores] == [7.5, None]
    assert (found.scores[0]["system"], found.scores[0]["turn"], found.scores[1]["raw"]) == ("tuned", 2, "no")
    plain = {name: value for name, value in SINGLE.items() if name not in ("judge", "turn")}
    asked = "[Question]\nQ\n\n[The Start of Assistant's Answer]\nSeven.\n[The End of Assistant's Answer]"
    (row,) = read_verdicts(write(plain | {"user_prompt": asked}), judge="gpt-4", texts=True).scores
    assert (row["judge"], row["answer"], row["length"]) == ("gpt-4", "Seven.", 6)
    both = read_verdicts(write(PAIR | {"m1_score": 3, "m2_score": 8, "g2_winner": "model_2"}))
    assert len(both.rows) == 1
    assert both.rows[0]["verdict"] == "second"
    assert "swapped" not in both.rows[0]
    assert [(row["system"], row["score"]) for row in both.scores] == [("base", 3.0), ("tuned", 8.0)]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "second"),
        ({"winner": "base"}, "first"),
        ({"winner": "tie (bothbad)"}, "tie"),
        ({"winner": "A"}, "first"),
        ({"winner": 0}, "TaskError"),
    ],
)
def test_arena(write: Write, change: dict[str, Any], verdict: str) -> None:
    """A winner by side, by name or a tie; the last answers' lengths."""
    path = write(BATTLE | change)
    if verdict == "TaskError":
        with pytest.raises(TaskError, match=r"file.jsonl:1: winner: 0 is no winner; it can be model_a, model_b or tie"):
            read_verdicts(path)
        return
    (row,) = read_verdicts(path).rows
    assert (row["verdict"], row["first"], row["judge"], row["category"]) == (verdict, "base", "arena_user_1", "English")
    assert (row["first_length"], row["second_length"], row["prompt"]) == (6, 12, "c1")
    assert ("both_bad" in row) == (change.get("winner") == "tie (bothbad)")


def test_arena_in_other_shapes(tmp_path: Path, write: Write) -> None:
    """Voters who knew the names count on demand; columns of 0 and 1; a JSON array, packed."""
    open_vote = write(BATTLE, BATTLE | {"anony": False}, BATTLE | {"winner": None})
    assert read_verdicts(open_vote).dropped == {"a voter who knew the names": 1, "a battle without a winner": 1}
    assert len(read_verdicts(open_vote, known_names=True).rows) == 2
    table = tmp_path / "votes.csv"
    table.write_text(
        "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n"
        f'1,x,y,"{"long " * 30}",abc,ab,1,0,0\n2,x,y,short,abc,ab,0,0,1\n'
    )
    one, two = read_verdicts(table).rows
    assert (one["verdict"], two["verdict"], two["prompt"], one["first_length"]) == ("first", "tie", "short", 3)
    assert len(one["prompt"]) == 16
    packed = tmp_path / "battles.json.gz"
    packed.write_bytes(gzip.compress(json.dumps([BATTLE, BATTLE], indent=1).encode()))
    assert len(read_verdicts(packed).rows) == 2


def test_llmbar(write: Write) -> None:
    """`winner` names the output in either order, and the last round counts."""
    found = read_verdicts(write([LLMBAR], name="result.json"), judge="gpt (Metrics)")
    one, two = found.rows
    assert (one["first"], one["verdict"], one["label"], one["judge"]) == (
        "output_1",
        "second",
        "second",
        "gpt (Metrics)",
    )
    assert (two["first"], two["verdict"], two["label"], two["swapped"]) == ("output_2", "second", "first", True)
    rated = {"score_1": ["6", "stop"], "score_2": ["", "stop"], "swap = False": {"winner": "1"}}
    rated["swap = True"] = {"winner": "1"}
    scored = read_verdicts(write([LLMBAR | {"results": [rated]}], name="rated.json"))
    assert [row["verdict"] for row in scored.rows] == [None]
    assert [row["score"] for row in scored.scores] == [6.0, None]


def test_lm_eval() -> None:
    """Every metric of every sample; a generated text is the answer, log-probabilities are none."""
    choices = read_verdicts(HERE / "lm_eval_choices.jsonl", system="small")
    assert choices.format == "lm_eval"
    assert len(choices.scores) == 4
    assert choices.scores[0] == {"judge": "acc", "metric": "acc", "prompt": "0", "system": "small", "score": 1.0}
    texts = read_verdicts(HERE / "lm_eval_texts.jsonl", texts=True)
    assert texts.scores[0]["answer"] == "lol"
    assert texts.scores[0]["length"] == 3
    assert texts.scores[0]["question"] == "What is 2+2?\nAnswer:"


def test_lm_eval_of_other_versions(write: Write) -> None:
    """Without a list of metrics they are the fields left over; a pair pooled later is counted, not read."""
    old = {"doc_id": 3, "doc": {}, "target": "4", "arguments": [["Q", {}]], "resps": [["4"]], "filtered_resps": ["4"]}
    found = read_verdicts(write(old | {"acc": True, "f1": [0, 1], "filter": "strict-match"}))
    assert found.scores[0]["judge"] == "acc (strict-match)"
    assert found.scores[0]["score"] == 1.0
    assert found.dropped == {"a metric that is no number for one sample": 1}


def test_inspect_archive_and_document(tmp_path: Path) -> None:
    """The same scores from an archive as Inspect packs it, one packed otherwise, and one document."""
    log = read_verdicts(HERE / "inspect.eval")
    assert log.format == "inspect"
    assert len(log.scores) == 6
    by_id = {(row["prompt"], row["metric"]): row for row in log.scores}
    assert [by_id[name, "match"]["score"] for name in ("q1", "q2", "3")] == [1.0, 0.0, 1.0]
    graded = [by_id[name, "model_graded_qa"] for name in ("q1", "q2", "3")]
    assert [row["score"] for row in graded] == [1.0, None, 0.5]
    assert graded[0]["judge"] == "mockllm/grader (model_graded_qa)"
    assert graded[0]["system"] == "mockllm/model"
    assert graded[1]["raw"] == "Grade not found in model output: I cannot tell."
    header, *samples = (record.values for record in read_records(HERE / "inspect.eval"))
    document = tmp_path / "log.json"
    document.write_text(json.dumps({**header, "samples": samples}, indent=2))
    assert read_verdicts(document).scores == log.scores
    deflated = tmp_path / "log.eval"
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for i, sample in enumerate(samples):
            archive.writestr(f"samples/{i}.json", json.dumps(sample))
        archive.writestr("samples/../../evil.json", json.dumps(samples[0]))
    assert len(read_verdicts(deflated).scores) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.eval", "log.json"]


def test_inspect_values(write: Write) -> None:
    """Numbers, truths, several values of one scorer; a grade that is no grade is named with its place."""
    sample = {"id": 1, "epoch": 2, "input": [{"role": "user", "content": "Hi"}], "target": "x"}

    def log(value: Any, **changes: Any) -> Path:
        samples = [sample | {"scores": {"s": {"value": value, "explanation": "why"}}} | changes]
        return write({"version": 2, "eval": {"model": "m"}, "samples": samples})

    assert read_verdicts(log(0.25)).scores[0]["score"] == 0.25
    assert [(row["metric"], row["score"]) for row in read_verdicts(log({"a": True, "b": "P"})).scores] == [
        *(("s a", 1.0), ("s b", 0.5))
    ]
    assert read_verdicts(log("I"), texts=True).scores[0]["raw"] == "why"
    old = {"scores": {"s": {"value": "I", "explanation": "Grade not found in model output: x"}}}
    assert read_verdicts(log("I", **old)).scores[0]["score"] is None
    with pytest.raises(TaskError, match=r"file.jsonl:1, samples\[0\], scores\['s'\]: value: 'Z' is no grade"):
        read_verdicts(log("Z"))
    with pytest.raises(TaskError, match="no verdicts in it; left out: 1 a sample that failed"):
        read_verdicts(log("C", error={"message": "x"}))


def test_promptfoo() -> None:
    """Of two prompts to one provider; a grader that could not be read; the shorter answer chosen as the best."""
    found = read_verdicts(HERE / "promptfoo.json")
    assert found.format == "promptfoo"
    assert len(found.scores) == 8
    told = {(row["prompt"], row["system"], row["metric"]): row for row in found.scores}
    say, answer = "parrot: Say {{answer}}", "parrot: Answer: {{answer}}"
    assert told["0", say, "polite"]["score"] == 0.8
    assert told["0", say, "polite"]["tokens"] == 11
    assert told["1", answer, "javascript: output.length / 10"]["score"] == 0.9
    unread = told["1", say, "llm-rubric: is right"]
    assert unread["score"] is None
    assert unread["raw"] == "Could not extract JSON from llm-rubric response"
    (row,) = found.rows
    assert (row["first"], row["second"], row["verdict"]) == (say, answer, "first")
    assert (row["judge"], row["metric"]) == ("select-best", "select-best: the shorter one")


def test_promptfoo_of_other_versions(write: Write) -> None:
    """Every assertion is a score, one whose grader failed unreadable, and the best of two a verdict."""
    other = json.loads(json.dumps(FOO)) | {"promptIdx": 1, "provider": {"id": "echo", "label": "owl"}}
    other["gradingResult"]["componentResults"][2] |= {"pass": False, "score": 0}
    document = {"evalId": "e", "results": {"version": 3, "results": [other, FOO]}, "config": {}}
    found = read_verdicts(write(document, name="out.json"), texts=True)
    assert [(row["judge"], row["metric"], row["system"], row["score"]) for row in found.scores] == [
        *(("contains", "contains: e", "owl", 1.0), ("llm-rubric", "polite", "owl", None)),
        *(("contains", "contains: e", "parrot", 1.0), ("llm-rubric", "polite", "parrot", None)),
    ]
    assert found.scores[1]["raw"] == "Could not extract JSON"
    assert found.scores[1]["tokens"] == 11
    (row,) = found.rows
    assert (row["first"], row["second"], row["verdict"], row["prompt"]) == ("parrot", "owl", "first", "0")
    lines = read_verdicts(write(other, FOO, name="out.jsonl"))
    assert len(lines.rows) == 1
    assert len(lines.scores) == 4
    assert read_verdicts(write(FOO, FOO | {"gradingResult": None})).dropped == {
        **{"an output without grades": 1, "a choice of the best without one winner": 1}
    }


def test_deepeval(write: Write) -> None:
    """Every metric of every case; one that failed is unreadable with its error."""
    found = read_verdicts(HERE / "deepeval.json", system="bot")
    assert found.format == "deepeval"
    assert len(found.scores) == 6
    right = [row for row in found.scores if row["metric"] == "Right [GEval]"]
    assert [row["score"] for row in right] == [0.9, 0.2, None]
    assert {row["judge"] for row in right} == {"fake-judge (Right [GEval])"}
    assert right[0]["prompt"] == "sum"
    assert len(right[1]["prompt"]) == 16
    assert right[2]["raw"].startswith("JSONDecodeError")
    assert right[2]["system"] == "bot"
    talk = {"name": "t", "turns": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    run = {"conversationalTestCases": [talk | {"metricsData": [{"name": "M", "score": 1}]}, {"name": "u"}]}
    wrapped = read_verdicts(write({"testRunData": run}))
    assert wrapped.scores[0]["length"] == 5
    assert wrapped.dropped == {"a test case without metrics": 1}


def test_openai_batch(write: Write) -> None:
    """The reply's last marker; the pair from the request; requests that failed are counted."""
    output = write(
        BATCH,
        BATCH | {"custom_id": "r2", "error": {"code": "server_error"}},
        BATCH
        | {"custom_id": "r3", "response": {"status_code": 200, "body": {"output": [{"content": [{"text": "Hm"}]}]}}},
        name="output.jsonl",
    )
    alone = read_verdicts(output)
    assert [(row["id"], row["verdict"], row.get("tokens")) for row in alone.rows] == [
        *(("r1", "first", 25), ("r3", None, None))
    ]
    assert alone.rows[1]["raw"] == "Hm"
    assert alone.dropped == {"a request that failed": 1}
    asked = [{"role": "user", "content": PROMPT.format("Four.", "Seven.")}]
    request = {"method": "POST", "url": "/v1/chat/completions"}
    stated = {"first": "base", "second": "tuned", "prompt": "q1", "swapped": "true", "label": "second"}
    requests = write(
        request | {"custom_id": "r1", "body": {"messages": asked, "metadata": stated}},
        request | {"custom_id": "r3", "body": {"input": "Which?"}},
        name="requests.jsonl",
    )
    one, three = read_verdicts(output, requests=requests).rows
    assert (one["first"], one["swapped"], one["label"], one["first_length"]) == ("base", True, "second", 5)
    assert one["prompt"] == "q1"
    assert len(three["prompt"]) == 16
    with pytest.raises(TaskError, match=r"output.jsonl:1: custom_id: 'r1' is not among the requests of"):
        read_verdicts(output, requests=write(request | {"custom_id": "z", "body": {"input": "x"}}, name="other.jsonl"))


@pytest.mark.parametrize(
    ("reply", "text", "expected"),
    [
        ("degree", "[[B>>A]]", {"verdict": "second", "strength": 1.0}),
        ("degree", "A++ or so", {"verdict": None}),
        ("score", "Score: 7/10", {"score": 7.0}),
        ("score", "Score: 70", {"score": None}),
        ("correctness", "Verdict: no", {"score": 0.0}),
    ],
)
def test_replies_of_a_batch(write: Write, reply: Any, text: str, expected: dict[str, Any]) -> None:
    """By comparison, by degrees, by score, by yes and no."""
    body = {"choices": [{"message": {"content": text}}], "model": "gpt"}
    path = write(BATCH | {"response": {"status_code": 200, "body": body}})
    found = read_verdicts(path, reply=reply)
    row = (*found.rows, *found.scores)[0]
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("told", [{}, "", None, ["nan", ""], [10**400, ""], 5])
def test_a_score_of_llmbar_that_is_none(write: Write, told: Any) -> None:
    """A judge's score that cannot be read is unknown, and so is the verdict."""
    last = LLMBAR["results"][-1] | {"score_1": told, "score_2": ["5", "Rating: 5"]}
    found = read_verdicts(write(LLMBAR | {"results": [last]}))
    assert [row["verdict"] for row in found.rows] == [None]
    assert [row["score"] for row in found.scores] == [None, 5.0]


@pytest.mark.parametrize(
    "record",
    [
        {"evalId": "e", "results": {"prompts": 5, "results": [FOO]}},
        BATCH | {"response": {"body": {"output": 5}}},
    ],
)
def test_a_part_of_another_kind_is_taken_as_absent(write: Write, record: Any) -> None:
    found = read_verdicts(write(record))
    assert len(found.rows) + len(found.scores) == (1 if "custom_id" in record else 2)


def test_own_rows(write: Write) -> None:
    """Both kinds in one file, other names of fields, fields of the user's own; as columns for the audits."""
    path = write(
        {"verdict": "first", "judge": "j", "group": "q1", "first": "a", "second": "b", "gold": "tie", "order": 1},
        {"verdict": 0.25, "judge": "j", "prompt": "q1", "first": "b", "second": "a", "order": "swapped", "mine": [1]},
        {"verdict": None, "judge": "j", "raw": "?", "prompt": "q2", "tokens": 12, "question": "long"},
        {"score": 3, "system": "a", "label": 4, "prompt": 7},
    )
    found = read_verdicts(path, judge="people", system="unused")
    assert found.rows[0] == {
        **{
            "verdict": "first",
            "judge": "j",
            "first": "a",
            "second": "b",
            "label": "tie",
            "swapped": False,
            "prompt": "q1",
        }
    }
    assert found.rows[1]["swapped"] is True
    assert found.rows[1]["mine"] == [1]
    assert found.rows[2] == {"verdict": None, "judge": "j", "raw": "?", "prompt": "q2", "tokens": 12}
    assert found.scores == ({"score": 3.0, "system": "a", "label": 4.0, "prompt": "7", "judge": "people"},)
    columns = verdicts_of(found.rows[:2])["j"]
    assert columns.pair.tolist() == [0, 0]
    assert columns.swapped.tolist() == [False, True]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"verdict": "A"}, "verdict: 'A' is not a number; it can be first, second, tie, a number or null"),
        ({"verdict": 2}, "verdict: 2 is not between 0 and 1; it can also be first, second, tie or null"),
        ({"verdict": True}, "verdict: True is not a finite number"),
        ({"verdict": "tie", "label": -1}, "label: -1 is not between 0 and 1"),
        ({"verdict": "tie", "first": ["a"]}, "first: ['a'] is not a name; every record needs one"),
        ({"verdict": "tie", "order": 3}, "order: 3 is no order; it can be 1, 2, given, swapped"),
        ({"verdict": "tie", "swapped": "maybe"}, "swapped: 'maybe' is neither true nor false"),
        ({"verdict": "tie", "first_length": -4}, "first_length: -4 is below 0"),
        ({"verdict": "tie", "raw": 5}, "raw: 5 is not a text"),
        ({"verdict": "tie", "score": 1}, "score: a row is a verdict on two answers or a score of one"),
        ({"score": "high", "system": "a"}, "score: 'high' is not a number"),
        ({"verdict": "tie", "judge": "\ud800"}, "judge: '\\ud800' holds half a character; save the file as UTF-8"),
        (ALPACA | {"preference": 3}, "preference: 3 is not between 1 (output_1) and 2 (output_2)"),
        (ALPACA | {"instruction": None}, "instruction: None is not a text"),
        (ARENA_HARD | {"games": "x"}, "games: 'x' is not a list"),
        (ARENA_HARD | {"games": [{"score": "A>>>B"}]}, ", games[0]: score: 'A>>>B' is no verdict; it can be A>>B"),
        (ARENA_HARD | {"model": ""}, "model: '' is not a name"),
        (PAIR | {"g1_winner": "A"}, "g1_winner: 'A' is no winner; it can be model_1, model_2, tie, error"),
        (LLMBAR | {"label": 0}, "label: 0 names no output; it can be 1 or 2"),
        (LLMBAR | {"results": []}, "results: no verdicts in both orders"),
        (BATTLE | {"anony": "perhaps"}, "anony: 'perhaps' is neither true nor false"),
        (FOO | {"provider": None}, "provider: None is not a name"),
        (BATCH | {"custom_id": None}, "custom_id: None is not a name"),
        ({"score": 10**400, "system": "a"}, "is not a finite number"),
        ({"testCases": [{"name": "a", "metricsData": {"name": "M"}}]}, "metricsData: {'name': 'M'} is not a list"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_line_and_field(write: Write, record: Any, message: str) -> None:
    """And what the field can be."""
    good = {"verdict": "tie"} if "verdict" in record else {"score": 1, "system": "a"} if "score" in record else None
    path = write(*([good] if good and "results" not in record and "success" not in record else []), record)
    with pytest.raises(TaskError) as error:
        read_verdicts(path)
    line = path.read_text().count("\n")
    assert f"{path}:{line}" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"[]", "the file holds no records"),
        (b'[{"verdict": "tie"},\n {"verdict": "tie"', ":2: not JSON"),
        (b'[{"verdict": "tie"}\n', ":2: the array has no end; the file is cut off"),
        (b'[{"verdict": "tie"}] x', ":1: text after the end of the array"),
        (b'{"verdict": "tie"}\n{"verdict": "ti', ":2: not JSON: Unterminated string"),
        (b'{"verdict": "tie"}\n{"verdict" "tie"}\n{"verdict": "tie"}', ":2: not JSON: Expecting ':' delimiter"),
        (b'{"verdict": "tie"}\n"x"\n', ":2: 'x' is not an object"),
        (b'{"verdict": "tie"}\n\xff\xff', "verdicts.json:2: not UTF-8; save the file as UTF-8"),
        ('{"verdict": "tie"}'.encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b'{"a":' * 100_000, ":1: not JSON"),
        (
            b'{"question": "x", "a{0}%s\\u001b[31m": 1}',
            "of no known format, by its first record's fields: question, a{0}%s",
        ),
        (b"PK\x03\x04 and no more", "not a zip file"),
        (b"\x1f\x8b\x08no gzip", "compressed file ended before the end-of-stream marker"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    """Cut off, in another encoding, of another kind: one line that says so."""
    path = tmp_path / "verdicts.json"
    path.write_bytes(content)
    with pytest.raises(TaskError) as error:
        read_verdicts(path)
    text = str(error.value)
    assert message.lower() in text.lower()
    assert str(path) in text
    assert len(text) < 700
    assert text.isprintable()


def test_files_that_are_none(tmp_path: Path) -> None:
    """A folder, nothing, a format nobody knows, an archive of something else."""
    with pytest.raises(TaskError, match="a folder, not a file"):
        read_verdicts(tmp_path)
    with pytest.raises(TaskError, match="no such file"):
        read_verdicts(tmp_path / "none.json")
    (tmp_path / "x.jsonl").write_text('{"verdict": "tie"}\n')
    with pytest.raises(ConfigError, match="no format of verdicts is called 'alpaca'; there are alpaca_eval,"):
        read_verdicts(tmp_path / "x.jsonl", format="alpaca")
    with pytest.raises(TaskError, match=r"x.jsonl:1: instruction: None is not a text"):
        read_verdicts(tmp_path / "x.jsonl", format="alpaca_eval")
    with zipfile.ZipFile(tmp_path / "x.eval", "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(TaskError, match=r"an archive without header.json"):
        read_verdicts(tmp_path / "x.eval")


def test_an_archive_that_is_locked_or_names_a_sample_twice(tmp_path: Path) -> None:
    """What cannot be unpacked is named; of two members of one name the last counts, once."""
    header = {"version": 2, "eval": {"model": "m"}}
    samples = [{"id": 1, "scores": {"match": {"value": value}}} for value in "IC"]
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        archive.writestr("samples/1.json", json.dumps(samples[0]))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("samples/1.json", json.dumps(samples[1]))
    assert [row["score"] for row in read_verdicts(path).scores] == [1.0]
    packed = bytearray(path.read_bytes())
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(packed)
    with pytest.raises(TaskError, match=r"log.eval, samples/1.json: cannot be unpacked: .* encrypted"):
        read_verdicts(path)


def test_a_damaged_archive(tmp_path: Path) -> None:
    """A member that does not unpack is named."""
    packed = bytearray((HERE / "inspect.eval").read_bytes())
    start = packed.index(b"samples/q1_epoch_1.json") + 60
    packed[start : start + 20] = bytes(20)
    (tmp_path / "log.eval").write_bytes(packed)
    with pytest.raises(TaskError, match=r"log.eval, samples/q1_epoch_1.json: "):
        read_verdicts(tmp_path / "log.eval")


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("indent", [None, 1])
def test_arrays_are_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None
) -> None:
    """Records and their lines do not depend on where a piece ends, in texts, numbers and escapes."""
    records = [{"verdict": 0.123456789, "raw": 'é[{"\\]}\n' * i, "n": i} for i in range(9)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records, indent=indent, ensure_ascii=False), encoding="utf-8")
    lines = [record.place for record in read_records(path)]
    monkeypatch.setattr(sources, "CHUNK", chunk)
    assert [record.values for record in read_records(path)] == records
    assert [record.place for record in read_records(path)] == lines
    if indent:
        assert lines[1] == f"{path}:7"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", list(FORMATS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_change_of_a_record_is_read_or_told(name: str, data: st.DataObject) -> None:
    """A reader gives rows that the audits take, or an error that names the place; nothing else."""
    record = json.loads(json.dumps(EXAMPLES[name]))
    place = record
    for _ in range(data.draw(st.integers(0, 5))):
        inner = [value for value in (place.values() if isinstance(place, dict) else place) if value]
        deeper = [value for value in inner if isinstance(value, dict | list)]
        if not deeper:
            break
        place = data.draw(st.sampled_from(deeper))
    key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(VALUES)
    problem = "file:1"
    try:
        found = list(FORMATS[name].read(iter([Record("file:1", record)]), Options(texts=True)))
    except TaskError as error:
        problem, found = str(error), []
    assert problem.startswith("file:1")
    assert "\n" not in problem
    verdicts_of([row for row in found if isinstance(row, dict) and "verdict" in row])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80) | st.text(alphabet='[]{}",:0a\n \\', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_told(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds, the answer is rows or one line."""
    path = tmp_path / "any.json"
    path.write_bytes(content)
    problem = str(path)
    try:
        list(stream_verdicts(path)[1])
    except WhetstoneError as error:
        problem = str(error)
    assert str(path) in problem


def test_a_wrong_line_is_told_before_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the file goes on; a record that never ends is stopped."""
    path = tmp_path / "long.jsonl"
    path.write_text('{"verdict": tie}\n' + '{"verdict": "tie"}\n' * 50_000)
    monkeypatch.setattr(sources, "CHUNK", 1000)
    monkeypatch.setattr(sources, "MAX_VALUE", 10_000)
    with pytest.raises(TaskError, match=r"long.jsonl:1: not JSON: Expecting value; the line is damaged"):
        read_verdicts(path)
    path.write_text('{"verdict": "tie"}\n{"raw": "' + "x" * 50_000)
    with pytest.raises(TaskError, match=r"long.jsonl:2: one record is longer than 0 MiB"):
        read_verdicts(path)
