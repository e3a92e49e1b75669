"""Does a way of training a judge make it better: than it was, and than plain supervised training makes it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whetstone.audits.asking import literal
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Prefixed, Runner
from whetstone.core.registry import load, method, options
from whetstone.core.types import Finding, Json, Model, Round, Task
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation


@dataclass(frozen=True)
class Arm:
    """One way to train: its name in the table, a loop, and the loop's options."""

    name: str
    loop: str
    options: Mapping[str, Any]


@method("study", checked="tests/loops/judges/test_judge_training.py::test_tells_true_labels_from_verdicts_at_random")
def judge_training(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    arms: tuple[str, ...] = ("judge_sft", "djpo"),
    settings: tuple[str, ...] = (),
    full: bool = False,
    seed: int = 0,
) -> list[Finding]:
    """Train the same weights in several ways and judge the same held-out items after each.

    Args:
        arms: loops that train judges, each alone or with options of its own behind colons, such as
            `judge_sft:imitate=verdicts`. The first is plain supervised training, with which the others are compared.
        settings: options such as `protocol=pairwise`, for every loop that has them.
        full: give every finding of each arm's last round, not only those that tell how good the judge is.

    Returns:
        The untrained judge's findings; those of each arm after each of its rounds (accuracy) and after its last (all);
        the differences in accuracy on the same items to the untrained judge and to the first arm, tested by question;
        and the solver's accuracy before and after. The model is left as it was.

    Raises:
        ConfigError: the model cannot be trained; arms or settings are unknown, or leave nothing to compare.
    """
    weights: Any = model
    if not hasattr(model, "load_state"):
        raise ConfigError(f"judge_training trains the model, and {model.name} cannot be trained")
    plan, start = planned(arms, settings, seed), weights.state()
    history: dict[str, list[Round]] = {}
    try:
        for arm in plan:
            weights.load_state(start)
            inside = Prefixed(runner, f"judge_training/{arm.name}")
            rounds = history[arm.name] = list(load(arm.loop, "loop")(model, task, inside, **arm.options))
            if not rounds:
                raise ConfigError(f"{arm.name} has no round: set rounds above 0")
            if arm is plan[0] and "before/accuracy" not in rounds[0].metrics:
                raise ConfigError(
                    f"{arm.name} judges no held-out items to compare on: train a judge, with monitor above 0"
                )
    finally:
        weights.load_state(start)
    before = history[plan[0].name][0].metrics
    out = [replace(f, name=f"untrained: {name[7:]}") for name, f in before.items() if name.startswith("before/")]
    plain = history[plan[0].name][-1].metrics.get("accuracy")
    for arm in plan:
        rounds = history[arm.name]
        for done in rounds[:-1]:
            if "accuracy" in done.metrics:
                out.append(named(f"{arm.name}, round {done.index}", "accuracy", done.metrics["accuracy"]))
        last = rounds[-1].metrics
        out += [named(arm.name, name, f) for name, f in last.items() if full or telling(name)]
        if "accuracy" in last:
            out.append(difference(f"{arm.name} minus untrained", last["accuracy"], before["before/accuracy"]))
            if plain is not None and arm is not plan[0]:
                out.append(difference(f"{arm.name} minus {plan[0].name}", last["accuracy"], plain))
        else:
            why = "; ".join(alarm.message for alarm in rounds[-1].alarms) or "it judges no held-out items"
            out.append(Finding(f"{arm.name}: accuracy", None, None, 0, verdict=why))
    return out


def named(arm: str, name: str, found: Finding) -> Finding:
    return replace(found, name=f"{arm}: {name}")


def telling(name: str) -> bool:
    """Does a finding say how good the judge is? Not those of training, of the untrained judge, of unpaired gains."""
    return not name.startswith(("before/", "train/", "pairs/")) and name not in ("loss", "gain", "failures")


def planned(arms: Sequence[str], settings: Sequence[str], seed: int) -> list[Arm]:
    """The arms, once all of them and the settings are known."""
    if not arms or len(set(arms)) < len(arms):
        raise ConfigError("arms are one or more loops, none of them twice, such as judge_sft,djpo")
    plan = [parsed(arm, settings, seed) for arm in arms]
    for name in dict(map(setting, settings)):
        if not any(name in arm.options for arm in plan):
            raise ConfigError(f"settings: no loop of arms has {name!r}; loops: {', '.join(arm.loop for arm in plan)}")
    return plan


def parsed(arm: str, settings: Sequence[str], seed: int) -> Arm:
    """An arm from its text, with the settings that its loop knows."""
    loop, *own = arm.split(":")
    known = options(load(loop, "loop"))
    shared = {name: value for name, value in map(setting, settings) if name in known}
    mine = dict(map(setting, own))
    unknown = next((name for name in mine if name not in known), None)
    if unknown is not None:
        raise ConfigError(f"{loop} has no option {unknown!r}; it has {', '.join(known)}")
    return Arm(arm, loop, {**shared, **mine, "seed": seed})


def setting(text: str) -> tuple[str, Any]:
    """`name=value`; a value that is no number, truth value or tuple is text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"a setting is written name=value, not {text!r}")
    return name.strip(), literal(value.strip())


def difference(name: str, after: Finding, before: Finding) -> Finding:
    """Difference in accuracy on the same items, whose marks and questions the findings carry."""
    now, then, groups = (table(f, key) for f, key in ((after, "marks"), (before, "marks"), (after, "groups")))
    both = [item for item in now if item in then]
    test = paired_permutation(
        [float(str(now[item])) for item in both],
        [float(str(then[item])) for item in both],
        groups=[str(groups[item]) for item in both],
    )
    low, high = test.effect.interval or (0.0, 0.0)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no clear difference"
    return finding(name, test, verdict=verdict)


def table(found: Finding, key: str) -> Mapping[str, Json]:
    value = found.detail[key]
    assert isinstance(value, Mapping)
    return value
