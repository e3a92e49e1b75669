"""Questions about what a world model generated: which action led from one frame to the next, and who acts.

An example is one rollout: `meta["frames"]`, texts in their order (images of the prompt are shown with them), and for
each kind of question the true answer and what it may be: `meta["action"]`, `meta["actions"]`, `meta["character"]`,
`meta["characters"]`. Each question is asked in three formats: binary, multiple choice and open. A reply
quotes the last two frames, names the answer, and gives it in its format.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from whetstone.core.errors import TaskError
from whetstone.core.types import Example, form, user
from whetstone.loops._judging import Reader
from whetstone.loops._lessons import Lesson, made, read_label, read_open
from whetstone.signals import forms
from whetstone.signals.parsing import read_correctness

KINDS = {"action": "actions", "character": "characters"}
FORMATS = ("binary", "choice", "open")
LETTERS = "ABCDEF"

ASKED = {
    "action": "Which action was taken between the last two frames?",
    "character": "Which character acts?",
}
TEMPLATES = {
    "binary": "{frames}\n\n{asked} Is it {claim}? End with Y or N.",
    "choice": "{frames}\n\n{asked} {choices}. End with one letter.",
    "open": "{frames}\n\n{asked} End with Answer: and its name.",
}


def lessons_of(example: Example, *, seed: int = 0, last: int = 0) -> list[Lesson]:
    """A rollout as lessons, one a kind of question and format; the data set of a lesson is `KIND/FORMAT`.

    Args:
        seed: of claims and of the order of choices; half of the claims of binary questions are true.
        last: how many of the last frames are shown; 0 shows all.

    Raises TaskError that names the example, when it has no frames, or an answer that is not among its choices.
    """
    frames = example.meta.get("frames")
    if not isinstance(frames, Sequence) or isinstance(frames, str) or not frames:
        raise TaskError(f"{example.id}: a rollout needs the column `frames`, a list of texts")
    shown = "\n".join(
        f"Frame {i}: {frame}" for i, frame in enumerate(frames, 1) if i > len(frames) - (last or len(frames))
    )
    found = []
    for kind, plural in KINDS.items():
        truth, given = example.meta.get(kind), example.meta.get(plural)
        if truth is None:
            continue
        names = [str(name) for name in given] if isinstance(given, Sequence) and not isinstance(given, str) else []
        if str(truth) not in names or len(names) < 2:
            raise TaskError(f"{example.id}: {kind} {truth!r} is not among `{plural}`, which needs two names or more")
        rng = Random(f"{seed}/{example.id}/{kind}")
        seen = ", then ".join(map(str, frames[-2:]))
        found += [_lesson(example, shown, seen, kind, style, str(truth), names, rng) for style in FORMATS]
    return found


def _lesson(
    example: Example, frames: str, seen: str, kind: str, style: str, truth: str, names: Sequence[str], rng: Random
) -> Lesson:
    others = [name for name in names if name != truth]
    fields = {"frames": frames, "asked": ASKED[kind]}
    evidence = f"{seen}. The {kind} is {truth}."
    read: Reader = read_open
    verdict, values, reply = truth.lower(), tuple(name.lower() for name in names), f"{evidence} Answer: {truth}"
    if style == "binary":
        claim = truth if rng.random() < 0.5 else rng.choice(others)
        verdict, values, read = "NY"[claim == truth], ("N", "Y"), read_correctness
        fields["claim"] = claim
        reply = f"{evidence} Asked is {claim}. Verdict: {verdict}"
    elif style == "choice":
        shown = rng.sample(others, min(len(others), len(LETTERS) - 1, 3))
        shown.insert(rng.randrange(len(shown) + 1), truth)
        verdict, values = LETTERS[shown.index(truth)], tuple(LETTERS[: len(shown)])
        read = partial(read_label, labels=values)
        fields["choices"] = ", ".join(f"{name} = {letter}" for letter, name in zip(LETTERS, shown, strict=False))
        reply = f"{evidence} Verdict: {verdict}"
    prompt = forms.about(example, user(form("rollout", TEMPLATES[style], **fields)))
    name = f"{kind}/{style}"
    return Lesson(made(example, prompt, verdict, values, read, kind=name, name=name), reply, name)
