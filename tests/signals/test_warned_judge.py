"""The judge that a bias detector warns."""

from __future__ import annotations

from whetstone.signals.warned_judge import warned_judge


def model(toy, *, stubborn: bool = False, mute: bool = False):
    """A judge that likes length, and a detector that knows."""
    asked: list[str] = []

    def answer(request):
        name, fields = toy.asked(request)
        asked.append(name)
        right = "A" if fields["first"].endswith(" 3") else "B"
        longer = "A" if len(fields["first"]) > len(fields["second"]) else "B"
        if name == "detect_bias":
            swayed = fields["verdict"].endswith(longer)
            return toy.said("hm" if mute else f"It fell for length. Verdict: {'Y' if swayed else 'N'}")
        return toy.said(f"Verdict: {right if name == 'compare_warned' and not stubborn else longer}")

    return answer, asked


def test_a_detector_that_sees_the_planted_bias_restores_the_truth(toy) -> None:
    right, wrong = toy.candidates("it is 3", "well, it is surely 4")
    answer, asked = model(toy)
    assert toy.run(warned_judge(toy.task, toy.question(3), right, wrong), answer).choice == right.id
    assert sorted(asked) == ["compare"] * 2 + ["compare_warned"] * 2 + ["detect_bias"] * 4
    silent, _ = model(toy, mute=True)
    assert toy.run(warned_judge(toy.task, toy.question(3), right, wrong), silent).choice == wrong.id


def test_stops_after_the_rounds(toy) -> None:
    right, wrong = toy.candidates("it is 3", "well, it is surely 4")
    answer, asked = model(toy, stubborn=True)
    assert toy.run(warned_judge(toy.task, toy.question(3), right, wrong, rounds=3), answer).choice == wrong.id
    assert asked.count("detect_bias") == 6
    answer, asked = model(toy, stubborn=True)
    toy.run(warned_judge(toy.task, toy.question(3), right, wrong, rounds=0), answer)
    assert asked == ["compare"] * 2
