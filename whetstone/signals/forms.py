"""The questions that methods put to a model: one user message with one form each.

An ordinary language model reads the English rendering; a backend with a dialect of its own reads name and fields.
Field values are full texts: `answer`, `first` and `second` are whole solutions.
"""

from __future__ import annotations

from whetstone.core.types import Example, Form, Media, Message, Prompt, form, user

P_TRUE = """Question: {question}

Proposed answer: {answer}

Is the proposed answer right? Reply with one letter, Y for right or N for wrong."""

P_IK = """Question: {question}

Do you know how to answer this question correctly? Do not answer it. Reply with one letter, Y for yes or N for no."""

CRITIQUE = """Question: {question}

Proposed solution: {answer}

Check the solution step by step: work each step out anew and say whether the solution's step agrees. Stop at the first \
wrong step. End with one line, "Verdict: Y" if the whole solution is right or "Verdict: N" if it is wrong."""

REFINE = """Question: {question}

Earlier solution: {answer}

Review of it: {critique}

Write a new full solution to the question. Keep what the review found right and mend what it found wrong. Give the \
answer in the form that the question asks for."""

PAIR = """Question: {question}

[Solution A]
{first}
[End of solution A]

[Solution B]
{second}
[End of solution B]

"""
"""A question and two solutions, with which every question about both begins."""

ANSWERS = """Question: {question}

[Answer A]
{first}
[End of answer A]

[Answer B]
{second}
[End of answer B]

"""
"""The same of two answers, which need not solve anything."""

COMPARE = f"""{PAIR}\
Which solution is better? The order in which they are shown means nothing, nor does their length. End with one line, \
"Verdict: A", "Verdict: B", or "Verdict: E" if they are equally good."""

COMPARE_VERDICT_FIRST = f"""{PAIR}\
Which solution is better? The order in which they are shown means nothing, nor does their length. Begin with one line, \
"Verdict: A", "Verdict: B", or "Verdict: E" if they are equally good, then explain it without naming another verdict."""

COMPARE_CRITIQUED = """Question: {question}

[Solution A]
{first}
[End of solution A]
[Review of solution A]
{first_critique}
[End of review]

[Solution B]
{second}
[End of solution B]
[Review of solution B]
{second_critique}
[End of review]

Which solution is better? The order in which they are shown means nothing, nor does their length. End with one line, \
"Verdict: A", "Verdict: B", or "Verdict: E" if they are equally good."""

VERBALIZED = """Question: {question}

Proposed answer: {answer}

How likely is it that the proposed answer is right? Reply with one line, "Confidence: " and a whole number from 0 \
(surely wrong) to 100 (surely right)."""

TEN = "from 1 (useless) to 10 (perfect)"

SCORE = f"""Question: {{question}}

Answer: {{answer}}

Rate how good this answer is. Reply with one line, "Score: " and a whole number {TEN}."""

SCORE_FREE = f"""Question: {{question}}

Answer: {{answer}}

How good is this answer? Give it a score {TEN}."""

SCORE_EXPLAINED = f"""Question: {{question}}

Answer: {{answer}}

Rate how good this answer is. Begin with one line, "Score: " and a whole number {TEN}, then explain the rating."""

SCORE_ANALYZED = f"""Question: {{question}}

Answer: {{answer}}

Rate how good this answer is. First analyze the answer, then end with one line, "Score: " and a whole number {TEN}."""


def about(example: Example, prompt: Prompt) -> Prompt:
    """The prompt with the images and sounds of the question that it is about, so that a judge sees them too."""
    media = tuple(part for message in example.prompt for part in message.parts if isinstance(part, Media))
    return (*prompt[:-1], Message("user", (*prompt[-1].parts, *media))) if media else prompt


def p_true(question: str | Form, answer: str) -> Prompt:
    """Is this answer right? Answered by Y or N."""
    return user(form("p_true", P_TRUE, question=question, answer=answer))


def p_ik(question: str | Form) -> Prompt:
    """Do you know the answer? Answered by Y or N."""
    return user(form("p_ik", P_IK, question=question))


def critique(question: str | Form, answer: str) -> Prompt:
    """Check a solution step by step; the reply ends in Y (right) or N (wrong)."""
    return user(form("critique", CRITIQUE, question=question, answer=answer))


def refine(question: str | Form, answer: str, critique: str) -> Prompt:
    """Write a new full solution from an earlier one and its critique."""
    return user(form("refine", REFINE, question=question, answer=answer, critique=critique))


def compare(question: str | Form, first: str, second: str, template: str = COMPARE) -> Prompt:
    """Which solution is better? Answered by A (first), B (second) or E (equally good), where the template says."""
    return user(form("compare", template, question=question, first=first, second=second))


def compare_critiqued(
    question: str | Form, first: str, first_critique: str, second: str, second_critique: str
) -> Prompt:
    """As `compare`, with a critique of each solution at hand."""
    return user(
        form(
            "compare_critiqued",
            COMPARE_CRITIQUED,
            question=question,
            first=first,
            first_critique=first_critique,
            second=second,
            second_critique=second_critique,
        )
    )


def verbalized(question: str | Form, answer: str) -> Prompt:
    """How likely is this answer right? Answered by "Confidence: 0-100"."""
    return user(form("verbalized", VERBALIZED, question=question, answer=answer))


def score(question: str | Form, answer: str, template: str = SCORE, **more: str) -> Prompt:
    """How good is this answer? Answered by "Score: " and a number; the template says what else to write, and where.

    `more` are further fields that the template has.
    """
    return user(form("score", template, question=question, answer=answer, **more))
