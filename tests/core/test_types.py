"""Forms and prompts: what is asked, apart from how it reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whetstone.core.types import Example, Media, Message, form, user


@given(st.text(), st.text())
def test_field_values_are_never_interpreted(question: str, answer: str) -> None:
    asked = form("p_true", "Q: {question}\nA: {answer}\nRight?", question=question, answer=answer)
    assert asked.text == f"Q: {question}\nA: {answer}\nRight?"


def test_unknown_and_open_braces_stay() -> None:
    assert form("f", 'JSON like {"a": {x}} and {y} and {', x="1").text == 'JSON like {"a": 1} and {y} and {'


def test_forms_nest_and_give_their_fields() -> None:
    inner = form("ledger", "start {start}", ledger="63c-7", start="63")
    outer = form("solve", "{question}\n\nGo.", question=inner)
    assert outer.text == "start 63\n\nGo."
    assert outer["question"] is inner


def test_a_message_renders_forms_and_leaves_media_out() -> None:
    message = Message("user", ("a ", form("f", "{x}", x="b"), Media("image", "image/png", b"...")))
    assert message.text == "a b"


def test_the_question_of_an_example() -> None:
    inner = form("ledger", "start 63", ledger="63c-7")
    assert Example("1", user(form("solve", "{question}!", question=inner))).question is inner
    bare = form("solve", "no field")
    assert Example("1", user(bare)).question is bare
    assert Example("1", user("plain ", "text")).question == "plain text"
    assert Example("1", user("q"), meta={"level": 5}).level == "5"
    assert Example("1", user("q")).level == ""
