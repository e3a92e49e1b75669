"""Training documents: one generator a role, over the ledger world.

A document is a list of (text, loss weight) spans. Text the model will be given at inference (questions, candidate
solutions) carries no loss, so wrong candidates are never learned. Three kinds of document serve no role: they make
the circuits form early that everything else needs. `lookup` finds an entry by its label (without it the model gets
right answers from wrongly bound steps, since sums commute); `equality` says same or different (without it a critique
re-derives the right digits and never flags the wrong ones); `arithmetic` works out balances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from whetstone.models.grit.dialect import LABELS, encode_text
from whetstone.worlds import ledger

Document = list[tuple[str, float]]
TAG_WEIGHT = 3.0
STYLES: Mapping[ledger.Style, float] = {"forward": 0.40, "backward": 0.15, "shuffled": 0.38, "hasty": 0.07}
CANDIDATE_STYLES: Mapping[ledger.Style, float] = {"forward": 0.35, "backward": 0.15, "shuffled": 0.38, "hasty": 0.12}


@dataclass(frozen=True)
class Mixture:
    """What a phase of training is made of.

    `roles` maps role -> share of documents (the rest is `solve`); the levels map level -> weight, for solving and
    for the other roles; `wrong` is the share of wrong candidates, `slips` the chance of a slip per solved step.
    """

    roles: Mapping[str, float]
    solve_levels: Mapping[int, float]
    role_levels: Mapping[int, float]
    wrong: float = 0.6
    slips: float = 0.01


def draw(rng: Random, mixture: Mixture) -> Document:
    """One document of the mixture."""
    x = rng.random()
    for role, share in mixture.roles.items():
        if x < share:
            return WRITERS[role](rng, mixture)
        x -= share
    return solve(rng, mixture)


def tokens(document: Document) -> tuple[list[int], list[float]]:
    """Token ids and loss weights of a document."""
    ids = [i for text, _ in document for i in encode_text(text)]
    return ids, [weight for text, weight in document for _ in text]


def new_question(rng: Random, levels: Mapping[int, float]) -> str:
    return ledger.generate(rng, rng.choices(list(levels), list(levels.values()))[0])


def candidate(rng: Random, question: str, wrong: float) -> str:
    """A solution to be judged: right, or with one planted first error, or a hasty two-digit answer."""
    style = rng.choices(list(CANDIDATE_STYLES), list(CANDIDATE_STYLES.values()))[0]
    bad = rng.random() < wrong
    if style == "hasty" and bad and rng.random() < 0.4:
        return f"{rng.randrange(100):02d}"
    return ledger.plant_error(rng, question, style) if bad else ledger.solve(rng, question, style=style)


def solve(rng: Random, mixture: Mixture) -> Document:
    question = new_question(rng, mixture.solve_levels)
    style = rng.choices(list(STYLES), list(STYLES.values()))[0]
    return [(f"Q{question}?", 0.05), (ledger.solve(rng, question, style=style, slip_rate=mixture.slips) + "$", 1.0)]


def lookup(rng: Random, mixture: Mixture) -> Document:
    question = ledger.generate(rng, rng.randint(2, 8))
    entries = ledger.entries(question)
    document: Document = [(f"Q{question}?L", 0.0)]
    for _ in range(rng.randint(len(entries), 2 * len(entries) + 2)):
        entry = rng.choice(entries)
        document += [(entry[0], 0.0), (entry[1:], 1.0)]
    return document


def arithmetic(rng: Random, mixture: Mixture) -> Document:
    """Steps whose entries are given: only the balances are learned."""
    balance = rng.randrange(100)
    document: Document = [(f"Q{balance:02d}?", 0.0)]
    for _ in range(rng.randint(3, 9)):
        sign, digit = rng.choice("+-"), rng.randrange(10)
        balance = (balance + (digit if sign == "+" else -digit)) % 100
        document += [(f"{rng.choice(LABELS)}{sign}{digit}=", 0.0), (f"{balance:02d}", 1.0)]
    return document


def equality(rng: Random, mixture: Mixture) -> Document:
    given = [random_step(rng, label) for label in rng.sample(LABELS, rng.randint(3, 7))]
    derived = [corrupt(rng, step) if rng.random() < 0.5 else step for step in given]
    document: Document = [("@", 0.0), ("".join(given) + "C", 0.0)]
    for one, other in zip(given, derived, strict=True):
        document += [(other[0], 0.3), (other[1:], 0.0), (":" if one == other else ";", 1.0)]
    return document


def random_step(rng: Random, label: str) -> str:
    return f"{label}{rng.choice('+-')}{rng.randrange(10)}={rng.randrange(100):02d}"


def corrupt(rng: Random, step: str) -> str:
    """The step with one character changed, mostly of the result."""
    place = rng.choices([1, 2, 4, 5], [0.2, 0.2, 0.15, 0.45])[0]
    if place == 1:
        return step[0] + ("-" if step[1] == "+" else "+") + step[2:]
    return step[:place] + rng.choice([d for d in "0123456789" if d != step[place]]) + step[place + 1 :]


def tagged(text: str) -> Document:
    """A critique with its tags and verdict weighted up: they are few and carry the judgement."""
    return [(character, TAG_WEIGHT if character in ":;YN" else 1.0) for character in text]


def critique(rng: Random, mixture: Mixture) -> Document:
    question = new_question(rng, mixture.role_levels)
    answer = candidate(rng, question, mixture.wrong)
    return [(f"Q{question}?{answer}C", 0.0), *tagged(ledger.critique(question, answer).text), ("$", 0.2)]


def refine(rng: Random, mixture: Mixture) -> Document:
    question = new_question(rng, mixture.role_levels)
    answer = candidate(rng, question, mixture.wrong)
    review = ledger.critique(question, answer)
    middle = tagged(review.text) if rng.random() < 0.5 else [(review.text, 0.0)]
    return [(f"Q{question}?{answer}C", 0.0), *middle, ("R", 0.0), (ledger.refine(question, review) + "$", 1.0)]


def compare_critiqued(rng: Random, mixture: Mixture) -> Document:
    question, first, second = contest(rng, mixture)
    one, two = ledger.critique(question, first), ledger.critique(question, second)
    return [
        (f"Q{question}?{first}C", 0.0),
        *tagged(one.text),
        (f"|{second}C", 0.0),
        *tagged(two.text),
        ("P", 0.0),
        (better(one.right, two.right), 2.0),
        ("$", 0.1),
    ]


def compare(rng: Random, mixture: Mixture) -> Document:
    question, first, second = contest(rng, mixture)
    verdict = better(ledger.critique(question, first).right, ledger.critique(question, second).right)
    return [(f"Q{question}?{first}|{second}P", 0.0), (verdict, 2.0), ("$", 0.1)]


def contest(rng: Random, mixture: Mixture) -> tuple[str, str, str]:
    """A question of at most six entries (two solutions and two critiques must fit) and two candidates."""
    question = new_question(rng, {level: w for level, w in mixture.role_levels.items() if level <= 6})
    return question, candidate(rng, question, mixture.wrong), candidate(rng, question, 0.5)


def better(first: bool, second: bool) -> str:
    return "E" if first == second else "A" if first else "B"


def p_true(rng: Random, mixture: Mixture) -> Document:
    question = new_question(rng, mixture.role_levels)
    answer = candidate(rng, question, mixture.wrong)
    verdict = "Y" if ledger.critique(question, answer).right else "N"
    return [(f"Q{question}?{answer}T", 0.0), (verdict, TAG_WEIGHT), ("$", 0.1)]


def p_ik(question: str, solved: bool) -> Document:
    """Does the model know? The label is the outcome of one of its own samples."""
    return [(f"Q{question}?I", 0.0), ("Y" if solved else "N", 1.0), ("$", 0.1)]


WRITERS: Mapping[str, Callable[[Random, Mixture], Document]] = {
    "lookup": lookup,
    "arithmetic": arithmetic,
    "equality": equality,
    "critique": critique,
    "refine": refine,
    "compare_critiqued": compare_critiqued,
    "compare": compare,
    "p_true": p_true,
}
