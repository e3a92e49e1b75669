"""What a server asks beyond what methods ask: texts read as they are, and how likely a prompt's own tokens are."""

from __future__ import annotations

from dataclasses import dataclass

from whetstone.core.types import Embed, Form, Generation, Prompt, Reply, Sample, form, user

RAW = "raw text"


@dataclass(frozen=True, slots=True)
class Reading:
    """Ask for the log-probabilities of a prompt's own tokens, all but the first."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Read:
    """The reply to a `Reading`: token ids, the first token's text, and the tokens after it."""

    ids: tuple[int, ...]
    first: str
    rest: Generation


Wanted = Sample | Embed | Reading
Given = Reply | Read | Exception


def raw(text: str) -> Prompt:
    """A text to be continued as it is, without chat template or dialect."""
    return user(form(RAW, "{text}", text=text))


def raw_text(prompt: Prompt) -> str | None:
    """The text of a prompt made by `raw`, None for any other."""
    part = prompt[0].parts[0] if len(prompt) == len(prompt[0].parts) == 1 else None
    return part.text if isinstance(part, Form) and part.name == RAW else None
