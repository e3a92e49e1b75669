"""The arena without a browser: what it shows, what it keeps, what it refuses, and whether its ranking is right."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from whetstone.app.arena.log import Log
from whetstone.app.arena.outputs import Outputs, read_outputs
from whetstone.app.arena.play import Arena, Refused
from whetstone.app.arena.site import site
from whetstone.app.verbs.rank import rank
from whetstone.core.errors import ConfigError, StoreError, TaskError
from whetstone.core.types import Media

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WAV = b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00\x00\x00\x00\x00"  # noqa: E501


def made(systems: int = 4, items: int = 10) -> Outputs:
    names = tuple(f"s{i}" for i in range(systems))
    given = {(s, i): (f"output {s} {i}",) for s in range(systems) for i in range(items)}
    return Outputs(names, tuple(f"p{i}" for i in range(items)), tuple((f"prompt {i}",) for i in range(items)), given)


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    opened: list[Arena] = []

    def make(outputs: Outputs | None = None, **options: Any) -> Arena:
        while opened:
            opened.pop().close()
        opened[:] = [Arena(outputs or made(), tmp_path / "votes.jsonl", **options)]
        return opened[0]

    yield make
    for one in opened:
        one.close()


class Client:
    """A browser's part of the conversation, without a network: keeps its cookie."""

    def __init__(self, app: Any) -> None:
        self.app, self.cookie = app, ""

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        path, _, query = path.partition("?")
        sent: list[dict[str, Any]] = []
        asked: list[bool] = []
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {
            "host": "localhost",
            "cookie": self.cookie,
            "content-type": "application/json" if body is not None else "",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items() if v],
        }

        async def receive() -> dict[str, Any]:
            if asked:
                await asyncio.sleep(60)
            asked.append(True)
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        asyncio.run(self.app(scope, receive, send))
        found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        if "set-cookie" in found:
            self.cookie = found["set-cookie"].partition(";")[0]
        return sent[0]["status"], found, b"".join(event.get("body", b"") for event in sent[1:])

    def get(self, path: str) -> Any:
        status, _, body = self.ask(path)
        assert status == 200, body
        return json.loads(body)

    def vote(self, **vote: Any) -> tuple[int, Any]:
        status, _, body = self.ask("/api/vote", vote)
        return status, json.loads(body)


# ------------------------------------------------------------------------------------------- outputs


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_row_for_each_output() -> None:
    found = read_outputs(EXAMPLES / "answers.jsonl")
    assert found.systems == ("ash", "beech", "cedar", "elm")
    assert found.items == ("sky", "sum", "tea", "mail", "name")
    assert found.prompts[1] == ("What is 17 + 26?",)
    assert found.given[2, 1] == ("The answer is 43.",)
    assert found.have.all()


