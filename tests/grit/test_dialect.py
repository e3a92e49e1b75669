"""How forms become grit's notation, and what grit refuses to read."""

import pytest

from whetstone.core.errors import Unsupported
from whetstone.core.types import Form, Media, Message, form, user
from whetstone.models.grit.dialect import VOCABULARY, GritDialect, build_tokenizer, encode_text

LEDGER = form("ledger", "Start with {start}. {entries}", ledger="63c-7e-3", start="63", entries="c -7, e -3")
SOLUTION = "c-7=56e-3=53"
REVIEW = "c-7-7=5566:e-3-3=5533:#c:e:!Y"


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("solve", {}, "Q63c-7e-3?"),
        ("p_ik", {}, "Q63c-7e-3?I"),
        ("p_true", {"answer": SOLUTION}, "Q63c-7e-3?c-7=56e-3=53T"),
        ("critique", {"answer": SOLUTION + "$"}, "Q63c-7e-3?c-7=56e-3=53C"),
        ("refine", {"answer": "53", "critique": REVIEW}, f"Q63c-7e-3?53C{REVIEW}R"),
        ("compare", {"first": "53", "second": SOLUTION}, f"Q63c-7e-3?53|{SOLUTION}P"),
        (
            "compare_critiqued",
            {"first": "53", "first_critique": "c-7=56e-3=53#5533:!Y", "second": SOLUTION, "second_critique": REVIEW},
            f"Q63c-7e-3?53Cc-7=56e-3=53#5533:!Y|{SOLUTION}C{REVIEW}P",
        ),
    ],
)
def test_each_role_has_its_notation(name: str, fields: dict[str, str], expected: str) -> None:
    assert GritDialect().encode(user(form(name, "ignored", question=LEDGER, **fields))) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        user(form("verbalized", "", question=LEDGER, answer="53")),
        user(form("solve", "", question="What is the capital of France?")),
        user(form("solve", "", question="\u0666\u0663c-7e-3")),
        user(form("solve", "", question=form("countdown", "", numbers="1 2 3"))),
        user(form("critique", "", question=LEDGER, answer="The answer is 53.")),
        user(form("critique", "", question=LEDGER, answer="53_")),
        user(Media("image", "image/png", b"")),
        (Message("system", ("Q",)), Message("user", ("63c-7?",))),
        user("Q63c-7?", "c"),
        user("what?"),
    ],
)
def test_anything_else_is_refused(prompt: tuple[Message, ...]) -> None:
    with pytest.raises(Unsupported):
        GritDialect().encode(prompt)


def test_plain_notation_is_read_as_it_stands() -> None:
    assert GritDialect().encode(user("Q63c-7?")) == "Q63c-7?"


def test_a_missing_field_is_refused_and_not_guessed() -> None:
    with pytest.raises(Unsupported, match="refine"):
        GritDialect().encode(user(Form("refine", "", (("question", LEDGER),))))


def test_a_token_is_a_character_or_a_signed_amount() -> None:
    tokenizer = build_tokenizer()
    assert [tokenizer.encode(token).ids for token in VOCABULARY] == [[i] for i in range(len(VOCABULARY))]
    assert tokenizer.encode("Q63c-7?c-7=56$").tokens == ["Q", *"63", "c", "-7", "?", "c", "-7", "=", *"56", "$"]
    assert encode_text("63c-7b+-0") == tokenizer.encode("63c-7b+-0").ids
    assert tokenizer.decode(tokenizer.encode("Q63c-7?c-7=56$").ids) == "Q63c-7?c-7=56"
