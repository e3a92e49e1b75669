"""Training a judge on pairs whose wrong answer is made attractive, so that it looks at what is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random

from whetstone.audits.evaluating import Pair
from whetstone.audits.probes import Probe, attack, chosen, probe_all, split, wrong_shares
from whetstone.core.errors import TaskError
from whetstone.core.flow import Runner
from whetstone.core.registry import load, method
from whetstone.core.types import Finding, Round, Task, Verdict
from whetstone.loops._bias_material import both_orders, comparisons, pairs_of
from whetstone.loops._measure import training
from whetstone.loops._round import Turn, before, held_out
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable
from whetstone.stats import HypothesisTest, finding, holm, paired_permutation, proportion

SIX = "verbosity,concreteness,empty_reference,content_continuation,nested_instruction,familiar_knowledge"
Marks = dict[str, list[float | None]]


@method(
    "loop",
    papers=("OffsetBias: Leveraging Debiased Data for Tuning Evaluators",),
    checked="tests/loops/test_debiased_judge.py::test_a_judge_that_loves_length_fails_and_then_improves",
)
def debiased_judge(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    probes: str = SIX,
    plain: float = 0.5,
    critiques: bool = False,
    pairs: int = 600,
    k: int = 4,
    lr: float | None = None,
    tokens_per_batch: int = 2048,
    monitor: int = 60,
    seed: int = 0,
) -> Iterator[Round]:
    """Train a judge to choose right answers over attractive wrong ones, and measure it on held-out pairs by bias.

    Args:
        probes: kinds of attraction, as in the audit `bias_probes`; by default the six of the paper.
        plain: share of the training pairs whose wrong answer is left as it is.
        critiques: judge after critiques, which the model writes itself.
        pairs: training pairs, one a question, each shown in both orders. Ledger questions get written answers;
            others the model's own samples, as far as some are right and some wrong by the task's verifier.
        k: samples a question, where they are sampled.
        lr: learning rate; None for the model's own.
        monitor: held-out questions, of the dev split; every kind of attraction is tried on each.

    Yields:
        One `Round` with `accuracy KIND` (right in both orders; "clean" is without attraction), before and after, and
        `gain KIND`, paired and Holm-adjusted.

    Raises:
        TaskError: no question has both a right and a wrong answer.

    Source: section 4 of the paper, whose test statistic is the accuracy in both orders.
    """
    kinds, turn, rng = chosen(probes), Turn(1, runner), Random(f"debiased_judge/{seed}")
    watched = pairs_of(turn, "held out", task, held_out(task, monitor, seed), rng, k)
    first = marks(turn, "audit before", task, watched, kinds, critiques)
    asked = pairs_of(turn, "answers", task, list(islice(task.examples("train", n=pairs, seed=seed), pairs)), rng, k)
    if not asked:
        raise TaskError(f"{task.name}: no question got both a right and a wrong answer; take harder ones or a higher k")
    names = list(kinds)
    dressed = [p if rng.random() < plain else attack(p, kinds[rng.choice(names)]) for p in asked]
    items = [
        Demonstration(prompt, "A" if pair.correct[0] else "B")
        for pair, prompt in comparisons(turn, task, both_orders(dressed), critiques)
    ]
    rate = model.learning_rate if lr is None else lr
    log = train(model, items, likelihood, lr=rate, tokens_per_batch=tokens_per_batch, seed=rng.randrange(2**31))
    second = marks(turn, "audit after", task, watched, kinds, critiques)
    groups = [pair.group for pair in watched]
    metrics = before(accuracies(first, groups)) | accuracies(second, groups) | gains(first, second, groups)
    yield turn.end(model, seen=len(asked), kept=len(items), metrics=metrics | training(log))


def marks(
    turn: Turn, phase: str, task: Task, asked: Sequence[Pair], kinds: Mapping[str, Probe], critiques: bool
) -> Marks:
    """By kind, for each pair whether the judge was right in both orders; None where it could not be read."""
    judge, every = load("pairwise_judge", "judge"), probe_all(asked, kinds)
    flows = {f"{i}": judge(task, p.example, p.first, p.second, critiques=critiques) for i, p in enumerate(every)}
    found: dict[str, Verdict] = turn(phase, flows).results
    lost = Verdict((), None, reason="failed")
    clean, probed = split([found.get(f"{i}", lost) for i in range(len(every))], kinds)
    shares = {name: wrong_shares(asked, verdicts) for name, verdicts in {"clean": clean, **probed}.items()}
    return {name: [None if s is None else float(s == 0) for s in values] for name, values in shares.items()}


def accuracies(found: Marks, groups: Sequence[str]) -> dict[str, Finding]:
    """`accuracy KIND`; an unreadable verdict is not right, and is counted."""
    return {
        f"accuracy {name}": finding(
            f"accuracy {name}", proportion([v or 0.0 for v in values], groups=groups), unreadable=values.count(None)
        )
        for name, values in found.items()
    }


def gains(first: Marks, second: Marks, groups: Sequence[str]) -> dict[str, Finding]:
    """`gain KIND`: accuracy after minus before on the same pairs, against 0."""
    tests = {
        name: paired_permutation([v or 0.0 for v in second[name]], [v or 0.0 for v in first[name]], groups=groups)
        for name in first
    }
    found = {}
    for (name, test), p in zip(tests.items(), holm([t.p for t in tests.values()]), strict=True):
        up = (test.effect.value or 0.0) > 0
        told = ("improved" if up else "got worse") if p is not None and p < 0.05 else "no clear change"
        shown = HypothesisTest(test.effect, p, 0.0, f"{test.method}, Holm")
        found[f"gain {name}"] = finding(f"gain {name}", shown, verdict=told)
    return found
