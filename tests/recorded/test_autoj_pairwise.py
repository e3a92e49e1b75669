"""Auto-J's pairs with human labels (Li et al., 2023): format, and how far length alone goes."""

from __future__ import annotations

from collections import Counter

import numpy as np

from whetstone.audits.recorded import Verdicts, audit_verdicts

FIRST = {0: 1.0, 1: 0.0, 2: 0.5}


def test_labels_and_a_judge_that_likes_length(recorded, rows) -> None:
    pairs = rows(recorded("autoj_pairwise") / "autoj_pairwise.jsonl.gz")
    assert Counter(pair["label"] for pair in pairs) == {1: 499, 0: 520, 2: 373}
    assert set(pairs[0]) == {"scenario", "label", "prompt", "response 1", "response 2"}
    lengths = np.array([[len(pair["response 1"]), len(pair["response 2"])] for pair in pairs], float)
    gold = np.array([FIRST[pair["label"]] for pair in pairs])
    chosen = (np.sign(lengths[:, 0] - lengths[:, 1]) + 1) / 2
    found = {f.name: f for f in audit_verdicts(Verdicts(chosen, gold=gold, lengths=lengths))}
    assert found["longer_answer"].estimate == 1, "of two answers that people call equally good"
    assert found["longer_answer"].verdict == "prefers longer answers"
    assert found["length_errors"].estimate == 1
    decided = {f.name: f for f in audit_verdicts(Verdicts(chosen[gold != 0.5], gold=gold[gold != 0.5]))}
    assert 0.65 < decided["accuracy"].interval[0] < decided["accuracy"].interval[1] < 0.75, "people like length, too"
