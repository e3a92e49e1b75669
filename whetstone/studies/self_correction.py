"""Does self-correction help: what it keeps right, what it sets right, and what the same tokens buy otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Runner
from whetstone.core.registry import load, method, options
from whetstone.core.types import Example, Finding, Generation, Model, Outcome, Task
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation
from whetstone.studies._correction import Log, decompose
from whetstone.studies._graded import Graded, graded, groups_of, questions_of, right, vote_right

ONE_TURN = {"rounds": 1, "greedy": False}


@method(
    "study",
    papers=(
        "Confidence v.s. Critique: A Decomposition of Self-Correction Capability for LLMs",
        "Large Language Models Cannot Self-Correct Reasoning Yet",
    ),
    checked="tests/studies/test_self_correction.py::test_recovers_planted_flip_rates",
)
def self_correction(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    questions: int = 96,
    trials: int = 4,
    strategies: tuple[str, ...] = ("self_refine",),
    split: str = "dev",
    seed: int = 0,
) -> list[Finding]:
    """First answers against corrected ones, without an oracle.

    Args:
        questions, split, seed: which questions.
        trials: how often each question is answered and corrected (once by strategies whose first answer is greedy).
        strategies: ways of correcting; the first candidate of their trail is the answer before, their text the answer
            after. One that takes `rounds` gets one round.

    Returns:
        For each strategy: the change in accuracy with the table of flips; CL (still right among those right before); CS
        (right among those wrong before); RSS (0.5 for no change; undefined when nothing or everything was right
        before); what an oracle that says when to stop would save; and the accuracy after correction against that of a
        majority vote for the same tokens.

    Sources: `analysis_sampling.py` of the first paper (its RSS is not clipped); sections 3 to 4 of the second.
    """
    examples = questions_of(task, split, questions, seed)
    out: list[Finding] = []
    for name in strategies:
        strategy = load(name, "strategy")
        chosen = {key: value for key, value in ONE_TURN.items() if key in options(strategy)}
        repeats = trials if "greedy" in chosen else 1
        flows = {f"{i}/{t}": strategy(task, e, **chosen) for i, e in enumerate(examples) for t in range(repeats)}
        driven = runner(f"self_correction/{name}", flows)
        log: list[list[tuple[bool, bool]]] = []
        asked: list[Example] = []
        first_tokens = all_tokens = 0
        for i, example in enumerate(examples):
            done = [driven.results[key] for t in range(repeats) if (key := f"{i}/{t}") in driven.results]
            trials_of = [two_turns(task, example, outcome) for outcome in done if outcome.trail]
            if len(trials_of) == repeats:
                log.append(trials_of)
                asked.append(example)
                all_tokens += sum(driven.spent[f"{i}/{t}"] for t in range(repeats))
                first_tokens += sum(tokens(outcome.trail[0].generation) for outcome in done)
        if not log:
            out.append(Finding(f"change by {name}", None, None, 0, 0.0, None, f"{name} cannot be asked of this model"))
            continue
        groups = [example.group or example.id for example in asked]
        out += decompose(name, log, groups=groups, seed=seed)
        votes = max(1, round(all_tokens / max(1, first_tokens)))
        voted = graded(task, runner, f"self_correction/{name} votes", asked, k=votes)
        out.append(against_votes(name, log, voted, asked, votes))
    return out


def two_turns(task: Task, example: Example, outcome: Outcome) -> tuple[bool, bool]:
    """Right before, right after."""
    return right(task, example, outcome.trail[0].text), right(task, example, outcome.text)


def tokens(generation: Generation) -> int:
    """Prompt and completion."""
    return generation.usage.prompt + generation.usage.completion


def against_votes(name: str, log: Log, voted: Sequence[Graded], asked: Sequence[Example], votes: int) -> Finding:
    """Accuracy after correction minus that of a majority of as many samples as the same tokens buy."""
    after = {e.id: sum(b for _, b in trials) / len(trials) for e, trials in zip(asked, log, strict=True)}
    rows = [row for row in voted if row.example.id in after]
    test = paired_permutation(
        [after[row.example.id] for row in rows],
        [vote_right(row) for row in rows],
        groups=groups_of(rows),
    )
    interval = test.effect.interval
    sure = interval is not None and (interval[0] > 0 or interval[1] < 0)
    better = name if (test.effect.value or 0.0) > 0 else "voting"
    verdict = f"{better} is the better use of these tokens" if sure else "no clear difference at equal tokens"
    return finding(f"{name} against a vote", test, verdict=verdict, votes=votes)
