"""Rounds under guard: alarms are attached, and a round that trips one is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from whetstone.core.registry import load
from whetstone.core.types import Round
from whetstone.loops.trainable import Trainable

GUARDS = ("proxy_gold_gap", "diversity_collapse", "length_drift", "acceptance_rate")


def watch(rounds: Iterator[Round], model: Trainable, *, guards: Sequence[str] = GUARDS) -> Iterator[Round]:
    """Pass rounds on with the guards' alarms; on one that says stop, roll the model back and end.

    Args:
        rounds: a loop on `model` that has not begun.
        guards: names of registered guards; each sees all rounds so far.

    Yields:
        Each round. The last one may carry alarms with `stop`: the weights are then those before it.
    """
    past: list[Round] = []
    good = model.state()
    for current in rounds:
        past.append(current)
        alarms = [alarm for name in guards if (alarm := load(name, "guard")(past)) is not None]
        current = replace(current, alarms=(*current.alarms, *alarms))
        if any(alarm.stop for alarm in current.alarms):
            model.load_state(good)
            yield current
            return
        good = model.state()
        yield current
