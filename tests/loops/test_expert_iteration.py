"""Expert iteration really improves a real model, without gold labels, and says so in its rounds."""

from __future__ import annotations

from whetstone.loops.expert_iteration import expert_iteration

SETTINGS = {"rounds": 2, "questions": 100, "k": 8, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 32}


def test_majority_improves_without_looking_at_gold(tiny, largest, drive_on, accuracy):
    before = accuracy(tiny, temperature=1.0)
    rounds = list(expert_iteration(tiny, largest(blind=True), drive_on(tiny), **SETTINGS))
    assert len(rounds) == 2
    assert accuracy(tiny, temperature=1.0) > before + 0.15
    assert rounds[0].snapshot != rounds[1].snapshot
    assert rounds[-1].metrics["agreement"].estimate > rounds[0].metrics["before/agreement"].estimate
    assert all(r.tokens > 0 and r.seconds > 0 and 0 < r.kept < r.seen for r in rounds)
