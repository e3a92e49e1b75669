"""The driver: no barrier, own seeds, exact budgets, isolated failures, bounded memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.core.errors import BudgetExceeded, ModelError, Unsupported
from whetstone.core.flow import Flow, Ledger, drive, embed, gather, sample, score, stamp, worst_case
from whetstone.core.types import (
    Embed,
    Embedding,
    Generation,
    Media,
    Message,
    Request,
    Sample,
    Sampling,
    Score,
    Usage,
    user,
)


def turns(text: str, n: int, *, role: str = "policy") -> Flow[list[str]]:
    """Ask `n` times, one after the other."""
    texts = []
    for i in range(n):
        replies = yield from sample(user(f"{text}{i}"), role=role)
        texts.append(replies[0].text)
    return texts


# ------------------------------------------------------------------------------- flows by hand


def test_a_flow_runs_by_next_and_send() -> None:
    flow = sample(user("q"), n=3)
    batch = next(flow)
    assert batch == [Sample(user("q"))] * 3
    with pytest.raises(StopIteration) as stop:
        flow.send([Generation(str(i)) for i in range(3)])
    assert [g.text for g in stop.value.value] == ["0", "1", "2"]


def test_score_and_embed_ask_what_they_say() -> None:
    assert next(score(user("q"), "a", "b", role="judge")) == [
        Score(user("q"), "a", "judge"),
        Score(user("q"), "b", "judge"),
    ]
    assert next(embed(user("q"), layer=2)) == [Embed(user("q"), 2)]


def test_gather_is_lockstep_with_fixed_positions() -> None:
    """Whoever finishes early leaves; the others keep their order, whatever the replies were."""
    flow = gather([turns("a", 1), turns("b", 3), turns("c", 2)])
    batch, seen = next(flow), []
    try:
        while True:
            seen.append([request.prompt[0].text for request in batch])
            batch = flow.send([Generation(text.upper()) for text in seen[-1]])
    except StopIteration as stop:
        result = stop.value
    assert result == [["A0"], ["B0", "B1", "B2"], ["C0", "C1"]]
    assert seen == [["a0", "b0", "c0"], ["b1", "c1"], ["b2"]]


def test_gather_of_nothing_and_of_flows_without_requests(fake) -> None:
    def silent() -> Flow[int]:
        yield from ()
        return 7

    assert drive({"none": gather([]), "silent": gather([silent(), silent()])}, {"policy": fake()}).results == {
        "none": [],
        "silent": [7, 7],
    }


def test_an_error_inside_gather_reaches_the_flow_that_gathers(fake) -> None:
    def careful() -> Flow[str]:
        try:
            yield from gather([turns("a", 1), turns("bad", 1)])
        except Unsupported as error:
            return f"caught {error}"
        return "not caught"

    def answer(request: Request) -> Generation | Exception:
        return Unsupported("no") if "bad" in request.prompt[0].text else Generation("ok")

    assert drive({"f": careful()}, {"policy": fake(answer)}).results == {"f": "caught no"}


def test_gathered_flows_get_their_own_errors(fake) -> None:
    """Also through a gather inside a gather; the neighbours go on."""

    def careful(text: str) -> Flow[str]:
        try:
            return (yield from turns(text, 2))[-1].split("/")[0]
        except Unsupported as error:
            return f"{text} abstains: {error}"

    def answer(request: Request) -> Generation | Exception:
        text = request.prompt[0].text
        return Unsupported(text) if text.startswith("bad") else Generation(text)

    flow = gather([careful("a"), gather([careful("bad"), careful("b")]), careful("c")])
    assert drive({"f": flow}, {"policy": fake(answer)}).results == {
        "f": ["a1", ["bad abstains: bad0", "b1"], "c1"],
    }


def test_gathered_flows_share_one_refusal_of_the_budget(fake) -> None:
    def both() -> Flow[int]:
        try:
            return len((yield from gather([turns("a", 1), turns("b", 1)])))
        except BudgetExceeded:
            return len((yield from gather([turns("a", 1)])))

    assert drive({"f": both()}, {"policy": fake()}, budget=300).results == {"f": 1}


# ---------------------------------------------------------------------------------- no barrier


def test_a_straggler_holds_up_nobody(fake) -> None:
    """One request takes 50 polls. Nine neighbours make 20 turns each meanwhile: 50 polls in all, not 20 x 50."""
    finished: list[str] = []

    def noting(key: str, n: int) -> Flow[int]:
        yield from turns(key, n)
        finished.append(key)
        return n

    model = fake(delay=lambda request: 50 if request.prompt[0].text == "slow0" else 1)
    flows = {"slow": noting("slow", 1)} | {f"k{i}": noting(f"k{i}", 20) for i in range(9)}
    done = drive(flows, {"policy": model})
    assert finished[-1] == "slow"
    assert len(model.polls) <= 51
    assert max(len(tickets) for tickets in model.polls) == 9
    assert list(done.results) == list(flows), "results come in the order given, not in the order of finishing"


def test_waiting_requests_reach_the_model_together(fake) -> None:
    model = fake()
    drive({str(i): sample(user(str(i)), n=4) for i in range(10)}, {"policy": model})
    assert [len(tickets) for tickets in model.polls] == [40]


def test_a_slow_model_does_not_hold_up_another_role(fake) -> None:
    policy, judge = fake(), fake(delay=lambda request: 30)
    drive({"p": turns("p", 10), "j": turns("j", 1, role="judge")}, {"policy": policy, "judge": judge})
    assert len(policy.asked) == 10
    assert len(judge.asked) == 1


def test_a_role_without_a_model_goes_to_the_policy(fake) -> None:
    model = fake()
    done = drive({"j": turns("j", 1, role="judge")}, {"policy": model})
    assert [request.role for request in model.asked] == ["judge"]
    assert done.ledger.prompt == {"judge": 3}
    assert len(model.sessions) == 1


# --------------------------------------------------------------------------------------- seeds


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_results_depend_neither_on_order_nor_on_batch_mates_nor_on_timing(
    fake, rng: random.Random, window: int
) -> None:
    keys = [f"k{i}" for i in range(12)]
    alone = {key: drive({key: turns(key, 3)}, {"policy": fake()}, seed=5).results[key] for key in keys}
    rng.shuffle(keys)
    slow = {key: rng.randint(1, 9) for key in keys}
    model = fake(delay=lambda request: slow[request.prompt[0].text[:-1]])
    assert drive({key: turns(key, 3) for key in keys}, {"policy": model}, seed=5, window=window).results == alone


def test_seeds_differ_by_run_key_and_position() -> None:
    request = Sample(user("q"))
    seeds = {
        stamp(request, seed, key, position).sampling.seed
        for seed in range(5)
        for key in "abc"
        for position in range(20)
    }
    assert len(seeds) == 5 * 3 * 20
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_greedy_requests_have_no_seed_and_others_pass_unchanged() -> None:
    assert stamp(Sample(user("q"), Sampling(temperature=0, seed=9)), 1, "k", 0).sampling.seed == 0
    request = Score(user("q"), "a")
    assert stamp(request, 1, "k", 0) is request


# ------------------------------------------------------------------------------------- budgets


def greedy_eater(size: int, asked: list[int]) -> Flow[str]:
    """Asks until the budget stops it."""
    count = 0
    try:
        while True:
            yield from sample(user("x" * size), sampling=Sampling(max_tokens=10))
            count += 1
            asked.append(1)
    except BudgetExceeded:
        return f"stopped after {count}"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 30), st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_run_budget_is_never_exceeded_and_fully_used(
    fake, budget: int, size: int, flows: int, rng: random.Random
) -> None:
    """Whatever the usage below the worst case is, the total stays in the budget, and stops only when full."""

    def answer(request: Request) -> Generation:
        return Generation("a", usage=Usage(rng.randint(0, size + 8), rng.randint(1, 10)))

    model = fake(answer, delay=lambda request: rng.randint(1, 4))
    done = drive({str(i): greedy_eater(size, []) for i in range(flows)}, {"policy": model}, budget=budget)
    bound = worst_case(Sample(user("x" * size), Sampling(max_tokens=10)))
    assert done.ledger.total <= budget
    assert done.ledger.total + bound > budget, "a request that would have fitted was refused"
    assert not done.failures
    assert sum(done.spent.values()) == done.ledger.total


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.integers(1, 5))
def test_the_flow_budget_is_each_flows_own(fake, budget: int, flows: int) -> None:
    model = fake(lambda request: Generation("a", usage=Usage(13, 10)))
    done = drive({str(i): greedy_eater(5, []) for i in range(flows)}, {"policy": model}, flow_budget=budget)
    assert done.spent == {str(i): budget // 23 * 23 for i in range(flows)}
    assert set(done.results.values()) == {f"stopped after {budget // 23}"}


def test_a_budget_of_nothing_asks_nothing(fake) -> None:
    model = fake()
    done = drive({"a": turns("a", 1)}, {"policy": model}, budget=0)
    assert model.asked == []
    assert done.failures["a"].error == "BudgetExceeded"
    assert drive({"a": turns("a", 1)}, {"policy": model}, flow_budget=0).failures["a"].error == "BudgetExceeded"
    assert model.asked == []


def test_a_flow_goes_on_with_less_after_its_budget_was_refused(fake) -> None:
    def thrifty() -> Flow[int]:
        for n in (64, 16, 4, 1):
            try:
                return len((yield from sample(user("q"), n=n, sampling=Sampling(max_tokens=10))))
            except BudgetExceeded:
                continue
        return 0

    assert drive({"f": thrifty()}, {"policy": fake()}, budget=100).results == {"f": 4}
    assert drive({"f": thrifty()}, {"policy": fake()}, flow_budget=30).results == {"f": 1}


def test_a_batch_waits_for_tokens_in_flight_before_it_is_refused(fake) -> None:
    """Two batches of worst case 60 do not fit in 100 at once, but the first needs only 5."""
    flows = {key: sample(user("q" * 42), sampling=Sampling(max_tokens=10)) for key in "ab"}
    done = drive(flows, {"policy": fake()}, budget=100)
    assert set(done.results) == {"a", "b"}
    assert done.ledger.total == 10


def test_worst_case_counts_bytes_media_and_output() -> None:
    prompt = (Message("system", ("äö",)), Message("user", ("q", Media("image", "image/png", b"..."))))
    assert worst_case(Sample(prompt, Sampling(max_tokens=7))) == (4 + 8) + (1 + 8) + 2048 + 7
    assert worst_case(Score(user("q"), "é")) == 1 + 8 + 2
    assert worst_case(Embed(user("q"))) == 1 + 8


def test_the_ledger_books_by_role() -> None:
    ledger = Ledger()
    ledger.add("policy", Usage(3, 4))
    ledger.add("judge", Usage(1, 1))
    ledger.add("policy", Usage(1, 0))
    assert (ledger.prompt, ledger.completion) == ({"policy": 4, "judge": 1}, {"policy": 4, "judge": 1})
    assert (ledger.total, ledger.requests) == (10, 3)


# ------------------------------------------------------------------------------------ failures


def test_a_flow_that_raises_is_a_failure_with_its_own_traceback(fake) -> None:
    def broken(i: int) -> Flow[int]:
        yield from sample(user("q"))
        raise ZeroDivisionError(f"number {i}")

    flows = {"a": turns("a", 2), "x": broken(1), "b": turns("b", 2), "y": broken(2)}
    done = drive(flows, {"policy": fake()})
    assert list(done.results) == ["a", "b"]
    assert [(f.key, f.error, f.message) for f in done.failures.values()] == [
        ("x", "ZeroDivisionError", "number 1"),
        ("y", "ZeroDivisionError", "number 2"),
    ]
    assert 'raise ZeroDivisionError(f"number {i}")' in done.failures["x"].traceback
    assert "number 2" not in done.failures["x"].traceback


def test_a_shared_error_of_a_backend_does_not_mix_tracebacks(fake) -> None:
    shared = ModelError("server is gone")

    def first() -> Flow[None]:
        yield from sample(user("q"))

    def second() -> Flow[None]:
        yield from sample(user("q"))

    done = drive({"first": first(), "second": second()}, {"policy": fake(lambda request: shared)})
    assert "in first" in done.failures["first"].traceback
    assert "in second" in done.failures["second"].traceback
    assert "in first" not in done.failures["second"].traceback


def test_an_error_reply_waits_for_its_batch_and_can_be_caught(fake) -> None:
    def careful() -> Flow[str]:
        try:
            yield [Sample(user("bad")), Sample(user("good"))]
        except ModelError as error:
            replies = yield from sample(user("good"))
            return f"{error}, then {replies[0].text}"
        return "not caught"

    def answer(request: Request) -> Generation | Exception:
        return ModelError("broken") if request.prompt[0].text == "bad" else Generation("fine")

    model = fake(answer, delay=lambda request: 1 if request.prompt[0].text == "bad" else 3)
    assert drive({"f": careful()}, {"policy": model}).results == {"f": "broken, then fine"}
    assert len(model.asked) == 3


def test_a_flow_that_yields_no_request_fails_alone(fake) -> None:
    def wrong() -> Flow[None]:
        yield ["a prompt"]  # type: ignore[list-item]

    done = drive({"wrong": wrong(), "right": turns("r", 1)}, {"policy": fake()})
    assert done.failures["wrong"].message == "a flow yields batches of requests, not of str"
    assert list(done.results) == ["right"]


def test_empty_batches_are_answered_at_once(fake) -> None:
    def pausing() -> Flow[int]:
        assert (yield []) == []
        yield from sample(user("q"))
        assert (yield []) == []
        return 1

    assert drive({"f": pausing()}, {"policy": fake()}).results == {"f": 1}


def test_two_flows_of_one_name_are_refused(fake) -> None:
    with pytest.raises(ValueError, match="two flows are called 'a'"):
        drive([("a", turns("a", 1)), ("a", turns("a", 1))], {"policy": fake()})


# ------------------------------------------------------------------------- window, end, progress


def test_the_window_bounds_how_many_flows_are_alive(fake) -> None:
    alive = peak = 0

    def counted(i: int) -> Flow[int]:
        nonlocal alive, peak
        alive += 1
        peak = max(peak, alive)
        yield from sample(user(str(i)))
        alive -= 1
        return i

    def lazily() -> Iterator[tuple[str, Flow[int]]]:
        nonlocal drawn
        for drawn in range(1, 501):
            assert drawn - len(finished) <= 17, "the source is read ahead of the window"
            yield str(drawn), watched(drawn)

    def watched(i: int) -> Flow[int]:
        result = yield from counted(i)
        finished.append(i)
        return result

    drawn, finished = 0, []
    done = drive(lazily(), {"policy": fake()}, window=16)
    assert len(done.results) == 500
    assert peak == 16


@pytest.mark.parametrize("where", ["model", "flow", "progress"])
def test_ctrl_c_closes_every_session(fake, where: str) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def flow() -> Flow[None]:
        yield from sample(user("q"))
        yield from sample(user("q"), role="judge")
        if where == "flow":
            stop()
        yield from sample(user("last"))

    def answer(request: Request) -> Generation:
        if where == "model" and request.prompt[0].text == "last":
            stop()
        return Generation("ok")

    policy, judge = fake(answer), fake()
    with pytest.raises(KeyboardInterrupt):
        drive({"f": flow()}, {"policy": policy, "judge": judge}, progress=stop if where == "progress" else None)
    assert [session.closed for model in (policy, judge) for session in model.sessions] == [True, True]


def test_progress_ends_with_everything_done(fake) -> None:
    seen: list[tuple[int, int, int]] = []
    drive(
        {str(i): turns(str(i), 2) for i in range(5)},
        {"policy": fake()},
        progress=lambda done, started, ledger: seen.append((done, started, ledger.total)),
    )
    assert seen[-1] == (5, 5, 50)


def test_embeddings_are_booked_too(fake) -> None:
    model = fake(lambda request: Embedding((1.0, 2.0), Usage(4, 0)))
    done = drive({"e": embed(user("q"))}, {"policy": model})
    assert done.results["e"].vector == (1.0, 2.0)
    assert done.ledger.total == 4
