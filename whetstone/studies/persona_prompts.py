"""Does a role help, does it hurt, and does an ensemble of both get the better of the two?"""

from __future__ import annotations

from dataclasses import replace

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Model, Task
from whetstone.stats import finding, paired_permutation, proportion
from whetstone.strategies.persona_ensemble import persona_ensemble
from whetstone.studies._graded import questions_of, right


@method(
    "study",
    papers=(
        "Persona is a Double-edged Sword: Enhancing the Zero-shot Reasoning by Ensembling the Role-playing and Neutral "
        "Prompts",
    ),
    checked="tests/studies/test_persona_prompts.py::test_finds_where_roles_help_and_what_the_ensemble_gains",
)
def persona_prompts(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    questions: int = 96,
    attempts: int = 5,
    split: str = "dev",
    seed: int = 0,
) -> list[Finding]:
    """Accuracy with a generated role, without one, of their ensemble, and of the better of both (oracle).

    Args:
        questions, split, seed: which questions.
        attempts: comparisons in both orders at most, until the judge is consistent.

    Returns:
        `accuracy/ARM` of the four arms; `persona - neutral`, `ensemble - neutral` and `ensemble - persona`, paired by
        question. Details count the questions that only one of the two ways got right.
    """
    examples = questions_of(task, split, questions, seed)
    flows = {example.id: persona_ensemble(task, example, attempts=attempts) for example in examples}
    outcomes = runner("persona_prompts", flows).results
    known = [example for example in examples if example.id in outcomes and len(outcomes[example.id].trail) == 2]
    groups = [example.group or example.id for example in known]
    arms: dict[str, list[float]] = {"persona": [], "neutral": [], "ensemble": [], "oracle": []}
    for example in known:
        outcome = outcomes[example.id]
        acted, plain = (float(right(task, example, candidate.text)) for candidate in outcome.trail)
        chosen = float(outcome.answer is not None and right(task, example, outcome.text))
        for arm, value in zip(arms, (acted, plain, chosen, max(acted, plain)), strict=True):
            arms[arm].append(value)
    only = {
        "only_persona": sum(a > b for a, b in zip(arms["persona"], arms["neutral"], strict=True)),
        "only_neutral": sum(a < b for a, b in zip(arms["persona"], arms["neutral"], strict=True)),
        "left_out": len(examples) - len(known),
    }
    rates = {arm: proportion(values, groups=groups) for arm, values in arms.items()}
    table = [replace(finding(f"accuracy/{arm}", rate), detail=only) for arm, rate in rates.items()]
    for better, worse in (("persona", "neutral"), ("ensemble", "neutral"), ("ensemble", "persona")):
        test = paired_permutation(arms[better], arms[worse], groups=groups)
        table.append(finding(f"{better} - {worse}", test, verdict=sentence(test.p, test.effect.value, better, worse)))
    return table


def sentence(p: float | None, difference: float | None, better: str, worse: str) -> str:
    """What a paired difference says."""
    if p is None or p >= 0.05 or not difference:
        return f"no clear difference between {better} and {worse}"
    return f"{better} is better than {worse}" if difference > 0 else f"{better} is worse than {worse}"
