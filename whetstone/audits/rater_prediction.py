"""Can a judge foresee how people rate, each by their own standard?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from whetstone.audits.evaluating import cluster
from whetstone.audits.rater_tables import MEAN, Rated, tables_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Sampling, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import read_score
from whetstone.stats import finding, paired_permutation, proportion

PREDICT = """{who} rated answers by one measure: {metric}. Ratings are 1 (low), 2 (medium) or 3 (high).

{shown}Question: {question}

Answer: {answer}

Which rating did {who} give this answer for {metric}? Reply with one line, "Score: " and 1, 2 or 3."""


@method(
    "audit",
    papers=(
        "Towards Unifying Evaluation of Counterfactual Explanations: Leveraging Large Language Models for "
        "Human-Centric Assessments",
    ),
    checked="tests/audits/test_rater_prediction.py::test_finds_planted_preferences_of_raters_and_none_in_noise",
)
def rater_prediction(
    task: Task,
    cases: Sequence[Case],
    *,
    shots: int = 8,
    low: float = 1.0,
    high: float = 6.0,
    role: str = "judge",
    seed: int = 0,
) -> Flow[list[Finding]]:
    """Accuracy of a judge that predicts people's ratings in three classes, against always saying the commonest class.

    Args:
        shots: ratings of the same rater for the same metric, of other questions, that the judge is shown; 0 shows none.
        low, high: ends of the rating scale, which is cut into thirds.
        role: who predicts.
        seed: which ratings are shown.

    Ratings of a case's first candidate are its example's `meta["rated"]`: {metric: {rater: number}}. Without it, right
    and wrong answers have the highest and the lowest rating.
    """
    tables = tables_of(cases, low, high)
    if not tables:
        raise Abstain('no answer has ratings in meta["rated"], and none is known to be right or wrong')
    sampling = Sampling(0.0, max_tokens=32)

    def predict(metric: str, rater: str, item: Rated, others: Sequence[Rated]) -> Flow[int | None]:
        rng = Random(f"{seed}/{metric}/{rater}/{item.example.id}")
        demos = rng.sample(list(others), min(shots, len(others)))
        lines = [f"Answer: {demo.answer}\nScore: {demo.rating}\n\n" for demo in demos]
        fields = {"who": rater, "metric": metric, "shown": "".join(lines), "answer": item.answer}
        prompt = forms.about(item.example, user(form("predict", PREDICT, question=item.example.question, **fields)))
        try:
            (reply,) = yield from sample(prompt, sampling=sampling, role=role)
        except Abstain:
            return None
        reading = read_score(reply.text, 1, 3)
        return None if reading is None else round(float(reading.value))

    flows = [
        predict(metric, rater, item, [other for other in items if cluster(other.example) != cluster(item.example)])
        for (metric, rater), items in tables.items()
        for item in items
    ]
    said = iter((yield from gather(flows)))
    predictions = {key: [next(said) for _ in items] for key, items in tables.items()}
    if all(value is None for values in predictions.values() for value in values):
        raise Abstain("no prediction was readable")
    return predicted(tables, predictions)


def predicted(
    tables: Mapping[tuple[str, str], Sequence[Rated]], predictions: Mapping[tuple[str, str], Sequence[int | None]]
) -> list[Finding]:
    """The audit of predictions.

    For each metric, for the average rater and for all single raters together: `accuracy/METRIC/average` and
    `accuracy/METRIC/raters`, and in `gain/...` the difference from always saying a rater's commonest class, paired by
    item. Unreadable predictions are left out and counted.
    """
    found = []
    for metric in dict.fromkeys(metric for metric, _ in tables):
        for name in ("average", "raters"):
            keys = [key for key in tables if key[0] == metric and (key[1] == MEAN) == (name == "average")]
            right, common, groups, unread = [], [], [], 0
            for key in keys:
                ((usual, _),) = Counter(item.rating for item in tables[key]).most_common(1)
                for item, value in zip(tables[key], predictions[key], strict=True):
                    if value is None:
                        unread += 1
                        continue
                    right.append(float(value == item.rating))
                    common.append(float(usual == item.rating))
                    groups.append(cluster(item.example))
            told = "" if right else "not measured: no readable prediction"
            test = paired_permutation(right, common, groups=groups)
            clear = test.p is not None and test.p < 0.05 and (test.effect.value or 0) > 0
            verdict = (
                "beats the commonest rating" if clear else "does not beat the commonest rating as far as this shows"
            )
            where = f"{metric}/{name}"
            found.append(
                finding(f"accuracy/{where}", proportion(right, groups=groups), verdict=told, unreadable=unread)
            )
            found.append(finding(f"gain/{where}", test, verdict=told or verdict))
    return found
