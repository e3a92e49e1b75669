"""Self-written demonstrations."""

from __future__ import annotations

from whetstone.strategies.greedy import greedy
from whetstone.strategies.self_demonstration import self_demonstration


def copier(toy):
    """Knows how to write examples of a task, and answers rightly only with some before its eyes."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "demonstrate":
            assert fields["count"] == "4"
            return toy.said("1. What is 3? the answer is 3")
        shown = "the answer is 3" in request.prompt[-1].text
        number = request.prompt[-1].text.removesuffix("?").split()[-1]
        return toy.said(f"the answer is {number if shown else 0}")

    return model


def test_helps_a_model_that_copies_its_examples(toy) -> None:
    for i in (5, 6):
        outcome = toy.run(self_demonstration(toy.task, toy.question(i)), copier(toy))
        assert outcome.answer == str(i)
        assert [c.source for c in outcome.trail] == ["demonstrations", "self_demonstration"]
    plain = [toy.run(greedy(toy.task, toy.question(i)), copier(toy)).answer for i in (5, 6)]
    assert plain == ["0", "0"], "without them it cannot"


def test_the_question_s_own_instructions_stay_in_place(toy) -> None:
    flow = self_demonstration(toy.task, toy.question(5), style="vanilla")
    (write,) = next(flow)
    assert "its answer only" in write.prompt[0].text
    (answer,) = flow.send([toy.said("1. shots")])
    assert answer.prompt[-1].text.endswith(toy.question(5).prompt[-1].text)


def test_no_demonstrations_no_answer(toy) -> None:
    outcome = toy.run(self_demonstration(toy.task, toy.question(5)), lambda request: toy.said(" "))
    assert outcome.confidence.abstained == "the model wrote no demonstrations"
