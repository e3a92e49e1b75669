"""If confident keep it, else change it."""

from __future__ import annotations

import pytest

from whetstone.strategies.if_or_else import DECIDE, REVIEW, if_or_else


def checker(toy, first: str, second: str):
    """Answers `first`, refines to `second`; its critic knows what is right."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "critique":
            return toy.said(f"Verdict: {'Y' if fields['answer'].endswith(' 7') else 'N'}")
        return toy.said(f"the answer is {second if name == 'refine' else first}")

    return model


def test_changes_unsure_answers_only(toy) -> None:
    kept = toy.run(if_or_else(toy.task, toy.question(7)), checker(toy, "7", "8"))
    assert (kept.answer, len(kept.trail), kept.confidence.provenance["stopped"]) == ("7", 1, "kept")
    changed = toy.run(if_or_else(toy.task, toy.question(7)), checker(toy, "8", "7"))
    assert (changed.answer, len(changed.trail), changed.confidence.value) == ("7", 2, 1)


def test_of_two_answers_the_better_critique_decides(toy) -> None:
    def model(request):
        name, fields = toy.asked(request)
        if name == "critique":
            p = {"8": 0.4, "9": 0.1}[fields["answer"][-1]]
            return toy.letter("Verdict: N", Y=p, N=1 - p)
        return toy.said(f"the answer is {9 if name == 'refine' else 8}")

    outcome = toy.run(if_or_else(toy.task, toy.question(7)), model)
    assert (outcome.answer, outcome.confidence.value, len(outcome.trail)) == ("8", pytest.approx(0.4), 2)


@pytest.mark.parametrize(
    ("replies", "answer", "turns", "sure"),
    [
        (["7", "7"], "7", 2, 1),
        (["8", "7", "7"], "7", 3, 0),
        (["7", "8", "7"], "7", 3, 0),
        (["8", "hm", "hm"], "8", 3, 0),
    ],
)
def test_the_paper_s_conversation(toy, replies, answer, turns, sure) -> None:
    """A second turn reviews, a third decides only when the answers differ."""
    texts = iter(replies)
    prompts = []

    def model(request):
        prompts.append(request.prompt)
        return toy.said(f"the answer is {next(texts)}")

    outcome = toy.run(if_or_else(toy.task, toy.question(7), ask="chat"), model)
    assert (outcome.answer, len(outcome.trail), outcome.confidence.value) == (answer, turns, sure)
    assert [len(prompt) for prompt in prompts] == [1, 3, 5][:turns]
    assert prompts[1][1].text == f"the answer is {replies[0]}"
    assert [prompt[-1].text for prompt in prompts[1:]] == [REVIEW, DECIDE][: turns - 1]


def test_out_of_tokens_keeps_the_first_answer_without_confidence(toy) -> None:
    model = checker(toy, "7", "8")
    outcome = toy.run(if_or_else(toy.task, toy.question(7), ask="chat"), model, budget=80)
    assert (outcome.answer, outcome.confidence.abstained) == ("7", "no tokens left to ask")
