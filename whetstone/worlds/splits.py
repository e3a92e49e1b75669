"""Which split a question belongs to: decided by its hash, so that no two splits ever share a question."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


def split_of(question: str) -> Split:
    """Eight tenths of all questions are "train", one tenth "dev", one tenth "test"."""
    tenth = sha256(question.encode("utf-8", "surrogatepass")).digest()[0] * 10 >> 8
    return "train" if tenth < 8 else "dev" if tenth == 8 else "test"
