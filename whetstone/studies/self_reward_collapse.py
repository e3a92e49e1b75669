"""Does training on what the model itself calls right hold up, or does it collapse where agreement does not?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Prefixed, Runner
from whetstone.core.registry import load, method, methods
from whetstone.core.types import Finding, Model, Round, Task
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation
from whetstone.studies._graded import Graded, graded, groups_of, questions_of


@method("study", checked="tests/loops/test_self_reward_collapse.py::test_tells_a_blind_reward_from_agreement")
def self_reward_collapse(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    questions: int = 400,
    rounds: int = 2,
    k: int = 8,
    signal: str = "p_true",
    held_out: int = 200,
    seed: int = 0,
) -> list[Finding]:
    """Train once on everything the model's own signal accepts and once on its majority answers, from the same weights.

    Args:
        questions, rounds, k: of each arm's `expert_iteration`.
        signal: the self-reward, believed above 0.5.
        held_out: questions of the dev split on which the greedy answer is graded before and after.

    Returns:
        The change in greedy accuracy in each arm, the difference between the arms, and the self-reward arm's gap
        between what it accepted and what was right, with the guards that spoke up. The model is left as it was.

    Raises:
        ConfigError: the model cannot be trained.
    """
    weights: Any = model
    if not hasattr(model, "load_state"):
        raise ConfigError(f"self_reward_collapse trains the model, and {model.name} cannot be trained")
    examples, start = questions_of(task, "dev", held_out, seed + 1), weights.state()
    arms = {"majority": {"filter": "majority"}, "self-reward": {"filter": "signal", "signal": signal}}
    sizes = {"questions": questions, "rounds": rounds, "k": k, "audited": True, "seed": seed}
    before = graded(task, runner, "self_reward_collapse/before", examples, k=1, temperature=0.0)
    after: dict[str, list[Graded]] = {}
    history: dict[str, list[Round]] = {}
    try:
        for arm, settings in arms.items():
            weights.load_state(start)
            inside = Prefixed(runner, f"self_reward_collapse/{arm}")
            loop = load("expert_iteration", "loop")
            history[arm] = list(loop(model, task, inside, **{**sizes, **settings}))
            after[arm] = graded(task, inside, "after", examples, k=1, temperature=0.0)
    finally:
        weights.load_state(start)
    out = [compare(f"change by {arm} training", after[arm], before) for arm in arms]
    difference = compare("self-reward minus majority", after["self-reward"], after["majority"])
    gap = next((r.metrics["gap"] for r in reversed(history["self-reward"]) if "gap" in r.metrics), None)
    spoken = [name for name in (m.name for m in methods("guard")) if load(name, "guard")(history["self-reward"])]
    verdict = verdict_of(out[1], difference)
    out.append(replace(difference, verdict=verdict, detail={**difference.detail, "guards": spoken}))
    if gap is not None:
        out.append(Finding("accepted minus right, self-reward", gap.estimate, gap.interval, gap.n, 0.0))
    return out


def compare(name: str, after: list[Graded], before: list[Graded]) -> Finding:
    """Difference in accuracy on the same questions."""
    base = {row.example.id: row for row in before}
    rows = [row for row in after if row.example.id in base]
    test = paired_permutation(
        [row.accuracy for row in rows], [base[row.example.id].accuracy for row in rows], groups=groups_of(rows)
    )
    return finding(name, test, verdict=direction(test.effect.interval))


def direction(interval: tuple[float, float] | None) -> str:
    """What an interval of a difference says."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "no clear difference"
    return "better" if interval[0] > 0 else "worse"


def verdict_of(own: Finding, difference: Finding) -> str:
    """The sentence about the self-reward."""
    if own.verdict == "worse":
        return "self-reward training collapses: it makes the model worse than it was"
    if difference.verdict == "worse":
        return "self-reward training loses to plain agreement"
    if difference.verdict == "better":
        return "self-reward training beats plain agreement here"
    return "no clear difference between self-reward and agreement"
