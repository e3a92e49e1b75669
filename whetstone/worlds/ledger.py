"""The ledger world: a start balance and labelled entries, worked out modulo 100 one step at a time.

A question `63c-7e-3b+0` is a balance of two digits and `level` entries of three characters: label, sign, amount. A
solution is a string of steps of six characters, `c-7=56e-3=53b+0=53`, each an entry and the balance after it, in any
order; its answer is the last balance. A hasty solution is the two digits of the answer alone. Sums commute, so a
solution can reach the right answer by wrong steps: outcome and process are checked apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["forward", "backward", "shuffled", "hasty"]

LABELS = "abcdefghijklmnop"
LEVELS = range(1, len(LABELS) + 1)
WIDTH = len("c-7=56")

BALANCES = tuple(f"{value:02d}" for value in range(100))
VALUE = {text: value for value, text in enumerate(BALANCES)}
CHANGE = {f"{sign}{digit}": int(f"{sign}{digit}") for sign in "+-" for digit in range(10)}
CHANGES = tuple(CHANGE)

QUESTION = re.compile(r"[0-9]{2}(?:[a-p][+-][0-9])+")
STEP = re.compile(r"[a-p][+-][0-9]=[0-9][0-9]")
SPOKEN_STEP = re.compile(r"(?<![A-Za-z])([a-p])\s?([+-])\s?([0-9])\s?=\s?([0-9]{2})(?![0-9])")
SPOKEN_ANSWER = re.compile(r"answer is[^0-9\n-]{0,12}([0-9]{1,2})(?!\.?[0-9])", re.IGNORECASE)

ERROR_KINDS = ("calculation", "dropped", "amount", "sign", "repeat", "binding", "foreign")
ERROR_WEIGHTS = (0.40, 0.53, 0.62, 0.73, 0.80, 0.90, 1.0)  # cumulative


@dataclass(frozen=True, slots=True)
class Critique:
    """A step-by-step re-derivation of a solution.

    Attributes:
        text: every given step beside its true form, change by change and digit by digit (`c-7-7=5566` sets the
            true `c-7=56` beside the same, given), tagged `:` (same) or `;` (differs, then `N` and the end); when all
            agree, `#`, each label of the question tagged `:` (used) or `;` (missing), and `!Y`. A hasty answer is
            worked out in full, then `#` and the given answer beside the true one, tagged alike.
        right: whether the text ends in `Y`.
        first_wrong: as `first_error`.
        prefix: the steps as worked out anew; all of them are right.
        remaining: entries that the prefix does not use, in the question's order.
    """

    text: str
    right: bool
    first_wrong: str | None
    prefix: str
    remaining: tuple[str, ...]


def generate(rng: random.Random, level: int) -> str:
    """A question of `level` entries with distinct labels, uniform signs, amounts and start balance."""
    labels = rng.sample(LABELS, level)
    return BALANCES[rng.randrange(100)] + "".join(map(str.__add__, labels, rng.choices(CHANGES, k=level)))


def entries(question: str) -> list[str]:
    """The entries in order, e.g. `["c-7", "e-3", "b+0"]`."""
    return [question[i : i + 3] for i in range(2, len(question), 3)]


def answer_of(question: str) -> str:
    """The final balance as two digits."""
    return BALANCES[(VALUE[question[:2]] + sum(CHANGE[entry[1:]] for entry in entries(question))) % 100]


def read_answer(solution: str) -> str | None:
    """The last balance in the world's notation, or what an English solution says; None if unreadable."""
    if solution in VALUE:
        return solution
    if len(solution) >= WIDTH and solution[-3] == "=" and solution[-2:] in VALUE:
        return solution[-2:]
    spoken = SPOKEN_ANSWER.findall(solution)
    return spoken[-1].zfill(2) if spoken else None


def compact(text: str) -> str:
    """A solution written in lines and words (`c - 7 = 56`) in the world's notation, without the words.

    Text without any white space is taken to be in that notation already and is returned as it is.
    """
    text = text.strip()
    if not any(map(str.isspace, text)):
        return text
    return "".join(f"{label}{sign}{amount}={after}" for label, sign, amount, after in SPOKEN_STEP.findall(text))


