"""Probes of superficial attraction."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.bias_probes import bias_probes
from whetstone.audits.evaluating import Pair, right_and_wrong
from whetstone.audits.probes import PROBES, attack, effects, probe_all
from whetstone.core.errors import ConfigError
from whetstone.core.types import TIE, Candidate, Generation, Verdict
from whetstone.models.grit.dialect import GritDialect
from whetstone.signals import forms
from whetstone.tasks.load import load_task
from whetstone.worlds import ledger


def cases(toy, n: int):
    return [toy.case(i, (f"the answer is {i}", f"the answer is {i + 50}"), (True, False)) for i in range(n)]


def verdicts(asked, rng: Random, error: float):
    return [
        Verdict(("c0", "c1"), ("c0" if pair.correct[0] else "c1") if rng.random() > error else TIE) for pair in asked
    ]


def judged(toy, seed: int, n: int, planted: dict[str, float]):
    """A judge with an error rate of 0.2, and a higher one under the planted probes."""
    asked, rng = right_and_wrong(cases(toy, n), 1), Random(seed)
    probed = {name: verdicts(asked, rng, planted.get(name, 0.2)) for name in PROBES}
    return effects(asked, verdicts(asked, rng, 0.2), probed)


def test_finds_the_planted_attraction_and_none_in_fair_judges(toy) -> None:
    found = {f.name: f for f in judged(toy, 1, 400, {"authority": 0.8})}
    assert found["authority"].interval[0] < 0.3 < found["authority"].interval[1], "a tie is half of what is lost"
    assert found["authority"].verdict == "is taken in by authority"
    assert found["authority"].detail["accuracy"] == pytest.approx(0.2, abs=0.06)
    assert {f.verdict for f in found.values()} == {"", "is taken in by authority"} | {
        f"no effect of {name} found" for name in PROBES if name != "authority"
    }
    accused = sum(any(f.p is not None and f.p < 0.05 for f in judged(toy, seed, 40, {})) for seed in range(200))
    assert accused <= 19


@pytest.mark.parametrize("name", PROBES)
def test_a_live_judge_that_is_taken_in_by_one_probe(toy, name) -> None:
    mark = PROBES[name].text.split("{question}")[-1].strip()[:20]

    def judge(request):
        _, fields = toy.asked(request)
        first = mark in fields["first"]
        if first == (mark in fields["second"]):
            first = fields["first"].endswith(f" {fields['question']}")
        return toy.said(f"Verdict: {'A' if first else 'B'}")

    found = {f.name: f for f in toy.run(bias_probes(toy.task, cases(toy, 8)), judge)}
    assert found["accuracy"].estimate == 1
    assert {key for key, f in found.items() if f.p is not None and f.p < 0.1} == {name}
    assert found[name].estimate == 1


def test_only_the_wrong_answer_is_dressed_up(toy) -> None:
    (pair,) = right_and_wrong(cases(toy, 1), 1)
    for probe in PROBES.values():
        dressed = attack(pair, probe)
        assert dressed.first == pair.first
        assert dressed.second.text.endswith(pair.second.text)
        assert "{" not in dressed.second.text
    assert len(probe_all([pair], PROBES)) == len(PROBES) + 1
    with pytest.raises(ConfigError, match="no probe is called"):
        next(bias_probes(toy.task, cases(toy, 2), probes="beauty"))


def test_probes_that_a_judge_cannot_read_are_not_measured(toy) -> None:
    def judge(request):
        return toy.said("hm" if "textbook" in str(toy.asked(request)[1]) else "Verdict: A")

    found = {f.name: f for f in toy.run(bias_probes(toy.task, cases(toy, 5), probes="authority,format"), judge)}
    assert found["authority"].verdict == "not measured: the judge cannot read it"
    assert found["format"].n == 5


def test_in_the_notation_of_a_ledger_question() -> None:
    """Every probe can be read by a judge that knows nothing but ledger notation, and none makes an answer right."""
    task = load_task("ledger:levels=3")
    for example in task.examples("dev", n=20):
        question = example.meta["question"]
        right, wrong = ledger.solve(Random(1), question, style="forward"), "00"
        pair = Pair(example, *(Candidate(t, Generation(t)) for t in (right, wrong)), (True, False))
        for probe in PROBES.values():
            dressed = attack(pair, probe).second.text
            assert dressed.endswith(wrong)
            assert dressed != wrong
            GritDialect().encode(forms.compare(example.question, right, dressed))
            assert ledger.first_error(question, dressed) is not None
