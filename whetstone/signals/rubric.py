"""A judge that grades one answer by a rubric with score anchors, against a reference answer where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.pointwise import expected_score
from whetstone.signals.values import each_text, mean_signal, or_unknown

GRADE = """Question: {question}

Answer: {answer}
{reference}
Criterion: {criteria}
{anchors}
Grade the answer by this criterion alone. {order}"""

SCORE_LINE = 'with one line, "Score: " and a whole number from 1 to 5.'
ORDERS = {
    "explanation_first": f"First write feedback that names what the grade rests on. Then end {SCORE_LINE}",
    "score_first": f"Begin {SCORE_LINE} Then write feedback that names what the grade rests on.",
}
CRITERIA = "Is the answer right, complete and clear?"
ANCHORS = (
    "It does not answer the question.|It answers a part, with grave errors.|It is mostly right, with gaps.|"
    "It is right, with small faults.|It is right, complete and clear."
)


@method("signal", checked="tests/signals/test_rubric.py::test_grades_by_the_anchors_and_the_reference")
def rubric(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    criteria: str = CRITERIA,
    anchors: str = ANCHORS,
    reference: Literal["given", "written", "none"] = "given",
    style: Literal["explanation_first", "score_first"] = "explanation_first",
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 512,
) -> Flow[list[Signal]]:
    """Grade from 1 to 5 by a rubric: a criterion and what each grade means.

    Args:
        criteria: what is graded; the example's `meta["rubric"]` ({"criteria": ..., "anchors": [...]}) goes before it.
        anchors: what the grades 1 to 5 mean, separated by `|`.
        reference: an answer worth a 5 to compare with: the example's `meta["model_answer"]` if it has one, one that the
            judge writes first, or none.
        style: feedback before or after the grade.
        samples: grades of each answer; the value is their mean.
        temperature: of the grades; above 0 for several samples.
        max_tokens: length limit of the reply.

    Kind "score", n = readable grades, weighted by token probability where the judge shows it; provenance keeps the
    feedback. Source of the parts: "Prometheus: Inducing Fine-grained Evaluation Capability in Language Models".
    """
    criteria, levels = rubric_of(example, criteria, anchors)
    against = example.meta.get("model_answer") if reference == "given" else None
    if reference == "written":
        greedy = replace(task.sampling, temperature=0.0)
        (own,) = yield from sample(example.prompt, sampling=greedy, role="judge")
        against = own.text
    fields = {
        "reference": f"\nReference answer (grade 5): {against}\n" if against is not None else "",
        "criteria": criteria,
        "anchors": "".join(f"Score {i}: {level}\n" for i, level in enumerate(levels, 1)),
        "order": ORDERS[style],
    }
    sampling = Sampling(temperature, max_tokens=max_tokens, logprobs=20)

    def ask(text: str) -> Flow[Signal]:
        prompt = forms.about(example, user(form("grade", GRADE, question=example.question, answer=text, **fields)))
        replies = yield from sample(prompt, n=samples, sampling=sampling, role="judge")
        grades = [grade for reply in replies if (grade := expected_score(reply, 1, 5)) is not None]
        return mean_signal("rubric", grades, "score", samples, style=style, feedback=[reply.text for reply in replies])

    return (yield from each_text(candidates, lambda text: or_unknown("rubric", ask(text))))


def rubric_of(example: Example, criteria: str, anchors: str) -> tuple[str, list[str]]:
    """The example's own rubric, or the one given; anchors may be left out."""
    own = example.meta.get("rubric")
    if not isinstance(own, Mapping):
        return criteria, [level.strip() for level in anchors.split("|") if level.strip()]
    levels = own.get("anchors", ())
    texts = [str(level) for level in levels] if isinstance(levels, Sequence) and not isinstance(levels, str) else []
    return str(own.get("criteria", criteria)), texts
