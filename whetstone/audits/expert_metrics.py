"""All built-in metrics against an expert's scores: which one should choose the model?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import cluster, named, ratings_of
from whetstone.audits.metric_selection import metric_selection
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import load, method, methods
from whetstone.core.types import Case, Finding, Json, Signal, Task
from whetstone.stats.text_metrics import METRICS, REFERENCE_FREE


@method(
    "audit",
    papers=("Automatic Personalized Impression Generation for PET Reports Using Large Language Models",),
    checked="tests/audits/test_expert_metrics.py::test_the_planted_metric_wins_among_all_and_chooses_the_model",
)
def expert_metrics(
    task: Task, cases: Sequence[Case], *, signals: str = "", rounds: int = 1000, seed: int = 0
) -> Flow[list[Finding]]:
    """Rank every text metric and signal by rank correlation with an expert; the best one chooses the model.

    Args:
        signals: names separated by commas, or "all" for every registered one; most ask the model. "" ranks the text
            metrics alone, which ask nothing.
        rounds, seed: of the bootstrap.

    The expert's scores are the example's `meta["ratings"]`, one a candidate; without them right is 1 and wrong 0. The
    reference is `meta["model_answer"]`, else the task's target; without one only metrics that need none are ranked. A
    metric that is unknown for some output is left out, and named in the finding `left out`.

    Returns:
        The findings of `metric_selection`, and `left out`.
    """
    found = [(case, i, score) for case in cases for i, score in enumerate(ratings_of(case)) if score is not None]
    if len({score for _, _, score in found}) < 2:
        raise Abstain("the outputs need expert scores that differ")
    texts = [(case.candidates[i].text, reference_of(case)) for case, i, _ in found]
    usable = list(METRICS) if all(reference is not None for _, reference in texts) else list(REFERENCE_FREE)
    table: dict[str, list[float | None]] = {
        name: [METRICS[name](text, reference or "") for text, reference in texts] for name in usable
    }
    for name in named(signals, [known.name for known in methods("signal")], "signal"):
        table[name] = yield from _values(task, name, found)
    full = {name: [v for v in values if v is not None] for name, values in table.items()}
    whole = {name: values for name, values in full.items() if len(values) == len(found)}
    sources = [case.candidates[i].source for case, i, _ in found]
    ranked = metric_selection(
        whole,
        [score for _, _, score in found],
        models=sources if len(set(sources)) > 1 else (),
        groups=[cluster(case.example) for case, _, _ in found],
        rounds=rounds,
        seed=seed,
    )
    missing: dict[str, Json] = {name: len(found) - len(values) for name, values in full.items() if name not in whole}
    told = f"{len(missing)} of {len(table)} metrics were unknown for some output"
    return [*ranked, Finding("left out", float(len(missing)), None, len(table), verdict=told, detail=missing)]


def _values(task: Task, name: str, found: Sequence[tuple[Case, int, float]]) -> Flow[list[float | None]]:
    """A signal's value of each output."""
    cases = list({id(case): case for case, _, _ in found}.values())
    function = load(name, "signal")
    rows: list[list[Signal]] = yield from gather(function(task, case.example, case.candidates) for case in cases)
    by_case = {id(case): row for case, row in zip(cases, rows, strict=True)}
    return [by_case[id(case)][i].value for case, i, _ in found]


def reference_of(case: Case) -> str | None:
    """The text that outputs are compared with."""
    model_answer = case.example.meta.get("model_answer")
    return str(model_answer) if model_answer is not None else case.example.target
