"""A session of this machine's model that reads texts as well; `tests/servers` asks it over HTTP."""

from __future__ import annotations

from whetstone.core.types import Generation, Sample, Sampling
from whetstone.models.serve.local import LocalModel
from whetstone.models.serve.requests import Read, Reading, raw


def test_a_closed_session_forgets_what_it_was_to_read(model):
    session = LocalModel(model).open()
    session.put(0, Reading(raw("ab")))
    session.close()
    session.put(0, Sample(raw("ab"), Sampling(max_tokens=2)))
    ((_, sampled),) = session.poll()
    assert isinstance(sampled, Generation)
    session.put(0, Reading(raw("ab")))
    ((_, read),) = session.poll()
    assert isinstance(read, Read)
    assert (read.first, [token.text for token in read.rest.tokens]) == ("a", ["b"])
