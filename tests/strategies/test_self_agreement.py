"""Self-agreement."""

from __future__ import annotations

import re
from collections import Counter

from whetstone.strategies.self_agreement import self_agreement
from whetstone.strategies.self_consistency import self_consistency


def reader(toy):
    """Right 60 % of the time; asked for the agreed answer it counts the shown solutions."""

    def model(request):
        solutions = request.prompt[-1].parts
        if len(solutions) > 1:
            answers = re.findall(r"Solution \d+: the answer is (\d+)", request.prompt[-1].text)
            return toy.said(f"the answer is {Counter(answers).most_common(1)[0][0]}")
        luck, number = toy.luck(request), toy.asked(request)[1]["question"]
        return toy.said(f"the answer is {number if luck.random() < 0.6 else luck.randrange(900, 905)}")

    return model


def test_matches_the_majority_at_one_more_call(toy) -> None:
    asked = {str(i): self_agreement(toy.task, toy.question(i), n=8) for i in range(100)}
    plain = {str(i): self_consistency(toy.task, toy.question(i), n=8) for i in range(100)}
    agreed, voted = toy.every(asked, reader(toy)), toy.every(plain, reader(toy))
    assert agreed.ledger.requests == voted.ledger.requests + 100
    for key, outcome in agreed.results.items():
        assert outcome.answer == voted.results[key].answer
        assert outcome.confidence.value == voted.results[key].confidence.value


def test_works_on_samples_that_cannot_be_parsed(toy) -> None:
    def model(request):
        return toy.said("the answer is 4" if len(request.prompt[-1].parts) > 1 else "about four, I think")

    outcome = toy.run(self_agreement(toy.task, toy.question(4), n=3), model)
    assert (outcome.answer, outcome.confidence.abstained) == ("4", "no sample has a readable answer")
    assert [c.source for c in outcome.trail] == ["self_agreement"] * 4