def solve(rng: random.Random, question: str, *, style: Style, slip_rate: float = 0.0) -> str:
    """A solution. Each step slips with probability `slip_rate`; consequences are carried on."""
    if style == "hasty":
        slipped = slip_rate and rng.random() < slip_rate
        return _wrong_balance(rng, VALUE[answer_of(question)], 1) if slipped else answer_of(question)
    order = _order(rng, question, style)
    slips = {i for i in range(len(order)) if rng.random() < slip_rate} if slip_rate else ()
    return _write(rng, question[:2], order, slips)


def plant_error(rng: random.Random, question: str, style: Style) -> str:
    """A solution with one first error at a uniformly drawn place, its consequences carried on."""
    if style == "hasty":
        return solve(rng, question, style=style, slip_rate=1.0)
    order = _order(rng, question, style)
    return _write(rng, question[:2], order, (rng.randrange(len(order)),))


def first_error(question: str, solution: str) -> str | None:
    """The label of the first wrong step, else the first missing label.

    "?" stands for an unreadable step or a wrong hasty answer; None means that everything is right.
    """
    if solution in VALUE:
        return None if solution == answer_of(question) else "?"
    left = {entry[0]: entry for entry in entries(question)}
    balance = VALUE[question[:2]]
    for i in range(0, len(solution), WIDTH):
        label = solution[i]
        entry = left.pop(label, None)
        if entry is None:
            return label if label in LABELS else "?"
        balance = (balance + CHANGE[entry[1:]]) % 100
        if solution[i : i + WIDTH] != f"{entry}={BALANCES[balance]}":
            return label
    return next(iter(left), None)


def answer_right(question: str, answer: str) -> bool:
    """Is this the final balance?"""
    return answer == answer_of(question)


def process_right(question: str, solution: str) -> bool | None:
    """Is every step right and every entry used? None when no steps are shown, as in a hasty solution."""
    steps = compact(solution)
    return first_error(question, steps) is None if steps and steps not in VALUE else None


def complete(question: str, solution: str) -> bool:
    """Is the solution made of whole steps that use each label exactly once? Amounts and balances are not looked at."""
    written = compact(solution)
    steps = [written[i : i + WIDTH] for i in range(0, len(written), WIDTH)]
    if len(steps) != (len(question) - 2) // 3 or not all(map(STEP.fullmatch, steps)):
        return False
    return {step[0] for step in steps} == {entry[0] for entry in entries(question)}


def critique(question: str, solution: str) -> Critique:
    """The reference critique: re-derives each given step, then checks that every entry was used."""
    every = entries(question)
    if solution in VALUE:
        steps = work(question[:2], every)
        right = steps[-1][-2:] == solution
        text = "".join(steps) + "#" + beside(solution, steps[-1][-2:]) + (":!Y" if right else ";N")
        return Critique(text, right, None if right else "?", "".join(steps), ())
    left = {entry[0]: entry for entry in every}
    balance = VALUE[question[:2]]
    prefix, wrong, said = "", None, []
    for i in range(0, len(solution), WIDTH):
        label, given = solution[i], solution[i : i + WIDTH]
        if label not in left or not STEP.fullmatch(given):
            wrong = label if label in LABELS else "?"
            said.append(f"{wrong};N")
            break
        entry = left.pop(label)
        balance = (balance + CHANGE[entry[1:]]) % 100
        step = f"{entry}={BALANCES[balance]}"
        prefix += step
        said.append(compared(given, step))
        if given != step:
            wrong = label
            said.append("N")
            break
    else:
        said.append("#")
        for entry in every:
            if entry[0] in left:
                wrong = entry[0]
                said.append(f"{wrong};N")
                break
            said.append(f"{entry[0]}:")
        else:
            said.append("!Y")
    return Critique("".join(said), wrong is None, wrong, prefix, tuple(left.values()))


def compared(given: str, true: str) -> str:
    """A given step beside the true one of the same label, tagged `:` (same) or `;` (differs)."""
    pair = f"{given[:3]}{true[1:3]}={beside(given[4:], true[4:])}"
    return pair + (":" if given == true else ";")


