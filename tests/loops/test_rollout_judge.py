"""A judge of rollouts of a text game: three formats, three ways of tuning."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
import torch

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Example, Generation, Media, Message, Sampling, Signal, user
from whetstone.loops._rollout_lessons import lessons_of
from whetstone.loops._train import train
from whetstone.loops._tuning import tuned
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.rollout_judge import rollout_judge
from whetstone.models.scripted import ScriptedModel

ROOMS = ("hall", "yard", "cave", "lake")
MOVES = {"east": 1, "west": -1, "wait": 0}
PEOPLE = ("knight", "wizard", "thief")
TEMPLATE = (
    "Frame : Which action was taken between the last two frames ? Is it . End with Y or N one letter , Answer and its"
)
WORDS = (
    *ROOMS,
    *MOVES,
    *PEOPLE,
    *TEMPLATE.split(),
    *"123456ABCD",
    "in",
    "=",
    "Asked",
    "then",
    "name",
    "character",
    "acts",
    "The",
    "Verdict",
    "is",
)


class Game:
    """Somebody walks in a ring of rooms; with `dice` the actions told are drawn anew."""

    name, sampling = "game", Sampling(max_tokens=8)

    def __init__(self, *, dice: bool = False, images: bool = False) -> None:
        self.dice, self.images = dice, images

    def examples(self, split, *, n=None, seed=0):
        def rollout(i):
            rng = Random(f"{split}/{seed}/{i}")
            place, who, moves = rng.randrange(len(ROOMS)), rng.choice(PEOPLE), rng.choices(list(MOVES), k=2)
            frames = [f"{who} in {ROOMS[place]}"]
            for move in moves:
                place = (place + MOVES[move]) % len(ROOMS)
                frames.append(f"{who} in {ROOMS[place]}")
            action = rng.choice(list(MOVES)) if self.dice else moves[-1]
            meta = {"frames": frames, "action": action, "actions": list(MOVES)}
            media = (Media("image", "image/png", bytes([i % 256])),) if self.images else ()
            return Example(f"{split}-{i}", user("watch", *media), meta={**meta, "character": who, "characters": PEOPLE})

        return islice(map(rollout, range(10**6)), n)

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


@pytest.fixture(scope="module")
def base(reader):
    """Has read such games and names what it sees, but was never asked in other formats."""
    model = reader(WORDS)
    items = []
    for example in Game().examples("train", n=2500, seed=7):
        items += [lesson.demonstration for lesson in lessons_of(example) if lesson.dataset.endswith("open")]
    train(model, items, likelihood, lr=2e-2, tokens_per_batch=2048)
    return model, model.state()


def test_one_judge_learns_three_formats_and_the_ways_of_tuning_are_compared(base, drive_on) -> None:
    model, start = base
    model.load_state(start)
    settings = {"rollouts": 500, "monitor": 25, "lr": 1e-2, "max_tokens": 24}
    rounds = list(rollout_judge(model, Game(), drive_on(model), **settings))
    full, partial, low_rank = (r.metrics for r in rounds)
    for style in ("binary", "choice"):
        assert full[f"before/accuracy/action/{style}"].estimate == 0, "the untuned one gives no verdict"
        assert full["unreadable"].estimate < 0.1, "one judge answers in every format"
    for arm in (full, partial, low_rank):
        assert arm["gain"].interval[0] > 0.05
        assert arm["accuracy/open"].estimate > 0.6
    assert full["weights"].estimate > partial["weights"].estimate > low_rank["weights"].estimate > 0
    assert "gain/full" in partial
    assert "gain/partial" in low_rank
    best = max(rounds, key=lambda r: r.metrics["accuracy"].estimate)
    assert model.fingerprint == best.snapshot, "the best way's weights are kept"


@pytest.mark.slow
def test_with_enough_rollouts_every_format_is_above_chance(base, drive_on) -> None:
    model, start = base
    model.load_state(start)
    settings = {"rollouts": 2500, "monitor": 60, "lr": 1e-2, "max_tokens": 24, "scopes": "full"}
    (only,) = rollout_judge(model, Game(), drive_on(model), **settings)
    for kind in ("action", "character"):
        for style, chance in (("binary", 1 / 2), ("choice", 1 / 3), ("open", 1 / 3)):
            assert only.metrics[f"accuracy/{kind}/{style}"].interval[0] > chance, (kind, style)


def test_nothing_is_learned_where_the_actions_are_dice(base, drive_on) -> None:
    model, start = base
    model.load_state(start)
    (only,) = rollout_judge(model, Game(dice=True), drive_on(model), scopes="full", rollouts=200, monitor=60)
    low, high = only.metrics["accuracy/action/choice"].interval
    assert low < 1 / 3 < high


def test_frames_pass_through_as_images() -> None:
    seen = []

    def look(request):
        seen.append(request.prompt)
        return Generation("Verdict: Y")

    from whetstone.core.flow import drive
    from whetstone.loops._judging import judge

    (example,) = Game(images=True).examples("dev", n=1)
    items = [lesson.item for lesson in lessons_of(example)]
    judge(lambda name, flows: drive(flows, {"policy": ScriptedModel(look)}), "x", items)
    assert len(seen) == 6
    for prompt in seen:
        assert isinstance(prompt[0], Message)
        assert [part.mime for part in prompt[0].parts if isinstance(part, Media)] == ["image/png"]


def test_questions_by_hand() -> None:
    (example,) = Game().examples("dev", n=1)
    lessons = {lesson.dataset: lesson for lesson in lessons_of(example)}
    assert set(lessons) == {f"{k}/{s}" for k in ("action", "character") for s in ("binary", "choice", "open")}
    for lesson in lessons.values():
        assert lesson.item.read(lesson.reply).value == lesson.item.truth
    assert "Frame 1" not in lessons_of(example, last=2)[0].item.prompt[0].text
    claims = [lessons_of(e)[0].item.truth for e in Game().examples("dev", n=200)]
    assert 80 < claims.count("Y") < 120
    with pytest.raises(TaskError, match="frames"):
        lessons_of(Example("e", user("x")))
    with pytest.raises(TaskError, match="not among"):
        lessons_of(Example("e", user("x"), meta={"frames": ["a"], "action": "fly", "actions": ["east", "west"]}))


@pytest.mark.parametrize("scope", ["partial", "low_rank"])
def test_a_rate_of_zero_moves_no_weight(reader, drive_on, scope) -> None:
    model = reader(WORDS)
    before, settings = model.fingerprint, {"rollouts": 20, "monitor": 2, "max_tokens": 2, "adapter_lr": 0.0}
    (only,) = rollout_judge(model, Game(), drive_on(model), scopes=scope, **settings)
    assert only.kept > 0
    assert model.fingerprint == before


def test_tuning_changes_no_more_than_it_may(reader, drive_on) -> None:
    items = [Demonstration(user("Frame 1 : knight in hall"), "Answer : east")] * 4
    for scope in ("partial", "low_rank"):
        model = reader(WORDS)
        before = model.state()
        train(tuned(model, scope, share=0.25, rank=2), items, likelihood, lr=1e-2, epochs=3)
        after = model.state()
        moved = [name for name in before if not torch.equal(before[name], after[name])]
        assert moved
        if scope == "partial":
            assert len(moved) <= round(0.25 * len(before))
        else:
            assert all(torch.linalg.matrix_rank(after[n] - before[n], rtol=1e-4) <= 2 for n in moved)
    with pytest.raises(ConfigError, match="no scope is called 'half'"):
        next(rollout_judge(reader(WORDS), Game(), drive_on(reader(WORDS)), scopes="half"))
    with pytest.raises(ConfigError, match=r"no format is called 'essay'; there are .*"):
        next(rollout_judge(reader(WORDS), Game(), drive_on(reader(WORDS)), formats="open,essay"))
    with pytest.raises(TaskError, match="none held out"):
        next(rollout_judge(reader(WORDS), Game(), drive_on(reader(WORDS)), monitor=0))
