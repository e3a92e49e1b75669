"""Replies as files: what goes out comes in elsewhere, and a damaged file changes nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from whetstone.core.errors import StoreError
from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Generation, Media, Request, Sampling, Token, Usage, user
from whetstone.store import Store, open_store

FLOWS = 40


def rich(request: Request) -> Generation:
    """A reply with everything that is hard to write down."""
    tokens = (Token("a\ud83d", -0.1, (("a", -0.1), ("b", float("-inf"))), 0.4, None), Token(" b", float("nan")))
    return Generation("a\ud83d b\n{", tokens, "length", Usage(7, 2))


def asking(i: int) -> Flow[list[Generation]]:
    image = Media("image", "image/png", b"\x00\xff" * 300)
    return sample(user(f"question {i} \ud800", image), n=2, sampling=Sampling(stop=("x",), logprobs=2))


def asked(store: Store, model: object) -> dict[str, list[Generation]]:
    return drive({str(i): asking(i) for i in range(FLOWS)}, {"policy": store.cached(model)}).results  # type: ignore


def content(store: Store) -> list[tuple[object, ...]]:
    return sorted(store._database.read("SELECT key, model, request, reply FROM replies"))


@pytest.mark.parametrize("name", ["replies.jsonl", "replies.jsonl.gz"])
def test_what_goes_out_comes_in(store: Store, counting, tmp_path: Path, name: str) -> None:
    before = asked(store, counting(rich))
    target = tmp_path / "out" / name
    assert store.export_replies(target) == 2 * FLOWS
    with open_store(tmp_path / "other") as other:
        done = other.import_replies(target)
        assert (done.new, done.known) == (2 * FLOWS, 0)
        assert content(other) == content(store)
        model = counting(rich)
        after = asked(other, model)
        assert repr(after) == repr(before)
        assert model.asked == []
        again = other.import_replies(target)
        assert (again.new, again.known) == (0, 2 * FLOWS)


def test_the_same_replies_give_the_same_file(store: Store, counting, tmp_path: Path) -> None:
    asked(store, counting(rich))
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        store.export_replies(tmp_path / name)
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == gzip.decompress(
        (tmp_path / "b.jsonl.gz").read_bytes()
    )


def test_one_models_replies(store: Store, counting, tmp_path: Path) -> None:
    asked(store, counting(rich))
    other = counting()
    other.name = other.fingerprint = "another"
    asked(store, other)
    assert store.export_replies(tmp_path / "one.jsonl", "another") == 2 * FLOWS
    lines = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text(errors="replace").splitlines()]
    assert {line["model"] for line in lines} == {"another"}
    assert {(one.model, one.replies) for one in store.sizes()} == {("counting", 80), ("another", 80)}
    assert store.size > sum(one.bytes for one in store.sizes()) > 0


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda line: line[: len(line) // 2], "not JSON"),
        (lambda line: b"[]\n", "not a stored reply"),
        (lambda line: line.replace(b'"key":"', b'"key":"zz'), "not a stored reply"),
        (lambda line: line.replace(b'"key":"', b'"key":"00'), "64 hexadecimal digits"),
        (lambda line: line.replace(b'"text":"', b'"txt":"'), "not a stored reply"),
        (lambda line: b"\xff\xfe\n", "not JSON"),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_added(store: Store, counting, tmp_path: Path, damage, said) -> None:
    asked(store, counting())
    target = tmp_path / "replies.jsonl"
    store.export_replies(target)
    lines = target.read_bytes().splitlines(keepends=True)
    lines[70] = damage(lines[70])
    target.write_bytes(b"".join(lines))
    with open_store(tmp_path / "other") as other:
        with pytest.raises(StoreError, match=said) as error:
            other.import_replies(target)
        assert str(error.value).startswith(f"{target}:71: ")
        assert content(other) == []


def test_a_damaged_archive_a_missing_file_and_a_taken_name(store: Store, counting, tmp_path: Path) -> None:
    asked(store, counting())
    target = tmp_path / "replies.jsonl.gz"
    store.export_replies(target)
    with pytest.raises(StoreError, match="exists already"):
        store.export_replies(target)
    target.write_bytes(target.read_bytes()[:-200])
    with open_store(tmp_path / "other") as other:
        with pytest.raises(StoreError, match="damaged"):
            other.import_replies(target)
        (tmp_path / "plain.jsonl.gz").write_text("{}\n")
        with pytest.raises(StoreError, match="damaged"):
            other.import_replies(tmp_path / "plain.jsonl.gz")
        with pytest.raises(StoreError, match=r"no\.jsonl: cannot be read"):
            other.import_replies(tmp_path / "no.jsonl")
        assert content(other) == []