def beside(given: str, true: str) -> str:
    """Two balances, interleaved: each given digit, then the true one."""
    return "".join(map(str.__add__, given, true))


def refine(question: str, critique: Critique) -> str:
    """A right solution that keeps what the critique found right: its prefix, then the remaining entries in order."""
    balance = critique.prefix[-2:] or question[:2]
    return critique.prefix + "".join(work(balance, critique.remaining))


def work(balance: str, order: Iterable[str]) -> list[str]:
    """Right steps for entries in the given order, from a balance of two digits."""
    value, steps = VALUE[balance], []
    for entry in order:
        value = (value + CHANGE[entry[1:]]) % 100
        steps.append(f"{entry}={BALANCES[value]}")
    return steps


def _order(rng: random.Random, question: str, style: Style) -> list[str]:
    order = entries(question)
    if style == "backward":
        order.reverse()
    elif style == "shuffled":
        rng.shuffle(order)
    return order


def _write(rng: random.Random, balance: str, order: list[str], slips: Iterable[int]) -> str:
    """Steps in the given order, with an error of a drawn kind at each place in `slips`."""
    if not slips:
        return "".join(work(balance, order))
    places, swapped = set(slips), dict[int, str]()
    value, steps = VALUE[balance], list[str]()
    for i, entry in enumerate(order):
        label, change = entry[0], swapped.get(i, entry[1:])
        kind = _draw_kind(rng, order, i) if i in places else ""
        if kind == "dropped":
            continue
        if kind == "amount":
            change = change[0] + str((int(change[1]) + rng.randrange(1, 10)) % 10)
        elif kind == "sign":
            change = ("-" if change[0] == "+" else "+") + change[1]
        elif kind == "binding":
            j = rng.choice(_other_changes(order, i))
            # Half of the time the two entries trade places, which leaves the answer right.
            if j > i and rng.random() < 0.5:
                swapped[j] = change
            change = order[j][1:]
        elif kind == "foreign":
            label = foreign_label(rng, order)
        value = (value + CHANGE[change]) % 100
        if kind == "calculation":
            value = VALUE[_wrong_balance(rng, value, CHANGE[change])]
        steps.append(f"{label}{change}={BALANCES[value]}")
        if kind == "repeat":
            again = rng.choice(steps)[:3]
            value = (value + CHANGE[again[1:]]) % 100
            steps.append(f"{again}={BALANCES[value]}")
    return "".join(steps)


def foreign_label(rng: random.Random, entries: Iterable[str]) -> str:
    """A label that none of the entries has."""
    taken = {entry[0] for entry in entries}
    return rng.choice([label for label in LABELS if label not in taken])


def _draw_kind(rng: random.Random, order: Sequence[str], i: int) -> str:
    """A kind of error that is possible at this place; a single entry is never dropped."""
    draw = rng.random()
    kind = next(kind for kind, limit in zip(ERROR_KINDS, ERROR_WEIGHTS, strict=True) if draw < limit)
    impossible = {
        "dropped": len(order) == 1,
        "binding": not _other_changes(order, i),
        "foreign": len(order) == len(LABELS),
    }
    return "calculation" if impossible.get(kind) else kind


def _other_changes(order: Sequence[str], i: int) -> list[int]:
    """The places whose sign and amount differ from those at place i."""
    return [j for j, entry in enumerate(order) if entry[1:] != order[i][1:]]


def _wrong_balance(rng: random.Random, value: int, change: int) -> str:
    """A balance that is not `value`: off by one, the wrong way round, a slipped carry, or anything."""
    while True:
        draw = rng.random()
        if draw < 0.4:
            wrong = value + (1 if draw < 0.2 else -1)
        elif draw < 0.6:
            wrong = value - 2 * change
        elif draw < 0.8:
            wrong = value + rng.choice((10, -10, 5, -5, 2, -2))
        else:
            wrong = rng.randrange(100)
        if (wrong - value) % 100:
            return BALANCES[wrong % 100]
