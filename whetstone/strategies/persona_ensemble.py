"""Answer once in a role and once plainly, and let a judge choose."""

from __future__ import annotations

from dataclasses import replace

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Message, Outcome, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import ask_once, in_both_orders
from whetstone.signals.values import known, unknown

PERSONA = """Question: {question}

Who would answer this question best? Do not answer it. Describe that person in one sentence that begins with \
"You are"."""


@method(
    "strategy",
    papers=(
        "Persona is a Double-edged Sword: Enhancing the Zero-shot Reasoning by Ensembling the Role-playing and Neutral "
        "Prompts",
    ),
    checked="tests/strategies/test_persona_ensemble.py::test_takes_the_better_answer_behind_an_order_bias",
)
def persona_ensemble(
    task: Task, example: Example, *, attempts: int = 5, temperature: float = 0.7, greedy: bool = True
) -> Flow[Outcome]:
    """Answer in a generated role and without one; a judge asked in both orders until it is consistent chooses.

    Args:
        attempts: comparisons in both orders at most.
        temperature: of the judge's verdicts after the first attempt, which is greedy.
        greedy: answer at temperature 0, else at the task's.

    The trail is the role's answer (source "persona") and the plain one ("neutral"). Equal answers need no judge. When
    no attempt is consistent the plain answer stands. The confidence, of kind "score", is 1 divided by the attempts that
    a consistent choice took, and 0 when none was consistent.
    """
    settings = replace(task.sampling, temperature=0.0 if greedy else task.sampling.temperature, logprobs=2)
    who = forms.about(example, user(form("persona", PERSONA, question=example.question)))
    (persona,) = yield from sample(who, sampling=Sampling(0.0, max_tokens=128))
    in_role = (Message("system", (persona.text.strip(),)), *example.prompt)
    (acted,) = yield from sample(in_role, sampling=settings)
    (plain,) = yield from sample(example.prompt, sampling=settings)
    trail = (Candidate("0", acted, "persona"), Candidate("1", plain, "neutral"))
    answers = {candidate.id: task.read(example, candidate.text) for candidate in trail}
    readable = [candidate for candidate in trail if answers[candidate.id] is not None]
    if not readable:
        return Outcome(None, unknown("persona_ensemble", "no answer is readable", n=2), trail)
    chosen, tried, decided = readable[-1], 0, len(set(answers.values())) == 1 or len(readable) == 1

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        limits = Sampling(temperature if tried > 1 else 0.0, max_tokens=3 * task.sampling.max_tokens)
        prompt = forms.about(example, forms.compare(example.question, a.text, b.text))
        return (yield from ask_once(prompt, a, b, limits))

    while not decided and tried < attempts:
        tried += 1
        verdict = yield from in_both_orders(*trail, ask)
        if verdict.choice not in (None, TIE):
            chosen, decided = trail[int(verdict.choice or 0)], True
    confidence = known("persona_ensemble", float(decided) / max(tried, 1), source=chosen.source, attempts=tried)
    return Outcome(answers[chosen.id], confidence, trail, chosen.text)
