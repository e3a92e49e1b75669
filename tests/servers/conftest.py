"""Real servers on the shipped checkpoint, each started once for all tests that ask it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from counterparts import (
    OTHERS,
    Served,
    distribution,
    free_port,
    of_llama_cpp,
    of_transformers,
    own,
    running,
    with_template,
)

from whetstone.core.types import Model, Reply, Request
from whetstone.models.grit import load_grit
from whetstone.models.transformers import TransformersModel


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`whetstone serve-model grit`."""
    with own(tmp_path_factory.mktemp("served"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def templated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped checkpoint with a chat template that joins the messages' texts."""
    return with_template(tmp_path_factory.mktemp("templated") / "checkpoint")


@pytest.fixture(scope="session")
def transformers_serve(templated: Path) -> Iterator[Served]:
    """`transformers serve`."""
    with of_transformers(templated, free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """llama.cpp's server."""
    if not OTHERS.exists():
        pytest.skip("llama.cpp is not installed; run: make servers")
    with of_llama_cpp(tmp_path_factory.mktemp("llama"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def grit() -> TransformersModel:
    """The shipped checkpoint in this process."""
    return load_grit()


@pytest.fixture(scope="session")
def plain(templated: Path) -> TransformersModel:
    """The same without grit's dialect."""
    return TransformersModel(templated, device="cpu")


def ask(model: Model, requests: Sequence[Request]) -> list[Reply | Exception]:
    """Replies in the order of the requests."""
    session = model.open()
    for ticket, request in enumerate(requests):
        session.put(ticket, request)
    replies: dict[int, Reply | Exception] = {}
    while len(replies) < len(requests):
        replies.update(session.poll())
    session.close()
    return [replies[ticket] for ticket in range(len(requests))]


def same(one: Reply | Exception, other: Reply | Exception, *, tolerance: float) -> bool:
    """Are two generations equal in text, finish and tokens, and their log-probabilities up to a tolerance?"""
    assert not isinstance(one, Exception), one
    assert not isinstance(other, Exception), other
    assert (one.text, one.finish, one.usage) == (other.text, other.finish, other.usage)
    assert (one.tokens is None) == (other.tokens is None)
    for a, b in zip(one.tokens or (), other.tokens or (), strict=True):
        assert a.text == b.text
        assert abs(a.logprob - b.logprob) <= tolerance
    return True


@pytest.fixture(scope="session")
def compare() -> SimpleNamespace:
    """The helpers above."""
    return SimpleNamespace(ask=ask, same=same, running=running, free_port=free_port, distribution=distribution)