def test_other_names_of_columns_and_the_prompt_as_id(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text('generator,instruction,output\na,Hi?,"x, y"\nb,Hi?,z\n')
    found = read_outputs(tmp_path / "o.csv")
    assert (found.systems, found.items, found.given[0, 0]) == (("a", "b"), ("Hi?",), ("x, y",))


def test_images_and_sounds_by_path_by_value_and_as_parts_of_messages(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    sound = {"type": "input_audio", "input_audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"}}
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": data}}, sound]
    found = read_outputs(
        write(
            tmp_path / "o.jsonl",
            {"id": 1, "prompt": "draw", "system": "file", "image": "a.png"},
            {"id": 1, "prompt": "draw", "system": "parts", "output": parts},
            {"id": 1, "prompt": "draw", "system": "far", "image": "https://example.invalid/a.png"},
        )
    )
    far, file, rich = (found.given[i, 0] for i in range(3))
    assert far == (Media("image", "image/png", url="https://example.invalid/a.png"),)
    assert file == (Media("image", "image/png", url=(tmp_path / "a.png").resolve().as_uri()),)
    assert rich == ("see", Media("image", "image/png", PNG), Media("audio", "audio/wav", WAV))


def test_a_folder_of_files_and_a_folder_of_folders(tmp_path: Path) -> None:
    files, folders = tmp_path / "files", tmp_path / "folders"
    files.mkdir()
    write(files / "prompts.jsonl", {"id": "p", "prompt": "Hi?"}, {"id": "q", "prompt": "Who?"})
    write(files / "gpt-4.5.jsonl", {"id": "p", "output": "x"}, {"id": "q", "output": None})
    write(files / "ash.jsonl", {"id": "p", "output": "y"}, {"id": "q", "output": "z"}, {"id": "q", "output": "again"})
    found = read_outputs(files)
    assert (found.systems, found.items, found.prompts) == (("ash", "gpt-4.5"), ("p",), (("Hi?",),))
    assert found.dropped == {
        "no output": 1,
        "further outputs of the same system for the same prompt": 1,
        "outputs for prompts that no other system answered": 1,
    }
    for system in ("prompts", "one", "two"):
        (folders / system).mkdir(parents=True)
    (folders / "prompts" / "cat.txt").write_text("A cat.")
    for system in ("one", "two"):
        (folders / system / "cat.png").write_bytes(PNG)
        (folders / system / "cat.txt").write_text(f"by {system}")
    (folders / "one" / "notes.exe").write_bytes(b"")
    found = read_outputs(folders)
    assert found.prompts == (("A cat.",),)
    assert found.given[0, 0][0] == "by one"
    assert isinstance(found.given[0, 0][1], Media)
    assert found.dropped == {"files of a kind that cannot be shown (.exe)": 1}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"prompt": "p", "output": "x"}], "line 1: no system is named"),
        ([{"prompt": "p", "system": "a"}], "line 1: no output; there are prompt, system"),
        ([{"system": "a", "output": "x"}], "line 1: no id and no prompt"),
        ([{"prompt": "p", "system": "a", "output": "x"}], "outputs of 1 systems"),
        ([{"prompt": p, "system": s, "output": "x"} for p, s in ("pa", "qb")], "no prompt that two answered"),
        ([{"id": 1, "prompt": p, "system": p, "output": "x"} for p in "ab"], "line 2: prompt '1' is another one"),
        ([{"prompt": "p", "system": "a", "image": "../../etc/passwd.png"}], "lies outside the folder"),
        ([{"prompt": "p", "system": "a", "image": "none.png"}], "no such file"),
        ([{"prompt": "p", "system": "a", "image": "a\0.png"}], "line 1, image: 'a\\x00.png' cannot be the path"),
        ([{"prompt": "p", "system": "a", "image": "x" * 5000 + ".png"}], "cannot be the path of a file"),
        ([{"prompt": "p", "system": "a", "image": "\ud800.png"}], "cannot be the path of a file"),
        ([{"prompt": "p", "system": "a", "image": "x.svg"}], "is none of .jpg"),
        ([{"prompt": "p", "system": "a", "image": "data:text/html,<script>"}], "is none of audio/aac"),
        ([{"prompt": "p", "system": "a", "output": [{"type": "video"}]}], "a part with type is no text"),
        ([], "no outputs"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_line(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)):
        read_outputs(write(tmp_path / "o.jsonl", *rows))


# --------------------------------------------------------------------------------------------- votes


