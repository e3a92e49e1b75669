"""Texts by several authors, told apart by a style token in front of the question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from whetstone.core.errors import TaskError
from whetstone.core.types import Example, Message, Prompt, user
from whetstone.stats.text_metrics import METRICS


def author_of(example: Example) -> str:
    """Who wrote the target. Raises TaskError where the row does not say."""
    author = example.meta.get("author")
    if author is None or example.target is None:
        raise TaskError(f"{example.id}: needs the columns `author` and `target`, who wrote what")
    return str(author)


def authored(examples: Iterable[Example]) -> list[Example]:
    """The examples. Raises TaskError at the first one whose author is not known, also where they never end."""
    found = []
    for example in examples:
        author_of(example)
        found.append(example)
    return found


def in_style(prompt: Prompt, token: str) -> Prompt:
    """The prompt with a style token before its last message; "" leaves it as it is."""
    *before, last = prompt
    return (*before, Message(last.role, (f"{token}\n", *last.parts))) if token else prompt


def plain(example: Example) -> Prompt:
    """The question in words, with what else belongs to it."""
    return user(example.prompt[-1].text)


def closeness(texts: Sequence[str], targets: Sequence[str], metric: str) -> list[float]:
    """A metric of each text against its target. Raises TaskError for an unknown metric."""
    if metric not in METRICS:
        raise TaskError(f"no metric is called {metric!r}; there are {', '.join(METRICS)}")
    return [METRICS[metric](text, target) for text, target in zip(texts, targets, strict=True)]


def stranger(author: str, authors: Sequence[str]) -> str:
    """Another author: the next one in the list."""
    return authors[(authors.index(author) + 1) % len(authors)]


def tokens_of(authors: Sequence[str], template: str) -> Mapping[str, str]:
    """The style token of each author."""
    return {author: template.replace("{author}", author) for author in authors}
