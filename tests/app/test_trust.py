"""Rules of trust: three answers, none of them given without evidence."""

from __future__ import annotations

import pytest

from whetstone.app.trust import RULES, trust, with_limits
from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding

GOOD = {
    "kappa": Finding("kappa", 0.8, (0.7, 0.9), 400, 0.0),
    "unreadable": Finding("unreadable", 0.01, (0.0, 0.02), 400),
    "order_consistency": Finding("order_consistency", 0.9, (0.86, 0.93), 400),
    "first_position": Finding("first_position", 0.51, (0.47, 0.55), 400, 0.5),
    "length_errors": Finding("length_errors", -0.02, (-0.06, 0.02), 400, 0.0),
    "probe verbosity": Finding("probe verbosity", 0.02, (-0.01, 0.05), 400, 0.0),
}


def answers(**changed: Finding | None) -> tuple[str, str]:
    """What is said of ranking and of training when some findings are others, or are not there."""
    found = {**GOOD, **{one.name: one for one in changed.values() if one}}
    for name, one in changed.items():
        if one is None:
            del found[name.replace("_", " ", 1) if name.startswith("probe") else name]
    told = trust(found.values())
    return told.of("ranking"), told.of("training")


def test_a_good_judge_is_trusted_and_a_missing_measurement_is_not_held_for_a_good_one() -> None:
    assert answers() == ("yes", "yes")
    assert answers(kappa=None) == ("unknown", "unknown")
    assert answers(order_consistency=None) == ("unknown", "unknown")
    assert answers(probe_verbosity=None) == ("yes", "unknown")
    assert answers(length_errors=None) == ("yes", "unknown")
    assert answers(first_position=None) == ("yes", "yes"), "the orders say it already"


def test_the_whole_interval_decides() -> None:
    assert answers(x=Finding("kappa", 0.65, (0.55, 0.75), 100, 0.0)) == ("yes", "unknown")
    assert answers(x=Finding("kappa", 0.4, (0.3, 0.5), 100, 0.0)) == ("yes", "no")
    assert answers(x=Finding("kappa", 0.05, (-0.1, 0.15), 100, 0.0)) == ("no", "no")
    assert answers(x=Finding("kappa", 0.15, (-0.1, 0.4), 100, 0.0)) == ("unknown", "no")
    assert answers(x=Finding("first_position", 0.3, (0.26, 0.34), 400, 0.5)) == ("no", "no")
    assert answers(x=Finding("length_errors", 0.15, (0.12, 0.18), 400, 0.0)) == ("yes", "no")
    assert answers(x=Finding("probe format", 0.3, (0.25, 0.35), 400, 0.0)) == ("no", "no"), "the worst probe counts"
    assert answers(x=Finding("cycles", 0.4, (0.3, 0.5), 400)) == ("no", "no")
    assert answers(x=Finding("cycles", 0.2, (0.18, 0.22), 400)) == ("yes", "yes"), (
        "close systems make any judge go round"
    )


def test_a_number_without_interval_needs_its_test() -> None:
    assert answers(x=Finding("gap", 0.5, None, 400, 0.0, 0.001)) == ("no", "no")
    assert answers(x=Finding("gap", 0.5, None, 40, 0.0, 0.4)) == ("unknown", "unknown")
    assert answers(x=Finding("gap", 0.1, None, 400, 0.0, 0.001)) == ("yes", "yes")


def test_longer_answers_that_nobody_called_equal_speak_against_no_judge() -> None:
    longer = Finding("longer_answer", 0.9, (0.85, 0.95), 400, 0.5)
    known = {name: one for name, one in GOOD.items() if name != "length_errors"}
    told = trust([*known.values(), Finding(**{**vars_of(longer), "detail": {"unlabelled": 400}})])
    assert told.of("training") == "unknown"
    told = trust([*known.values(), Finding(**{**vars_of(longer), "detail": {"unlabelled": 0}})])
    assert told.of("ranking") == "no"


def vars_of(found: Finding) -> dict:
    return {name: getattr(found, name) for name in found.__slots__}


def test_sentences_and_what_would_help() -> None:
    assert trust(GOOD.values()).sentence == "This judge may be trusted for ranking and for training."
    assert trust(GOOD.values()).remedy == ""
    bad = trust([*GOOD.values(), Finding("kappa", 0.0, (-0.1, 0.1), 400, 0.0)])
    assert bad.sentence == "This judge may not be trusted at all: neither for ranking nor for training."
    assert "label" in bad.remedy
    part = trust([*GOOD.values(), Finding("kappa", 0.4, (0.3, 0.5), 400, 0.0)])
    assert part.sentence == "This judge may be trusted for ranking, and may not be trusted for training."
    few = trust([*GOOD.values(), Finding("kappa", 0.7, (0.55, 0.85), 100, 0.0)])
    assert few.remedy == "more of them: about 225 would settle agreement"
    none = trust([])
    assert none.sentence == "Whether this judge may be trusted is not known, neither for ranking nor for training."
    assert none.remedy.startswith("give labels")


def test_scores_are_asked_for_separation() -> None:
    found = [Finding("auroc", 0.9, (0.85, 0.95), 400, 0.5), GOOD["unreadable"]]
    assert trust(found, kind="scores").of("ranking") == "yes"
    ranked = [Finding("rank_correlation", 0.5, (0.4, 0.6), 400, 0.0), GOOD["unreadable"]]
    told = trust(ranked, kind="scores")
    assert (told.of("ranking"), told.of("training")) == ("yes", "unknown")


def test_limits_can_be_changed() -> None:
    rules = {rule.name: rule for rule in with_limits(["agreement=.95", "position=none/.3", "probes=none"])}
    assert rules["agreement"].limits == (0.95, 0.95)
    assert rules["position"].limits == (None, 0.3)
    assert rules["probes"].needed == ()
    assert trust(GOOD.values(), tuple(rules.values())).of("ranking") == "no"
    assert len(rules) == len(RULES)


def test_the_last_of_two_limits_on_one_rule_counts() -> None:
    for limit in (".3", ".3/.4", "none/.4"):
        assert with_limits(["agreement=none", f"agreement={limit}"]) == with_limits([f"agreement={limit}"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kindness=.2", "no rule is called 'kindness'; there are agreement, separation"),
        ("position", "write position=LIMIT or position=RANKING/TRAINING"),
        ("position=.1/.2/.3", "write position=LIMIT"),
        ("position=much", "'much' is not a number from 0 to 1, nor none"),
        ("position=3", "'3' is not a number from 0 to 1"),
    ],
)
def test_limits_that_cannot_be(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        with_limits([text])