def test_what_was_confirmed_is_in_the_file_and_a_torn_line_is_not(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    log = Log(path)
    log.add({"a": 1})
    with pytest.raises(StoreError, match="in use by another arena"):
        Log(path)
    log.close()
    with path.open("ab") as file:
        file.write(b'{"a": 2, "b"')
    log = Log(path)
    assert (log.records, log.torn) == ([{"a": 1}], b'{"a": 2, "b"')
    log.add({"a": 3})
    log.close()
    with path.open("ab") as file:
        file.write(b'{"a": 4}')
    log = Log(path)
    log.add({"a": 5})
    log.close()
    assert [json.loads(line)["a"] for line in path.read_text().splitlines()] == [1, 3, 4, 5]
    for text in ("model_a,model_b\n", "[" * 100_000 + "\n"):
        path.write_text(text)
        with pytest.raises(StoreError, match="line 1 is no JSON object"):
            Log(path)


def test_a_disk_that_is_full_confirms_nothing(arena: Callable[..., Arena], monkeypatch: pytest.MonkeyPatch) -> None:
    one = arena()
    shown = one.match("ann")
    real = os.write

    def full(file: int, data: bytes) -> int:
        real(file, data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whetstone.app.arena.log.os.write", full)
    with pytest.raises(StoreError, match="No space left"):
        one.vote("ann", shown.number, {"choice": "first"})
    monkeypatch.undo()
    assert one.votes.path.read_bytes() == b""
    assert one.match("ann") == shown, "it is asked again"
    one.vote("ann", shown.number, {"choice": "first"})
    assert len(one.votes.path.read_text().splitlines()) == 1


def test_every_answer_is_written_and_read_by_rank(arena: Callable[..., Arena]) -> None:
    one = arena()
    for choice in ("first", "second", "tie", "both_bad", "skip", "first", "first", "second"):
        shown = one.match("ann")
        assert one.match("ann") == shown
        names = one.vote("ann", shown.number, {"choice": choice})
        assert names == [one.outputs.systems[i] for i in shown.match.systems]
        assert one.vote("ann", shown.number, {"choice": choice}) == names, "sent twice, taken once"
        with pytest.raises(Refused, match="another answer"):
            one.vote("ann", shown.number, {"choice": "tie" if choice != "tie" else "first"})
    board, _ = rank(one.votes.path)
    assert (board.n, board.dropped) == (7, {"no value in winner": 1})
    assert rank(one.votes.path, drop_both_bad=True)[0].dropped == {"no value in winner": 1, "both bad": 1}
    assert board.settings["covariance"] in ("group", "model")
    rows = [json.loads(line) for line in one.votes.path.read_text().splitlines()]
    assert [row["winner"] for row in rows[:5]] == ["model_a", "model_b", "tie", "tie (bothbad)", None]
    assert all(row["judge"] == "ann" and row["prompt_id"].startswith("p") for row in rows)


def test_rankings_of_several_are_read_without_conversion(arena: Callable[..., Arena]) -> None:
    one = arena(size=4)
    skills, rng = np.array([2.0, 1.0, -1.0, -2.0]), np.random.default_rng(0)
    for turn in range(150):
        shown = one.match("ann")
        seen = skills[list(shown.match.systems)] + rng.gumbel(size=4)
        ranking: Any = [[int(i) + 1] for i in np.argsort(-seen)]
        if turn % 10 == 0:
            ranking = [ranking[0], [*ranking[1], *ranking[2]], ranking[3]]
        one.vote("ann", shown.number, {"choice": "skip"} if turn == 5 else {"ranking": ranking})
    one.vote("ann", one.match("ann").number, {"choice": "all_bad"})
    for method in ("bradley_terry", "plackett_luce", "bayesian_skill"):
        board, _ = rank(one.votes.path, method=method)
        assert [s.name for s in board.systems] == ["s0", "s1", "s2", "s3"]
        assert (board.kind, board.n if method != "bradley_terry" else 150) == ("rankings", 150)
        assert board.dropped == {"no value in ranking": 1}
    assert rank(one.votes.path, drop_both_bad=True)[0].dropped == {"no value in ranking": 1, "all bad": 1}
    board, _ = rank(one.votes.path, method="plackett_luce")
    for system, truth in zip(board.systems, skills, strict=True):
        assert system.low is not None
        assert system.high is not None
        assert system.low - 0.3 < truth < system.high + 0.3


@pytest.mark.parametrize(
    "ranking", [[1, 2, 3], [1, 2, 3, 3], [1, 2, 3, 5], [[1, 2], [3], "4"], "1", None, [True, 2, 3, 4]]
)
def test_a_ranking_that_is_none_is_refused(arena: Callable[..., Arena], ranking: Any) -> None:
    one = arena(size=4)
    with pytest.raises(Refused, match="must hold 1 to 4"):
        one.vote("ann", one.match("ann").number, {"ranking": ranking})
    assert one.votes.records == []


def test_a_restart_goes_on_where_it_was(arena: Callable[..., Arena]) -> None:
    one = arena(seed=3)
    for _ in range(30):
        one.vote("ann", one.match("ann").number, {"choice": "first"})
    open_ = [one.match(voter) for voter in ("ann", "bob")]
    state = (one.maker.before.copy(), one.maker.belief.wins.copy(), one.maker.handed)
    again = arena(seed=3)
    assert [again.match(voter).match for voter in ("ann", "bob")] == [shown.match for shown in open_]
    for before, after in zip(state, (again.maker.before, again.maker.belief.wins, again.maker.handed), strict=True):
        np.testing.assert_array_equal(before, after)
    assert again.vote("bob", open_[1].number, {"choice": "tie"}), "a vote that was on its way is still taken"
    assert len(again.votes.records) == 31
    again.matches.path.unlink()
    third = arena(seed=3)
    assert third.maker.belief.wins.sum() == 30, "votes alone are enough to go on"
    assert third.match("ann").number > 31


def test_systems_that_are_gone_keep_their_votes(arena: Callable[..., Arena]) -> None:
    one = arena()
    for _ in range(40):
        one.vote("ann", one.match("ann").number, {"choice": "first"})
    fewer = arena(made(systems=3))
    assert fewer.unknown > 5
    assert len(fewer.votes.records) == 40
    with pytest.raises(ConfigError, match="line 1 is no vote on 3"):
        arena(size=3)


def test_each_pair_is_shown_in_both_orders_equally_often(arena: Callable[..., Arena]) -> None:
    one, rng = arena(), np.random.default_rng(0)
    for i in range(300):
        voter = f"v{i % 3}"
        one.vote(voter, one.match(voter).number, {"choice": str(rng.choice(["first", "second"]))})
    shown = Counter(tuple(record["shown"]) for record in one.matches.records)
    assert all(abs(n - shown[pair[::-1]]) <= 1 for pair, n in shown.items())


RANKED = {"match": 1, "prompt_id": "p0", "shown": ["s0", "s1", "s2"], "ranking": [["s0"], ["s1", "s2"]], "judge": "ann"}


@pytest.mark.parametrize(
    "change",
    [
        {"shown": 5},
        {"shown": ["s0", ["s1"], "s2"]},
        {"shown": ["s0", "s1"]},
        {"ranking": 5},
        {"ranking": ["s0"]},
        {"ranking": [["s0"], ["s1", "other"]]},
    ],
)
def test_a_file_of_rankings_that_cannot_be_right_is_refused(
    arena: Callable[..., Arena], tmp_path: Path, change: dict[str, Any]
) -> None:
    write(tmp_path / "votes.jsonl", RANKED, {**RANKED, "match": 2} | change)
    with pytest.raises(ConfigError, match=r"votes.jsonl: line 2 is no vote on 3; name another file with --votes"):
        arena(size=3)


@pytest.mark.parametrize("ranking", [None, ["s0", "s1", "s2"], [["s2", "s0"], "s1"]])
def test_rankings_of_others_are_taken_in(arena: Callable[..., Arena], tmp_path: Path, ranking: Any) -> None:
    write(tmp_path / "votes.jsonl", RANKED | {"ranking": ranking})
    one = arena(size=3)
    assert (one.tally("ann"), one.unknown) == ({"votes": 1, "yours": 1}, 0)


@pytest.mark.parametrize("shown", [5, None, [["s0"], "s1"]])
def test_matches_and_votes_that_name_nobody_known_are_counted(
    arena: Callable[..., Arena], tmp_path: Path, shown: Any
) -> None:
    write(tmp_path / "votes.matches.jsonl", {"match": 1, "prompt_id": "p0", "shown": shown, "judge": "ann"})
    write(tmp_path / "votes.jsonl", {"match": 2, "prompt_id": "p0", "model_a": "s0", "winner": "model_a"})
    assert arena().unknown == 2


# ------------------------------------------------------------------------------------------- the site


def test_names_come_after_the_vote_and_never_before(arena: Callable[..., Arena]) -> None:
    one = arena(Outputs(("SECRET1", "SECRET2"), ("p",), (("Hi?",),), {(0, 0): ("a",), (1, 0): ("b",)}))
    client = Client(site(one, title="answers.jsonl"))
    page = client.ask("/")[2].decode()
    match = client.get("/api/match")
    assert "SECRET" not in page + json.dumps(match)
    status, reply = client.vote(match=match["match"], choice="first")
    assert (status, sorted(reply["names"]), reply["votes"], reply["yours"]) == (200, ["SECRET1", "SECRET2"], 1, 1)
    first = json.loads(one.votes.path.read_text())
    assert [first["model_a"], first["model_b"]] == reply["names"]
    assert match["outputs"] == [[{"type": "text", "text": "ab"[int(name[-1]) - 1]}] for name in reply["names"]]


def test_media_are_served_by_place_to_who_was_shown_them(arena: Callable[..., Arena], tmp_path: Path) -> None:
    for system in ("one", "two"):
        (tmp_path / "media" / system).mkdir(parents=True)
        (tmp_path / "media" / system / "cat.png").write_bytes(PNG)
        (tmp_path / "media" / system / "cat.wav").write_bytes(WAV)
    client = Client(site(arena(read_outputs(tmp_path / "media")), title="media"))
    match = client.get("/api/match")
    assert [[part["type"] for part in parts] for parts in match["outputs"]] == [["image", "audio"]] * 2
    for part, mime, data in zip(match["outputs"][0], ("image/png", "audio/wav"), (PNG, WAV), strict=True):
        assert not re.search("one|two", part["url"])
        status, headers, body = client.ask(part["url"])
        assert (status, headers["content-type"], body) == (200, mime, data)
        assert "sandbox" in headers["content-security-policy"]
        assert Client(client.app).ask(part["url"])[0] == 404, "someone else"
    for path in ("/media/1/0/0", "/media/1/3/0", "/media/1/1/9", "/media/9/1/0", "/media/../votes.jsonl"):
        assert client.ask(path)[0] == 404


def test_a_picture_in_the_network_is_not_loaded(arena: Callable[..., Arena]) -> None:
    far = (Media("image", "image/png", url="https://example.invalid/x.png"),)
    client = Client(site(arena(Outputs(("a", "b"), ("p",), (("Hi?",),), {(0, 0): far, (1, 0): far})), title="t"))
    part = client.get("/api/match")["outputs"][0][0]
    assert "url" not in part
    assert "not loaded" in part["note"]


def test_every_answer_has_a_strict_policy(arena: Callable[..., Arena]) -> None:
    client = Client(site(arena(), title="</script><script>alert(1)</script>"))
    for path in ("/", "/leaderboard", "/api/match"):
        status, headers, body = client.ask(path)
        policy = headers["content-security-policy"]
        assert status == 200
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert b"<script>alert" not in body
        assert not re.search(rb'(src|href)="(https?:)?//', body)


def test_no_other_page_can_vote_and_no_other_host_is_answered(arena: Callable[..., Arena]) -> None:
    client = Client(site(arena(), title="t"))
    vote = {"match": client.get("/api/match")["match"], "choice": "first"}
    assert client.ask("/api/vote", vote, origin="http://evil.example")[0] == 403
    assert client.ask("/api/vote", vote, content_type="text/plain")[0] == 415
    assert client.ask("/api/match", host="evil.example")[0] == 400
    assert Client(client.app).ask("/api/vote", vote)[0] == 403, "nobody's cookie"
    other = Client(client.app)
    other.get("/api/match")
    assert other.ask("/api/vote", vote)[0] == 404, "someone else's match"
    assert client.ask("/api/vote", vote, origin="http://localhost")[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"match": 1}, 400),
        ({"match": 1, "choice": "best"}, 400),
        ({"match": 1, "choice": ["first"]}, 400),
        ({"match": "1", "choice": "first"}, 400),
        ({"match": True, "choice": "first"}, 400),
        ({"match": 99, "choice": "first"}, 404),
        ([1], 400),
        (b"{", 400),
        (b"[" * 50_000, 400),
        (b" " * 70_000, 413),
    ],
)
def test_a_vote_that_is_none_is_refused_in_words(arena: Callable[..., Arena], body: Any, status: int) -> None:
    client = Client(site(arena(), title="t"))
    client.get("/api/match")
    found, _, reply = client.ask("/api/vote", body)
    assert found == status
    assert json.loads(reply)["error"]


