"""Does majority voting help here, and up to which difficulty?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Model, Task
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation
from whetstone.stats.passk import majority_at_k
from whetstone.studies._graded import Graded, graded, groups_of, questions_of, vote_right


@method(
    "study",
    checked="tests/studies/test_majority_voting_helps.py::test_finds_where_a_vote_helps_and_where_it_hurts",
)
def majority_voting_helps(
    model: Model,
    task: Task,
    runner: Runner,
    *,
    questions: int = 96,
    k: int = 8,
    temperature: float | None = None,
    split: str = "dev",
    seed: int = 0,
) -> list[Finding]:
    """Accuracy of the most voted of k answers against one sample and against the greedy answer.

    Args:
        questions, split, seed: which questions.
        k, temperature: samples a question, and at what temperature (None: the task's).

    Returns:
        The gain over one sample, overall and at each level (`/LEVEL`), and the gain over the greedy answer, paired by
        question; the first carries accuracy by number of votes in its detail. Ties go to the answer seen first, and
        unreadable answers do not vote.
    """
    examples = questions_of(task, split, questions, seed)
    sampled = graded(task, runner, "majority_voting_helps/samples", examples, k=k, temperature=temperature)
    greedy = graded(task, runner, "majority_voting_helps/greedy", examples, k=1, temperature=0.0)
    by_id = {one.example.id: one for one in greedy}
    both = [(row, by_id[row.example.id]) for row in sampled if row.example.id in by_id]
    overall = vote_gain("majority over one sample", sampled, by_votes=True, seed=seed)
    levels = dict.fromkeys(row.example.level for row in sampled)
    parts = [
        vote_gain(
            f"majority over one sample/{level}", [row for row in sampled if row.example.level == level], seed=seed
        )
        for level in levels
        if len(levels) > 1
    ]
    against = paired_permutation(
        [vote_right(row) for row, _ in both], [one.accuracy for _, one in both], groups=groups_of([r for r, _ in both])
    )
    greedy_gain = finding(
        "majority over greedy", against, verdict=sentence(against.effect.interval, "the greedy answer")
    )
    return [overall, *parts, greedy_gain]


def vote_gain(name: str, rows: Sequence[Graded], *, by_votes: bool = False, seed: int = 0) -> Finding:
    """Accuracy of the vote minus accuracy of one sample, paired by question."""
    test = paired_permutation(
        [vote_right(row) for row in rows], [row.accuracy for row in rows], groups=groups_of(rows), seed=seed
    )
    k = min((len(row.correct) for row in rows), default=0)
    curve = {}
    if by_votes and k:
        answers, correct = [row.answers for row in rows], [row.correct for row in rows]
        sizes = sorted({1, *(m for m in (3, 5) if m < k), k})
        curve = {str(m): majority_at_k(answers, correct, m, seed=seed).value for m in sizes}
    verdict = sentence(test.effect.interval, "one sample")
    return finding(name, test, verdict=verdict, **({"accuracy_by_votes": curve} if curve else {}))


def sentence(interval: tuple[float, float] | None, baseline: str) -> str:
    """What the interval of the gain says."""
    if interval is None:
        return f"voting and {baseline} do not differ"
    if interval[0] > 0:
        return f"voting beats {baseline}"
    return f"voting is worse than {baseline}" if interval[1] < 0 else f"no clear difference from {baseline}"
