"""A model behind the store: asked once, committed before it is handed on, errors never kept."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from whetstone.core.errors import BudgetExceeded, ModelError, Unsupported
from whetstone.core.flow import Flow, drive, embed, sample, score
from whetstone.core.types import (
    Embedding,
    Generation,
    Media,
    Request,
    Sample,
    Sampling,
    Score,
    Token,
    Usage,
    user,
)
from whetstone.store import Store, open_store
from whetstone.store.encoding import decode_request, loads, unpack


def asking(text: str, turns: int = 2) -> Flow[list[str]]:
    texts = []
    for i in range(turns):
        texts += [g.text for g in (yield from sample(user(f"{text}{i}"), n=2))]
    return texts


def stored(store: Store) -> int:
    """Replies that another connection sees: committed ones."""
    with open_store(store.folder) as other:
        return int(other._database.read("SELECT COUNT(*) FROM replies")[0][0])


def test_what_was_answered_is_never_asked_again(store: Store, counting) -> None:
    model = counting()
    flows = lambda: {str(i): asking(str(i)) for i in range(50)}  # noqa: E731
    bare = drive(flows(), {"policy": counting()})
    first = drive(flows(), {"policy": store.cached(model)})
    again = drive(flows(), {"policy": store.cached(model)})
    assert first.results == again.results == bare.results
    assert first.ledger == again.ledger == bare.ledger
    assert len(model.asked) == 200
    assert (store.traffic.hits, store.traffic.misses, store.traffic.shared) == (200, 200, 0)


def test_a_full_replay_never_opens_the_model(store: Store, counting) -> None:
    model = counting()
    for _ in range(2):
        drive({"a": asking("a")}, {"policy": store.cached(model)})
    assert len(model.sessions) == 1


def test_hits_come_at_the_next_poll_and_do_not_wait_for_misses(store: Store, counting) -> None:
    drive({"a": sample(user("old"))}, {"policy": store.cached(counting())})
    model = counting()
    session = store.cached(model).open()
    session.put(1, Sample(user("new")))
    session.put(2, decode_request(_requests(store)[0]))
    assert [ticket for ticket, _ in session.poll()] == [2]
    assert model.asked == [Sample(user("new"))], "a miss is under way before the hits are handed on"
    assert [ticket for ticket, _ in session.poll(0.5)] == [1]
    assert model.timeouts == [0.5]
    assert session.poll() == []


def test_identical_requests_in_flight_are_asked_once(store: Store, counting) -> None:
    model = counting(batch=1)
    greedy = Sampling(temperature=0)
    done = drive({str(i): sample(user("q"), n=3, sampling=greedy) for i in range(4)}, {"policy": store.cached(model)})
    assert len(model.asked) == 1
    assert {g.text for texts in done.results.values() for g in texts} == {"q/0"}
    assert (store.traffic.misses, store.traffic.shared) == (1, 11)
    assert done.ledger.requests == 12, "the ledger counts what the flows used, stored or not"

    session = store.cached(model).open()
    request = Sample(user("other"), greedy)
    session.put(1, Sample(user("first"), greedy))
    session.put(2, request)
    assert [ticket for ticket, _ in session.poll()] == [1]
    session.put(3, request)  # while ticket 2 is in flight
    assert [ticket for ticket, _ in session.poll()] == [2, 3]
    assert len(model.asked) == 3


def test_a_reply_is_committed_before_a_flow_sees_it(store: Store, counting) -> None:
    seen: list[tuple[int, int]] = []

    def counted(i: int) -> Flow[None]:
        for turn in range(3):
            yield from sample(user(f"{i}/{turn}"))
            seen.append((len(seen) + 1, stored(store)))

    drive({str(i): counted(i) for i in range(4)}, {"policy": store.cached(counting(batch=2))})
    assert len(seen) == 12
    assert all(handed_on <= committed for handed_on, committed in seen)


@pytest.mark.parametrize("error", [Unsupported("no"), ModelError("gone"), TimeoutError("late")])
def test_errors_are_handed_on_and_not_kept(store: Store, counting, error: Exception) -> None:
    replies: list[Generation | Exception] = [error, Generation("fine")]
    model = counting(lambda request: replies.pop(0))
    cached = store.cached(model)
    first = drive({"a": sample(user("q"))}, {"policy": cached})
    assert first.failures["a"].error == type(error).__name__
    assert stored(store) == 0
    assert drive({"a": sample(user("q"))}, {"policy": cached}).results["a"][0].text == "fine"


def test_an_error_answers_everybody_who_waited(store: Store, counting) -> None:
    model = counting(lambda request: Unsupported("no scores"))
    done = drive({str(i): score(user("q"), "a") for i in range(3)}, {"policy": store.cached(model)})
    assert [f.message for f in done.failures.values()] == ["no scores"] * 3
    assert len(model.asked) == 1


def test_a_malformed_request_is_its_own_flows_failure(store: Store, counting) -> None:
    flows = {"bad": sample(user(Media("image", "image/png", data="text"))), "good": asking("a")}  # type: ignore[arg-type]
    done = drive(flows, {"policy": store.cached(counting())})
    assert list(done.failures) == ["bad"]
    assert list(done.results) == ["good"]


def test_every_kind_of_reply_is_kept(store: Store, counting) -> None:
    def answer(request: Request) -> Generation | Embedding:
        if isinstance(request, Sample):
            return Generation("é\ud83d", (Token("é", -0.1, (("a", float("-inf")),), 0.5, None),), "length", Usage(1, 2))
        if isinstance(request, Score):
            return Generation(request.continuation, (), "stop", Usage(5, 0))
        return Embedding((0.1, -0.0), Usage(3, 0))

    def everything() -> Flow[object]:
        generation = yield from sample(user("q"))
        scored = yield from score(user("q"), "a", "b")
        vector = yield from embed(user("q"))
        return generation, scored, vector

    model = counting(answer)
    first = drive({"f": everything()}, {"policy": store.cached(model)})
    again = drive({"f": everything()}, {"policy": store.cached(model)})
    assert repr(first.results) == repr(again.results)
    assert len(model.asked) == 4
    assert {row["ask"] for row in _requests(store)} == {"sample", "score", "embed"}


def test_after_training_everything_is_asked_anew(store: Store, counting) -> None:
    model = counting()
    cached = store.cached(model)
    for fingerprint, asked in (("weights-1+", 4), ("weights-1++", 8)):
        assert cached.train() == fingerprint == cached.fingerprint
        for _ in range(2):
            drive({"a": asking("a")}, {"policy": cached})
        assert len(model.asked) == asked
    model.fingerprint = "weights-1+"
    drive({"a": asking("a")}, {"policy": cached})
    assert len(model.asked) == 8, "rolled back to known weights: known replies"


def test_the_models_own_attributes_stay_reachable(store: Store, counting) -> None:
    model = counting()
    cached = store.cached(model)
    assert cached.inner is model
    assert (cached.name, cached.fingerprint, cached.batch) == ("counting", "weights-1", 1000)
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = cached.no_such_thing
    assert not hasattr(copy.copy(type(cached).__new__(type(cached))), "anything")
    with pytest.raises(TypeError):
        pickle.dumps(cached)


def test_the_reply_of_whoever_was_first_is_handed_on(store: Store, counting) -> None:
    """Two processes ask the same; the model is not deterministic. Both go on with the reply that is stored."""
    with open_store(store.folder) as other:
        slow, fast = counting(lambda r: Generation("slow")), counting(lambda r: Generation("fast"))
        sessions = store.cached(slow).open(), other.cached(fast).open()
        for session in sessions:
            session.put(0, Sample(user("q")))
            session._from_store()
        assert [reply.text for _, reply in sessions[1].poll()] == ["fast"]
        assert [reply.text for _, reply in sessions[0].poll()] == ["fast"]


def test_a_run_interrupted_under_a_flow_budget_ends_the_same(tmp_path: Path, counting) -> None:
    def eager(key: str) -> Flow[int]:
        count = 0
        try:
            while True:
                yield from sample(user(f"{key}/{count}"), sampling=Sampling(max_tokens=2))
                count += 1
        except BudgetExceeded:
            return count

    def go(folder: str, model) -> dict[str, int]:
        flows = {str(i): eager(str(i)) for i in range(20)}
        with open_store(tmp_path / folder) as store:
            return drive(flows, {"policy": store.cached(model)}, flow_budget=30).results

    def interrupted(request: Request) -> Generation:
        if len(model.asked) > 40:
            raise KeyboardInterrupt
        return Generation("ok", usage=Usage(3, 2))

    model = counting(interrupted, batch=3)
    with pytest.raises(KeyboardInterrupt):
        go("killed", model)
    calm = counting(lambda request: Generation("ok", usage=Usage(3, 2)), batch=3)
    assert go("killed", calm) == go("undisturbed", calm)


def test_closing_closes_the_models_session(store: Store, counting) -> None:
    model = counting()
    cached = store.cached(model)
    cached.open().close()
    session = cached.open()
    session.put(0, Sample(user("q")))
    session.poll()
    session.close()
    assert [s.closed for s in model.sessions] == [True]


def test_more_keys_than_one_statement_takes(tmp_path: Path, counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whetstone.store.database.LOOKUP", 7)
    with open_store(tmp_path) as store:
        model = counting()
        for _ in range(2):
            drive({str(i): asking(str(i)) for i in range(20)}, {"policy": store.cached(model)})
        assert len(model.asked) == 80


def _requests(store: Store) -> list[dict[str, object]]:
    return [loads(unpack(body)) for (body,) in store._database.read("SELECT request FROM replies ORDER BY rowid")]


def test_what_is_asked_is_booked_with_the_replies(store: Store, counting) -> None:
    def both(text: str) -> Flow[None]:
        yield from sample(user(text), n=2)
        yield from score(user(text), "a", role="judge")

    for turn in range(2):
        run = store.begin("solve", {}, 0)
        flows = {str(i): both(f"{i}" if i < 10 else f"{turn}/{i}") for i in range(20)}
        drive(flows, {"policy": store.cached(counting(), run)})
    first, second = store.accounts()[:2], store.accounts(run.id)
    assert [(a.role, a.asked, a.prompt, a.completion, a.stored) for a in first] == [
        ("policy", 40, 120, 80, 0),
        ("judge", 20, 60, 40, 0),
    ]
    assert [(a.role, a.asked, a.prompt, a.completion, a.stored) for a in second] == [
        ("policy", 20, 60, 40, 20),
        ("judge", 10, 30, 20, 10),
    ]
    assert sum(a.stored for a in store.accounts()) == store.traffic.hits
    assert sum(a.asked for a in store.accounts()) == store.traffic.misses


def test_errors_and_other_stores_runs_are_not_paid_for(store: Store, counting, tmp_path: Path) -> None:
    drive({"a": sample(user("q"))}, {"policy": store.cached(counting(lambda request: ModelError("no")))})
    assert store.accounts() == []
    drive({"a": sample(user("q"))}, {"policy": store.cached(counting())})
    with open_store(tmp_path / "other") as other:
        for _ in range(2):
            other.merge(store.folder)
            assert other.accounts() == store.accounts()
