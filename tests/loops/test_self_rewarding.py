"""Self-rewarding: pairs by hand, the consistency of two rankings, and soft labels."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.core.types import Candidate, Example, Generation, user
from whetstone.loops._preferences import rank_consistency, ranking_accuracy, reward_pairs, strength, win_rate
from whetstone.loops._rewarding import judged_again
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.loops.self_rewarding import self_rewarding
from whetstone.models.scripted import ScriptedModel

SETTINGS = {"questions": 80, "k": 5, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 24, "lr": 1e-3}


def group(answers: str, rewards: list[float | None] | None = None) -> Group:
    candidates = tuple(Candidate(str(i), Generation(f"={a}")) for i, a in enumerate(answers))
    return Group(
        Example("q", user("?"), target="7"),
        candidates,
        tuple(None if a == "." else a for a in answers),
        tuple(rewards or [None] * len(answers)),
    )


def test_extreme_pairs_are_best_against_worst_and_ties_are_skipped():
    (pair,) = reward_pairs([group("741", [0.9, 0.2, 0.5])])
    assert (pair.chosen, pair.rejected, pair.label, pair.weight) == ("=7", "=4", 1.0, 1.0)
    assert reward_pairs([group("74", [0.5, 0.5])]) == []
    assert reward_pairs([group("74", [0.9, None])]) == []


def test_ranked_pairs_are_neighbours_with_their_strength():
    pairs = reward_pairs([group("741", [0.9, 0.2, 0.5])], pairs="ranked", label="soft")
    assert [(p.chosen, p.rejected) for p in pairs] == [("=7", "=1"), ("=1", "=4")]
    assert [p.label for p in pairs] == pytest.approx([0.9, 0.8])


def test_strength_is_the_chance_that_the_right_one_of_two_is_the_first():
    assert strength(0.8, 0.3) == pytest.approx(0.8 * 0.7 / (0.8 * 0.7 + 0.3 * 0.2))
    assert strength(0.5, 0.5) == strength(1.0, 1.0) == 0.5
    with pytest.raises(ConfigError, match="probabilities"):
        strength(-3.0, -4.0)


def ranked(*rewards: list[float | None]) -> list[Group]:
    return [group("7421"[: len(row)], row) for row in rewards]


def test_rank_consistency_is_the_mean_of_mapped_kendall_tau():
    same, reverse = [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]
    assert rank_consistency(ranked(same), ranked(same)).estimate == pytest.approx(1.0)
    assert rank_consistency(ranked(same), ranked(reverse)).estimate == pytest.approx(0.0)
    found = rank_consistency(ranked(same, same, [1.0, 1.0]), ranked(same, [2.0, 1.0, 3.0], [1.0, 2.0]))
    assert found.estimate == pytest.approx((1 + (1 / 3 + 1) / 2) / 2)
    assert found.n == 2
    assert rank_consistency(ranked([1.0, None]), ranked([1.0, 2.0])) is None


def test_ranking_accuracy_compares_right_with_wrong_answers_of_one_question():
    accuracy = ranking_accuracy([group("7742", [0.9, 0.4, 0.4, 0.1])], [[1.0, 1.0, 0.0, 0.0]])
    assert accuracy.estimate == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert ranking_accuracy([group("77", [0.9, 0.1])], [[1.0, 1.0]]) is None


def test_win_rate_by_hand():
    found = win_rate([[1.0, 1.0], [0.0, 1.0], [None, None]], [[0.0, 1.0], [0.0, 1.0], [None, None]])
    assert found.estimate == pytest.approx((0.75 + 0.5) / 2)
    assert found.n == 2


def test_consistency_weight_softens_what_the_judges_disagree_on(tiny, largest, drive_on):
    first, second = self_rewarding(
        tiny, largest(blind=True), drive_on(tiny), signal="", label="consistency", **SETTINGS
    )
    assert "train/consistency" not in first.metrics
    agreement = second.metrics["train/consistency"]
    assert 0.5 < agreement.estimate < 1.0


def test_samples_are_judged_again_by_a_signal_and_none_are_no_samples(drive_on):
    old = group("74", [0.9, 0.1])
    judged = judged_again(None, Turn(2, drive_on(ScriptedModel(["Y"]))), None, [old], "answer_length")
    assert [row.rewards for row in judged] == [(2.0, 2.0)]
    assert judged_again(None, Turn(2, drive_on(ScriptedModel(["Y"]))), None, [], "answer_length") == []


def test_full_consistency_is_plain_dpo(tiny, largest, drive_on):
    """In the first round there is no previous model: C = 1, and the weights are those of hard labels."""
    start, found = tiny.state(), []
    for label in ("hard", "consistency"):
        tiny.load_state(start)
        next(self_rewarding(tiny, largest(blind=True), drive_on(tiny), signal="", label=label, **SETTINGS))
        found.append(tiny.fingerprint)
    assert found[0] == found[1]


def test_audited_rounds_report_ranking_accuracy_and_win_rate(tiny, largest, drive_on):
    first = next(self_rewarding(tiny, largest(), drive_on(tiny), signal="", audited=True, **SETTINGS))
    assert first.metrics["ranking_accuracy"].estimate > 0.5
    assert 0 < first.metrics["win_rate"].estimate < 1
    assert "reward_gap" not in first.metrics  # a likelihood is no probability of being right


def test_a_question_whose_samples_failed_is_not_compared(tiny, largest, drive_on):
    class Losing(drive_on):
        def __call__(self, name, flows):
            keys = list(flows)
            return super().__call__(name, {k: flows[k] for k in keys[1 if name.endswith("after") else 0 :]})

    settings = {**SETTINGS, "questions": 10, "monitor": 6}
    first = next(self_rewarding(tiny, largest(), Losing(tiny), signal="", audited=True, **settings))
    assert first.metrics["win_rate"].n == 5


def test_the_reward_gap_is_the_mean_reward_minus_the_share_of_right_samples(tiny, largest, drive_on):
    rounds = self_rewarding(tiny, largest(), drive_on(tiny), signal="vote_share", audited=True, **SETTINGS)
    found = next(rounds).metrics
    gap = found["proxy"].estimate - found["gold"].estimate
    assert found["reward_gap"].estimate == pytest.approx(gap, abs=0.02)  # a few samples have no reward
    assert found["reward_gap"].interval[0] < gap < found["reward_gap"].interval[1]
