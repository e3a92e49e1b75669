"""Data selection: every filter on samples whose votes and rewards are written down."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import drive
from whetstone.core.types import Candidate, Example, Generation, Sampling, Signal, user
from whetstone.loops._measure import describe
from whetstone.loops._rollout import Group, Questions, usable
from whetstone.loops._round import with_replay
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, Tally, by_gold, demonstrations, frontier, select, tally
from whetstone.loops.objectives import Demonstration
from whetstone.models.scripted import ScriptedModel


def group(answers: str, rewards: tuple[float | None, ...] | None = None, level: int = 1, name: str = "q") -> Group:
    """One sample per character: its answer, `.` for a sample that cannot be used."""
    candidates = tuple(Candidate(str(i), Generation(f"={a}")) for i, a in enumerate(answers))
    return Group(
        Example(name, user("?"), target="7", meta={"level": level}),
        candidates,
        tuple(None if a == "." else a for a in answers),
        rewards or (None,) * len(answers),
    )


class Sevens:
    name = "sevens"

    def verify(self, example, text):
        return Signal(float(text == "=7"), "binary")


def kept(groups, **options):
    return select(groups, Sevens(), Rule(**options))


def test_majority_keeps_the_voted_answer_and_needs_votes_of_the_usable_samples():
    groups = [group("7747"), group("7.4."), group("77.."), group("7744"), group("...."), group("7...")]
    assert kept(groups) == [(0, 1, 3), (), (0, 1), (), (), ()]
    assert kept([group("7746")], votes=0.75) == [()]
    assert kept([group("77..")], least=3) == [()]
    assert kept([group("7...")], least=1) == [(0,)]


def test_majority_with_a_signal_lets_only_accepted_samples_vote():
    rewards = (0.9, 0.1, 0.2, 0.9)
    assert kept([group("7447", rewards)], signal="p_true") == [(0, 3)]
    assert kept([group("7747", (0.4, 0.4, 0.9, 0.6))], signal="p_true") == [()]
    assert kept([group("7747", (0.9, None, 0.9, 0.9))], signal="p_true") == [(0, 3)]


def test_signal_accepts_above_its_threshold_and_never_an_unusable_sample():
    assert kept([group("74.7", (0.9, 0.6, 0.99, None))], filter="signal", signal="p_true") == [(0, 1)]
    assert kept([group("74.7", (0.9, 0.6, 0.99, None))], filter="signal", signal="p_true", accept=0.6) == [(0,)]


def test_top_share_is_exact_over_the_whole_batch():
    groups = [group("1234", (0.9, 0.8, 0.1, 0.0)), group("5678", (0.7, 0.2, 0.3, 0.8)), group("9.", (1.0, 5.0))]
    assert kept(groups, filter="top", signal="s", share=0.4) == [(0, 1), (3,), (0,)]
    assert kept(groups, filter="top", signal="s", share=0.0) == [(), (), ()]
    assert sum(map(len, kept(groups, filter="top", signal="s", share=1.0))) == 9


def test_best_keeps_one_sample_a_question():
    assert kept([group("74.", (0.1, 0.3, 0.9)), group("..", (0.1, 0.2))], filter="best", signal="s") == [(1,), ()]


def test_gold_is_the_only_filter_that_verifies():
    assert kept([group("747.")], filter="gold") == [(0, 2)]

    class Blind:
        def verify(self, example, text):
            raise AssertionError

    for rule in (Rule(), Rule("signal", "s"), Rule("top", "s"), Rule("best", "s")):
        select([group("747", (0.1, 0.2, 0.3))], Blind(), rule)


def test_gold_of_a_task_that_cannot_verify_says_so():
    class Unknown:
        def verify(self, example, text):
            return Signal(None, "binary", abstained="no target")

    with pytest.raises(TaskError, match="q cannot be verified"):
        by_gold(group("7"), Unknown())


@pytest.mark.parametrize(("options", "message"), [({"filter": "best"}, "needs a signal"), ({"filter": "x"}, "unknown")])
def test_wrong_rules_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Rule(**options)


def test_a_signal_that_never_answers_is_refused():
    with pytest.raises(ConfigError, match="abstains on every sample"):
        kept([group("77")], filter="signal", signal="p_true")


def test_tally_counts_by_level():
    groups = [group("77.4"), group("4567"), group("7777", level=2)]
    assert tally(groups, kept(groups)) == {"1": Tally(2, 1, 8, 7, 2), "2": Tally(1, 1, 4, 4, 4)}


def test_frontier_takes_the_hardest_levels_that_can_be_labelled():
    tallies = {str(n): Tally(10, accepted) for n, accepted in zip(range(4, 10), (10, 9, 8, 5, 1, 0), strict=True)}
    assert frontier(tallies, width=3, floor=0.1) == ["6", "7", "8"]
    assert frontier(tallies, width=3, floor=0.2) == ["5", "6", "7"]
    assert frontier({"9": Tally(10, 0)}, width=3, floor=0.0) == []


def test_demonstrations_merge_equal_texts_into_weights():
    groups = [group("7747"), group("7777", level=2)]
    found = demonstrations(groups, kept(groups))
    assert [(d.completion, d.weight) for d in found] == [("=7", 3.0), ("=7", 4.0)]
    assert len(demonstrations(groups, kept(groups), levels=["2"])) == 1


def test_cap_keeps_the_most_frequent_texts():
    several = Group(
        Example("q", user("?")),
        tuple(Candidate(str(i), Generation(t)) for i, t in enumerate(("a7", "b7", "b7", "c7"))),
        ("7",) * 4,
        (None,) * 4,
    )
    assert [(d.completion, d.weight) for d in demonstrations([several], [(0, 1, 2, 3)], cap=1)] == [("b7", 2.0)]


def test_truncated_incomplete_and_unreadable_samples_cannot_be_used(largest):
    task, example = largest(), Example("q", user("1+2"))
    assert usable(task, example, Candidate("0", Generation("=2"))) == "2"
    assert usable(task, example, Candidate("0", Generation("=2", finish="length"))) is None
    assert usable(task, example, Candidate("0", Generation("2="))) is None
    task.complete = lambda example, text: False
    assert usable(task, example, Candidate("0", Generation("=2"))) is None


def test_questions_are_spread_over_levels_and_never_repeat_within_an_epoch(largest):
    pool = Questions(largest(), seed=0)
    assert pool.levels == ("1", "2")
    first, second = pool.take(["1", "2"], 7), pool.take(["2"], 50)
    assert [sum(e.level == level for e in first) for level in ("1", "2")] == [4, 3]
    assert {e.level for e in second} == {"2"}
    assert len({e.id for e in first + second}) == 57
    assert len(pool.take(["1"], 500)) == 500


def test_a_task_without_training_questions_says_so(largest):
    task = largest()
    task.examples = lambda split, *, n=None, seed=0: iter(())
    with pytest.raises(TaskError, match="no training questions"):
        Questions(task, seed=0)


def test_replay_makes_up_its_share_with_the_mean_weight():
    groups = [group("7747"), group("7777")]
    new = demonstrations(groups, kept(groups)) * 10
    role = Demonstration(user("critique"), "Y")
    mixed = with_replay(new, new * 5, [role] * 20, 0.2, Random(0))
    assert len(mixed) == 25
    assert {item.weight for item in mixed[20:]} == {3.5}
    assert sum(item.completion == "Y" for item in mixed) == 2
    assert sum(item.completion == "Y" for item in with_replay(new, [], [role] * 20, 0.2, Random(0))) == 5
    assert len(with_replay(new, new, [role], 0.2, Random(0))) == 25
    assert with_replay(new, [], [], 0.5, Random(0)) == new
    with pytest.raises(ConfigError, match="replay is 1; it is a share"):
        with_replay(new, new, [], 1.0, Random(0))


def test_contradiction_bounds_the_share_of_wrong_labels():
    groups = [group("7747", (0.9, 0.9, 0.9, 0.9)), group("4.22", (0.9, 0.9, 0.9, 0.1))]
    found = describe(groups, kept(groups, filter="signal", signal="s"))
    assert found["contradiction"].estimate == pytest.approx(2 / 6)
    assert describe(groups, kept(groups))["contradiction"].estimate == 0.0


@pytest.mark.parametrize(("filter", "asked"), [("majority", 6), ("gold", 4), ("signal", 2)])
def test_retries_stop_when_a_sample_is_accepted(filter, asked):
    """Samples come as 3 4, 5 7, 7 1 ...: the first right one in the second batch, the first two alike in the third."""
    texts = iter(["=3", "=4", "=5", "=7", "=7", "=1", "=2", "=2"])

    class Digits(Sevens):
        sampling = Sampling()

        def read(self, example, text):
            return text[1]

        def complete(self, example, text):
            return None

    rule = Rule(filter, "answer_length" if filter == "signal" else "", votes=0.3)
    flow = Sampler(Digits(), rule, 2, 1.0, retries=5).attempt(Example("q", user("?"), target="7"))
    model = ScriptedModel(lambda request: Generation(next(texts)))
    done = drive({"q": flow}, {"policy": model}).results["q"]
    assert len(done.candidates) == asked
