"""How the questions of generated worlds are put to a model: plain English, with the notation kept as a field."""

from __future__ import annotations

from whetstone.core.types import Form, Prompt, form, user
from whetstone.worlds import countdown, ledger, strings

LEDGER = """A balance starts at {start}. Apply these entries to it, one after the other. After each entry keep only \
the last two digits of the balance, so that 97 + 5 gives 02 and 03 - 7 gives 96.
{entries}"""
LEDGER_INSTRUCTIONS = """Use every entry exactly once, one line each: the entry's name, its sign and amount, "=", and \
the new balance as two digits, for example
k+4=67
Then write a last line "The answer is X", where X is the final balance as two digits."""

COUNTDOWN = """Use the numbers {numbers} to make {target}. Use each number exactly once, with the operations + - * / \
and brackets."""
COUNTDOWN_INSTRUCTIONS = """Write one line a step, for example
8 - 4 = 4
Each step takes two of the numbers that are left and puts its result in their place. Then write a last line "The \
answer is X", where X is one expression of the given numbers, without "=", for example (8 - 4) * (7 - 1)."""

STRINGS = """Start with the text "{word}" and apply these operations, one after the other. Letters are counted from 1 \
in the text as it then is.
{operations}"""
STRINGS_INSTRUCTIONS = """Write one line an operation: its number, a colon and the text after it, for example
1: enots
Then write a last line "The answer is X", where X is the final text, capital letters included."""

LOGIC = """Find the truth value of this expression. "xor" is true if exactly one of its two sides is true.
{expression}"""
LOGIC_INSTRUCTIONS = """Write one line a step: "=" and the whole expression with some brackets replaced by their \
value, for example
= (False or True)
Then write a last line "The answer is X", where X is True or False."""


def solve(question: str | Form, instructions: str) -> Prompt:
    """Ask for a solution. The only field is the question: instructions are wording, which a dialect may not know."""
    return user(form("solve", "{question}\n\n" + instructions, question=question))


def ledger_prompt(question: str) -> Prompt:
    """A ledger question; the field `ledger` keeps it in the world's notation."""
    entries = "\n".join(f"{entry[0]}: {entry[1:]}" for entry in ledger.entries(question))
    asked = form("ledger", LEDGER, ledger=question, start=question[:2], entries=entries)
    return solve(asked, LEDGER_INSTRUCTIONS)


def countdown_prompt(question: str) -> Prompt:
    """A countdown question."""
    numbers = ", ".join(map(str, countdown.numbers_of(question)))
    asked = form("countdown", COUNTDOWN, countdown=question, numbers=numbers, target=str(countdown.target_of(question)))
    return solve(asked, COUNTDOWN_INSTRUCTIONS)


def strings_prompt(question: str) -> Prompt:
    """A strings question."""
    steps = "\n".join(f"{i}. {strings.in_english(o)}" for i, o in enumerate(strings.operations_of(question), 1))
    asked = form("strings", STRINGS, strings=question, word=question.partition(":")[0], operations=steps)
    return solve(asked, STRINGS_INSTRUCTIONS)


def logic_prompt(question: str) -> Prompt:
    """A logic question."""
    return solve(form("logic", LOGIC, logic=question, expression=question), LOGIC_INSTRUCTIONS)
