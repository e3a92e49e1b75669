"""Training documents: one generator a role, over the ledger world.

A document is a list of (text, loss weight) spans. Text the model will be given at inference (questions, candidate
solutions) carries no loss, so wrong candidates are never learned. Four kinds of document serve no role: they make
the circuits form early that everything else needs. `lookup` finds an entry by its label (without it the model gets
right answers from wrongly bound steps, since sums commute); `arithmetic` works out balances; `equality` says same or
different; `checking` derives the truth while it looks at something wrong. Without the last two a critique agrees with
whatever it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from whetstone.models.grit.dialect import LABELS, encode_text
from whetstone.worlds import ledger

Document = list[tuple[str, float]]
TAGS, TAG_WEIGHT = ":;YN", 3.0
LOOKUP_LEVELS = (1, 2, 2, 3, 3, 4, 5, 6, 7, 8)  # the circuit forms sooner on short questions
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
    spans = [(encode_text(text), weight) for text, weight in document]
    return [i for ids, _ in spans for i in ids], [weight for ids, weight in spans for _ in ids]


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
    question = ledger.generate(rng, rng.choice(LOOKUP_LEVELS))
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
    """Given steps, then each beside another: given tokens are copied, a tag says same or different."""
    given = [random_step(rng, label) for label in rng.sample(LABELS, rng.randint(3, 7))]
    document: Document = [("@" + "".join(given) + "C", 0.0)]
    for step in given:
        other = different(rng, step) if rng.random() < 0.5 else step
        for one, two in ((step[1:3], other[1:3]), (step[4], other[4]), (step[5], other[5])):
            document += [(one, 0.3), (two, 0.0)]
        document[-6:-6] = [(step[0], 0.3)]
        document[-4:-4] = [("=", 0.0)]
        document.append((":" if step == other else ";", 1.0))
    return document


def checking(rng: Random, mixture: Mixture) -> Document:
    """A critique of a solution full of errors that does not stop at the first: every step and every label tells."""
    question = new_question(rng, mixture.role_levels)
    entries = ledger.entries(question)
    order = rng.sample(entries, len(entries)) if rng.random() < 0.6 else entries
    used = [entry for entry in order if rng.random() < 0.75] or order[:1]
    true = ledger.work(question[:2], used)
    given = [different(rng, step) if rng.random() < 0.5 else step for step in true]
    steps = list(map(ledger.compared, given, true))
    for i, step in enumerate(given):
        if rng.random() < 0.08:
            label = ledger.foreign_label(rng, entries)
            given[i], steps[i] = label + step[1:], label + ";"
    labels = "".join(entry[0] + (":" if entry in used else ";") for entry in entries)
    return [(f"Q{question}?{''.join(given)}@", 0.0), *tagged(f"{''.join(steps)}#{labels}"), ("$", 0.2)]


def different(rng: Random, step: str) -> str:
    """Another step of the same label: half of the time a foreign one, which is easy to see, else a slight change."""
    return random_step(rng, step[0]) if rng.random() < 0.5 else corrupt(rng, step)


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
    return [(part, TAG_WEIGHT if part in TAGS else 1.0) for part in re.split(f"([{TAGS}])", text) if part]


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
    """One letter at once, always between a right and a wrong candidate."""
    levels = {level: weight for level, weight in mixture.role_levels.items() if level <= 6}
    question, verdict = new_question(rng, levels), rng.choice("AB")
    first, second = (candidate(rng, question, wrong) for wrong in ((0.0, 1.0) if verdict == "A" else (1.0, 0.0)))
    return [(f"Q{question}?{first}|{second}P", 0.0), (verdict, 2.0), ("$", 0.1)]


def contest(rng: Random, mixture: Mixture) -> tuple[str, str, str]:
    """A question of at most six entries (two solutions and two critiques are long) and two candidates."""
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
    "checking": checking,
    "arithmetic": arithmetic,
    "equality": equality,
    "critique": critique,
    "refine": refine,
    "compare_critiqued": compare_critiqued,
    "compare": compare,
    "p_true": p_true,
}
