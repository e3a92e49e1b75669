"""Generated pairs in eight languages as cases of an audit."""

from __future__ import annotations

import random

from whetstone.core.types import Candidate, Case, Example, Generation, form, user
from whetstone.worlds.multilingual import contrasts


def multilingual(n: int, *, seed: int = 0) -> list[Case]:
    """Generated cases in eight languages and six categories; which answer stands first alternates."""
    found = []
    for i, one in enumerate(contrasts(random.Random(seed), n)):
        meta = {"language": one.language, "category": one.category}
        example = Example(f"{one.language}-{i}", user(form("solve", "{question}", question=one.question)), meta=meta)
        answers = [(one.good, True), (one.bad, False)][:: 1 if i % 2 else -1]
        made = tuple(Candidate(str(j), Generation(text), "generated") for j, (text, _) in enumerate(answers))
        found.append(Case(example, made, tuple(right for _, right in answers)))
    return found
