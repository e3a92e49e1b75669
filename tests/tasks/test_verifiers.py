"""Every verifier by hand-made cases, and against texts that try to crash or hang it."""

from __future__ import annotations

import json
import time

import pytest

from whetstone.core.errors import Abstain, ConfigError
from whetstone.core.types import Example, Json, user
from whetstone.tasks import isolated
from whetstone.tasks.verifiers import VERIFIERS, choose_verifier, load_verifier, normalise


def right(name: str, text: str, *targets: str, choices: tuple[str, ...] = (), numbers: Json = None) -> bool | None:
    """Right, wrong, or None for unreadable."""
    example = Example("e", user("question"), choices=choices, meta={"numbers": numbers} if numbers else {})
    verifier = load_verifier(name)
    answer = verifier.read(example, text)
    return None if answer is None else verifier.right(example, answer, targets)


SCHEMA = '{"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}}'
CITIES = ("Rome", "Paris", "A dog", "The B-side")


@pytest.mark.parametrize(
    ("name", "text", "targets", "verdict"),
    [
        ("exact", "Hm.\nThe answer is Paris.", ("Paris",), True),
        ("exact", "paris", ("Paris",), False),
        ("exact", "  \n ", ("Paris",), None),
        ("exact", "B", ("A", "B"), True),
        ("normalised", "The answer is  the  PARIS!", ("Paris",), True),
        ("normalised", "-5", ("5",), False),
        ("normalised", "3.5", ("35",), False),
        ("normalised", "] ]", ("] ]",), True),
        ("normalised", "a", ("A",), True),
        ("numeric", "so 18 eggs\n#### 18", ("18",), True),
        ("numeric", "First 3, then 4", ("4",), True),
        ("numeric", "The answer is not known", ("4",), None),
        ("numeric", "The answer is $1,000.00.", ("1000",), True),
        ("set", "The answer is b, a and c", ("a", "b", "c"), True),
        ("set", "[a; b]", ("b, a",), True),
        ("set", "a, b, c", ("a", "b"), False),
        ("regex", "He said yes, twice", (r"\byes\b",), True),
        ("regex", "no", (r"\byes\b",), False),
        ("json_schema", 'Sure:\n```json\n{"age": 3}\n```', (SCHEMA,), True),
        ("json_schema", 'It is {"age": "three"}.', (SCHEMA,), False),
        ("json_schema", "no JSON", (SCHEMA,), None),
        ("json_schema", "[" * 5_000, (SCHEMA,), None),
        ("expression", "The answer is (1+2)*8", ("24",), True),
        ("expression", "(1+2)*8 = 24", ("24",), True),
        ("expression", "25", ("24",), False),
        ("expression", "The answer is __import__('os').getcwd()", ("24",), None),
    ],
)
def test_verdicts(name: str, text: str, targets: tuple[str, ...], verdict: bool | None) -> None:
    assert right(name, text, *targets) is verdict


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is B.", "B"),
        ("(b)", "B"),
        ("The answer is Paris.", "B"),
        ("The answer is (B) Paris", "B"),
        ("A dog", "C"),
        ("The B-side", "D"),
        ("E", None),
        ("Berlin", None),
    ],
)
def test_choices_by_letter_or_text(text: str, letter: str | None) -> None:
    example = Example("e", user("?"), choices=CITIES)
    assert load_verifier("choice").read(example, text) == letter
    if letter:
        assert right("choice", text, letter, choices=CITIES) is True
        assert right("choice", text, "A", choices=CITIES) is False


def test_an_expression_must_use_the_numbers_given() -> None:
    assert right("expression", "(7-8/8)*4", "24", numbers=[4, 7, 8, 8]) is True
    assert right("expression", "4*6", "24", numbers=[4, 7, 8, 8]) is False


def test_normalise_never_empties_a_text() -> None:
    assert normalise("The") == "the"
    assert normalise("?!") == "?!"
    assert normalise("Ｐａｒｉｓ") == "paris"


def test_choosing_a_verifier() -> None:
    assert choose_verifier(("a", "b"), ("A",)) == "choice"
    assert choose_verifier((), ("$1,000",)) == "numeric"
    assert choose_verifier((), ("12/25/1937",)) == "normalised"
    assert choose_verifier((), ("Paris",)) == "normalised"


def test_unknown_names_and_options_list_what_exists() -> None:
    with pytest.raises(ConfigError, match="exact, normalised, numeric"):
        load_verifier("fuzzy")
    with pytest.raises(ConfigError, match="it has tolerance"):
        load_verifier("numeric", tolerence=1)
    with pytest.raises(ConfigError, match="it has none"):
        load_verifier("exact", tolerance=1)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("numeric", "many"),
        ("choice", "Paris"),
        ("regex", "(["),
        ("json_schema", "3"),
        ("expression", "1/0"),
        ("set", " "),
    ],
)
def test_targets_that_cannot_be_used_are_named(name: str, target: str) -> None:
    assert load_verifier(name).fault(target)


def test_a_pattern_that_takes_for_ever_abstains_and_the_next_one_works() -> None:
    began = time.perf_counter()
    with pytest.raises(Abstain, match="takes more than"):
        right("regex", "a" * 5_000 + "b", "(a+)+$")
    assert time.perf_counter() - began < 5
    assert right("regex", "abc", "b") is True


def test_a_schema_that_takes_for_ever_abstains() -> None:
    schema = json.dumps({"type": "string", "pattern": "(a+)+$"})
    with pytest.raises(Abstain, match="takes more than"):
        right("json_schema", json.dumps("a" * 5_000 + "b"), schema)


def test_a_schema_that_is_none_abstains() -> None:
    with pytest.raises(Abstain, match="could not be checked"):
        isolated.check("schema", {"type": 3}, 1)


HOSTILE = [
    "\x00" * 10_000,
    "(" * 100_000,
    "[" * 100_000,
    "{" * 100_000,
    '{"a":' * 20_000,
    "9" * 1_000_000,
    "The answer is " + "9" * 1_000_000,
    "The answer is 1e999",
    "The answer is 9^9^9^9^9",
    "\\boxed{" * 20_000,
    "١٢٣",
    "²³",
    "\ud800",
    "```" * 50_000,
    "```json\n" * 20_000,
    ", " * 200_000,
    "answer:" * 50_000,
    "a" * 1_000_000,
    "-" * 100_000,
    "1/" * 50_000,
    "NaN",
    "1" + "0" * 5_000,
    "\u202e" * 10_000,
]
TARGETS = {"choice": "A", "regex": "zzz+y", "json_schema": SCHEMA}


@pytest.mark.parametrize("name", VERIFIERS)
def test_no_text_crashes_or_hangs_a_verifier(name: str) -> None:
    for text in HOSTILE:
        began = time.perf_counter()
        assert not right(name, text, TARGETS.get(name, "42"))
        assert time.perf_counter() - began < 1.5, text[:20]
