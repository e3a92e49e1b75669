"""A program to kill: flows that ask an HTTP server through the store. `python asking.py FOLDER URL RESULT`.

The result is written whole at the end.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Sampling, user
from whetstone.models.load import load_model
from whetstone.store import open_store

FLOWS = 150
WARM = Sampling(temperature=0.8, max_tokens=8, logprobs=1)


def walk(i: int) -> Flow[list[str]]:
    """Each turn depends on the replies before; some ask for more samples, some are answered twice alike."""
    texts = [f"start {i}"]
    while len(texts) < 5 and sha256(texts[-1].encode()).digest()[0] < 170:
        replies = yield from sample(user(texts[-1]), n=2, sampling=WARM)
        texts.append(max(reply.text for reply in replies))
    (greedy,) = yield from sample(user(f"same {i % 7}"), sampling=Sampling(temperature=0.0, max_tokens=8))
    return [*texts, greedy.text]


if __name__ == "__main__":
    folder, url, result = sys.argv[1:]
    with open_store(Path(folder)) as store:
        model = store.cached(load_model(f"openai/m@{url}?identity=here"), store.begin("asking", {}, 11))
        done = drive(((f"walk/{i}", walk(i)) for i in range(FLOWS)), {"policy": model}, seed=11, window=64)
        assert not done.failures, next(iter(done.failures.values())).traceback
    half = Path(f"{result}.half")
    half.write_text(json.dumps({"results": done.results, "tokens": done.ledger.total, "spent": done.spent}))
    os.replace(half, result)
