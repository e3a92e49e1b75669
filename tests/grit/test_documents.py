"""Training documents: right by the world's own verifiers, and silent where the model is given text."""

import re
from random import Random

import pytest

from whetstone.models.grit.documents import WRITERS, Mixture, candidate, draw, p_ik, tokens
from whetstone.models.grit.train import ALL_ROLES, PHASES, batches
from whetstone.worlds import ledger


def text(document: list[tuple[str, float]], *, trained: bool) -> str:
    return "".join(part for part, weight in document if (weight > 0.05) == trained)


@pytest.mark.parametrize("role", WRITERS)
def test_documents_are_drawn_and_encoded(role: str) -> None:
    rng = Random(0)
    for _ in range(50):
        ids, weights = tokens(WRITERS[role](rng, ALL_ROLES))
        assert len(ids) == len(weights) <= 512
        assert any(weights)


def test_candidates_carry_no_loss_and_critiques_are_the_reference() -> None:
    rng = Random(1)
    for _ in range(200):
        document = WRITERS["critique"](rng, ALL_ROLES)
        given, wanted = text(document, trained=False), text(document, trained=True)
        question, answer = given[1:-1].split("?")
        assert wanted == ledger.critique(question, answer).text + "$"


def test_refinements_end_right() -> None:
    rng = Random(2)
    for _ in range(200):
        whole = "".join(part for part, _ in WRITERS["refine"](rng, ALL_ROLES))
        question, rest = whole[1:].split("?")
        assert ledger.first_error(question, rest.split("R")[1].rstrip("$")) is None


@pytest.mark.parametrize("role", ["compare", "compare_critiqued"])
def test_comparisons_name_the_right_candidate(role: str) -> None:
    rng = Random(3)
    seen = set()
    for _ in range(300):
        whole = "".join(part for part, _ in WRITERS[role](rng, ALL_ROLES))
        question, rest = whole[1:].split("?")
        first, second = (side.split("C")[0] for side in rest.rsplit("P", 1)[0].split("|"))
        one, two = (ledger.critique(question, answer).right for answer in (first, second))
        verdict = rest.rsplit("P", 1)[1][0]
        seen.add(verdict)
        assert verdict == ("E" if one == two else "A" if one else "B")
    assert seen == ({"A", "B"} if role == "compare" else {"A", "B", "E"})


BESIDE = re.compile(r"[a-p][+-]\d[+-]\d=\d{4}[:;]")


def test_equality_pairs_are_tagged_by_what_they_are() -> None:
    rng = Random(4)
    tags = []
    for _ in range(100):
        given, pairs = "".join(part for part, _ in WRITERS["equality"](rng, ALL_ROLES))[1:].split("C")
        steps = [given[i : i + 6] for i in range(0, len(given), 6)]
        for step, pair in zip(steps, BESIDE.findall(pairs), strict=True):
            other = f"{pair[0]}{pair[3:5]}={pair[7]}{pair[9]}"
            assert f"{pair[:3]}={pair[6]}{pair[8]}" == step
            assert pair[10] == (":" if other == step else ";")
            tags.append(pair[10])
    assert 0.4 < tags.count(":") / len(tags) < 0.6


def test_checking_does_not_stop_at_errors_and_tags_every_step_and_label() -> None:
    rng = Random(7)
    tags = []
    for _ in range(200):
        document = WRITERS["checking"](rng, ALL_ROLES)
        whole = "".join(part for part, _ in document)
        question, rest = whole[1:].split("?")
        given, checked = rest.split("@")
        steps, labels = checked.rstrip("$").split("#")
        assert sum(weight for text, weight in document[:1]) == 0
        assert len(re.findall("[:;]", steps)) == len(given) // 6
        used = {step[0] for step in re.findall(ledger.STEP, given)} | set(re.findall("([a-p])[+-]", steps))
        for entry, label, tag in zip(ledger.entries(question), labels[::2], labels[1::2], strict=True):
            assert entry[0] == label
            assert tag == ":" or label not in used
        tags += re.findall("[:;]", steps)
    assert 0.35 < tags.count(":") / len(tags) < 0.6


def test_wrong_candidates_are_as_frequent_as_asked() -> None:
    rng = Random(5)
    questions = [ledger.generate(rng, 5) for _ in range(2000)]
    wrong = sum(not ledger.critique(q, candidate(rng, q, 0.6)).right for q in questions)
    assert 0.55 < wrong / 2000 < 0.65


def test_mixtures_are_shares() -> None:
    assert [start for start, _ in PHASES] == sorted(start for start, _ in PHASES)
    for _, mixture in PHASES:
        assert sum(mixture.roles.values()) < 1
        assert set(mixture.roles) <= set(WRITERS)
    assert p_ik("63c-7", True)[1] == ("Y", 1.0)


def test_batches_are_padded_on_the_right_and_lose_nothing() -> None:
    rng = Random(6)
    documents = [draw(rng, Mixture({"critique": 0.5}, {3: 1, 7: 1}, {3: 1})) for _ in range(200)]
    total = rows = 0
    for ids, weights in batches(documents, 1024, rng):
        rows += ids.shape[0]
        total += int((weights > 0).sum())
        assert ids.shape == weights.shape
        assert ids.numel() <= 1024 or ids.shape[0] == 1
    assert rows == 200
    assert total == sum(sum(w > 0 for w in tokens(d)[1]) for d in documents)