@pytest.mark.parametrize("name", ["Zoë", "日本", "ann@x.org"])
def test_a_name_may_be_in_any_script(arena: Callable[..., Arena], name: str) -> None:
    one = arena()
    client = Client(site(one, title="t"))
    assert client.ask(f"/?voter={quote(name)}")[0] == 303
    assert client.get("/api/match")["voter"] == name


def test_addresses_and_origins_that_are_none_are_refused(arena: Callable[..., Arena]) -> None:
    client = Client(site(arena(), title="t"))
    vote = {"match": client.get("/api/match")["match"], "choice": "first"}
    assert client.ask("/api/vote", vote, origin="http://[")[0] == 403
    assert client.ask(f"/media/{'9' * 5000}/1/0")[0] == 404


def test_a_voter_may_have_a_name(arena: Callable[..., Arena]) -> None:
    one = arena()
    client = Client(site(one, title="t"))
    assert client.ask("/?voter=ann")[0] == 303
    client.vote(match=client.get("/api/match")["match"], choice="tie")
    assert one.votes.records[0]["judge"] == "ann"
    assert client.ask("/?voter=<script>")[0] == 400


def test_the_leaderboard_is_what_rank_says(arena: Callable[..., Arena]) -> None:
    one = arena()
    client = Client(site(one, title="t", rounds=50))
    assert b"No votes yet" in client.ask("/leaderboard")[2]
    assert client.ask("/api/leaderboard")[0] == 409
    rng = np.random.default_rng(0)
    for _ in range(80):
        client.vote(match=client.get("/api/match")["match"], choice=str(rng.choice(["first", "second", "tie"])))
    found = client.get("/api/leaderboard")
    board, _ = rank(one.votes.path, rounds=50)
    assert found["settings"]["rounds"] == 50
    assert [(s["name"], s["score"], s["low"], s["tier"]) for s in found["systems"]] == [
        (s.name, s.score, s.low, s.tier) for s in board.systems
    ]
    page = client.ask("/leaderboard")[2].decode()
    assert all(f">{name}<" in page for name in one.outputs.systems)
    assert '<a href="/">Vote</a>' in page


