"""What a file does not say itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

Reply = Literal["comparison", "degree", "score", "correctness"]


class Given(TypedDict, total=False):
    """The attributes of `Options` as keyword arguments."""

    judge: str
    system: str
    baseline: str
    requests: Path | None
    reply: Reply
    scale: tuple[int, int]
    known_names: bool
    texts: bool


@dataclass(frozen=True, slots=True)
class Options:
    """Names and settings for what a file leaves out; a name in the file wins.

    Attributes:
        judge: who judged.
        system: whose answers were scored, or compared with the baseline's.
        baseline: what they were compared with.
        requests: the request file of a batch, for its prompts.
        reply: how a batch's replies are read: a comparison (A, B, tie), a comparison by degrees (A>>B), a score, or
            yes and no.
        scale: least and greatest score of a batch's replies.
        known_names: keep votes whose voter knew the names.
        texts: keep questions, answers and replies; otherwise the replies that could not be read alone.
    """

    judge: str = ""
    system: str = ""
    baseline: str = ""
    requests: Path | None = None
    reply: Reply = "comparison"
    scale: tuple[int, int] = (1, 10)
    known_names: bool = False
    texts: bool = False

    @property
    def names(self) -> Mapping[str, str]:
        """The names that were given."""
        given = {"judge": self.judge, "system": self.system, "baseline": self.baseline}
        return {role: name for role, name in given.items() if name}