def test_broken_text_is_shown(arena: Callable[..., Arena]) -> None:
    odd = "\ud800\u202e\x00<b>\u2028"
    client = Client(site(arena(Outputs(("a", "b"), ("p",), ((odd,),), {(0, 0): (odd,), (1, 0): ("",)})), title="t"))
    match = client.get("/api/match")
    assert match["prompt"] == [{"type": "text", "text": odd}]


# --------------------------------------------------------------------------------------- simulations


def played(one: Arena, skills: np.ndarray, votes: int, seed: int, tie: float = 0.2, like: float = 0.0) -> None:
    """Three voters of planted strengths, with ties, and a liking for what is shown first."""
    rng = np.random.default_rng(seed)
    for turn in range(votes):
        voter = f"v{turn % 3}"
        shown = one.match(voter)
        i, j = shown.match.systems
        if rng.random() < tie:
            choice = "tie"
        else:
            choice = "first" if rng.random() < 1 / (1 + np.exp(skills[j] - skills[i] - like)) else "second"
        one.vote(voter, shown.number, {"choice": choice})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations need no disk."""
    monkeypatch.setattr("whetstone.app.arena.log.os.fsync", lambda file: None)


@pytest.mark.usefixtures("quick")
def test_simulated_voters_are_ranked_as_planted(tmp_path: Path) -> None:
    """Planted strengths lie in the bootstrap intervals, and their order is found."""
    skills = np.array([1.5, 0.5, -0.5, -1.5])
    held, n = 0, 0
    for seed in range(8):
        one = Arena(made(items=40), tmp_path / f"{seed}.jsonl", seed=seed)
        played(one, skills, 400, seed, tie=0.0)
        one.close()
        board, _ = rank(one.votes.path, rounds=200)
        assert [s.name for s in board.systems] == ["s0", "s1", "s2", "s3"]
        for system in board.systems:
            assert system.low is not None
            assert system.high is not None
            held += system.low <= skills[int(system.name[1])] <= system.high
            n += 1
    assert held / n >= 0.85


@pytest.mark.usefixtures("quick")
def test_equal_systems_are_of_one_tier(tmp_path: Path) -> None:
    apart = 0
    for seed in range(12):
        one = Arena(made(items=40), tmp_path / f"{seed}.jsonl", seed=seed)
        played(one, np.zeros(4), 200, seed, like=1.0)
        one.close()
        board, _ = rank(one.votes.path, rounds=200)
        apart += board.tiers > 1
        assert not one.maker.settled
    assert apart <= 2


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("choice", ["information", "random"])
def test_intervals_cover_and_tiers_keep_their_error(tmp_path: Path, choice: Any) -> None:
    covered, apart, runs = [], 0, 150
    for seed in range(runs):
        for name, skills in (("apart", np.array([1.0, 0.3, -0.3, -1.0])), ("equal", np.zeros(4))):
            one = Arena(made(items=60), tmp_path / f"{name}{seed}.jsonl", seed=seed, choice=choice)
            played(one, skills, 300, seed, tie=0.0)
            one.close()
            board, _ = rank(one.votes.path, rounds=200)
            if name == "equal":
                apart += board.tiers > 1
            else:
                covered += [s.low <= skills[int(s.name[1])] <= s.high for s in board.systems]  # type: ignore[operator]
    assert 0.92 <= np.mean(covered) <= 0.98
    assert apart / runs <= 0.09


# --------------------------------------------------------------------------------- a real process


def heed_interrupts() -> None:
    """A shell that starts the tests in the background has them, and all that they start, ignore interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def serve(folder: Path, *argv: str) -> tuple[subprocess.Popen[bytes], Any]:
    command = [
        sys.executable,
        "-m",
        "whetstone.app.cli",
        "arena",
        str(EXAMPLES / "answers.jsonl"),
        "--port",
        "0",
        "--json",
    ]
    process = subprocess.Popen(
        [*command, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, preexec_fn=heed_interrupts
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return process, json.loads(line)


def test_killed_at_any_time_it_loses_no_answer(tmp_path: Path) -> None:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    confirmed = []
    for _ in range(2):
        process, where = serve(tmp_path)
        try:
            for _ in range(7):
                match = json.load(opener.open(f"{where['url']}api/match", timeout=20))
                body = json.dumps({"match": match["match"], "choice": "first"}).encode()
                request = urllib.request.Request(f"{where['url']}api/vote", body, {"Content-Type": "application/json"})
                confirmed.append((match["match"], json.load(opener.open(request, timeout=20))["names"]))
            waiting = json.load(opener.open(f"{where['url']}api/match", timeout=20))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    rows = [json.loads(line) for line in (tmp_path / "votes.jsonl").read_text().splitlines()]
    assert [(row["match"], [row["model_a"], row["model_b"]]) for row in rows] == confirmed
    assert len({number for number, _ in confirmed}) == 14
    process, where = serve(tmp_path)
    assert json.load(opener.open(f"{where['url']}api/match", timeout=20))["outputs"] == waiting["outputs"]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    board, _ = rank(tmp_path / "votes.jsonl")
    assert board.n == 14


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["none.jsonl"], "none.jsonl: no such file or folder"),
        ([str(EXAMPLES / "answers.jsonl"), "--bootstrap", "1"], "--bootstrap 1: it takes 0"),
        ([str(EXAMPLES / "answers.jsonl"), "--votes", "foreign.jsonl"], "line 1 is no vote on 2"),
        ([__file__], "neither a folder nor a .jsonl"),
        ([str(EXAMPLES / "answers.jsonl"), "--k", "5"], "no prompt has outputs of 5 systems; the most is 4"),
        ([str(EXAMPLES / "answers.jsonl"), "--k", "9"], "it takes 2 to 5"),
        ([str(EXAMPLES / "battles.csv")], "no system is named; there are model_a"),
        ([str(EXAMPLES / "answers.jsonl"), "--votes", "/proc/none/votes.jsonl"], "name another file"),
        ([str(EXAMPLES / "answers.jsonl"), "--level", "2"], "between 0 and 1"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    from whetstone.app import cli

    monkeypatch.chdir(tmp_path)
    write(tmp_path / "foreign.jsonl", {"ranking": "a > b"})
    assert cli.main(["arena", *argv, "--port", "0"]) == 2
    assert not list(tmp_path.glob("*.matches.jsonl"))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


BLOCKS = re.findall(r"```console\n(.*?)```", (EXAMPLES.parent / "arena.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_the_docs_show_what_is_printed(
    block: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from whetstone.app import cli

    monkeypatch.chdir(EXAMPLES.parents[1])
    command, *shown = block.rstrip().split("\n")
    assert cli.main(command.split()[2:]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.split("\n")]
    assert "\n".join(printed).strip() == "\n".join(shown).strip()


def test_it_says_what_it_shows_and_stops_at_an_interrupt(tmp_path: Path) -> None:
    process, where = serve(tmp_path, "--k", "4", "--schedule", "ucb")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert where["systems"] == ["ash", "beech", "cedar", "elm"]
    assert (where["prompts"], where["outputs"], where["votes"]) == (5, 20, "votes.jsonl")


def test_five_that_are_all_bad_are_still_a_ranking(arena: Callable[..., Arena]) -> None:
    one = arena(made(systems=5), size=5)
    for choice in ("all_bad", None, "all_bad"):
        answer: dict[str, Any] = {"choice": choice} if choice else {"ranking": [1, 2, 3, 4, 5]}
        one.vote("ann", one.match("ann").number, answer)
    assert rank(one.votes.path)[0].n == 3
    with pytest.raises(ConfigError, match="2 to 5"):
        Arena(made(systems=6), one.votes.path.with_name("six.jsonl"), size=6)
