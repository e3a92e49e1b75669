"""The pages of the arena: where people vote, and the leaderboard."""

from __future__ import annotations

from importlib.resources import files

from whetstone.app.leaderboard import Leaderboard, Pairwise
from whetstone.app.report.html import Markup, brief, h
from whetstone.app.report.leaderboard import render
from whetstone.app.report.page import document, policy

ORDINALS = ("1st", "2nd", "3rd", "4th", "5th")


def vote_page(size: int, title: str) -> str:
    """Where people vote on `size` outputs side by side. The page holds no output: its script asks for them."""
    question = "Which answer is better?" if size == 2 else f"Rank the {size} answers"
    head = h(
        "header",
        h("p", f"Whetstone arena · {brief(title, 60)}", cls="eyebrow"),
        h("h1", question),
        h(
            "nav",
            h("span", id="count"),
            h("a", "Leaderboard", href="/leaderboard"),
            h("span", "The order is settled; more votes make the intervals narrower.", id="settled", hidden=True),
        ),
    )
    main = h(
        "main",
        h("noscript", h("p", "This page needs JavaScript. Votes can be sent to /api/vote as well.")),
        h("div", h("p"), id="trouble", cls="callout", role="alert", hidden=True),
        h("section", h("h2", "Prompt"), h("div", id="asked"), id="prompt"),
        h("section", id="outputs", aria_label="Answers"),
        _places(size) if size > 2 else None,
        _choices(size),
        h("div", id="said", role="status"),
        h("p", h("button", "Next", h("kbd", "Enter"), id="next", hidden=True, type="button"), cls="next"),
        id="arena",
        data_size=str(size),
    )
    foot = h("footer", h("p", "Names are shown after the vote. Every answer is on the disk before it is confirmed."))
    return document(f"Whetstone arena: {brief(title, 60)}", head, main, foot, style=STYLE, script=SCRIPT)


def leaderboard_page(board: Leaderboard, pairwise: Pairwise) -> str:
    """The ranking by all votes so far."""
    return render(board, pairwise, link=h("p", h("a", "Vote", href="/")))


def notice_page(title: str, text: str) -> str:
    """A page with a sentence, where there is nothing else to show."""
    head = h("header", h("p", "Whetstone arena", cls="eyebrow"), h("h1", title), h("p", text, cls="lead"))
    return document("Whetstone arena", head, h("main", h("p", h("a", "Vote", href="/"))))


def _choices(size: int) -> Markup:
    if size == 2:
        buttons = [
            _choice("first", "A is better", "1", main=True),
            _choice("tie", "Tie", "T"),
            _choice("both_bad", "Both bad", "B"),
            _choice("second", "B is better", "2", main=True),
        ]
    else:
        save = h("button", "Save the ranking", h("kbd", "Enter"), id="save", type="button", disabled=True)
        buttons = [save, _choice("all_bad", "All bad", "B")]
    return h("div", *buttons, _choice("skip", "Skip", "S"), id="choices")


def _choice(choice: str, text: str, key: str, *, main: bool = False) -> Markup:
    return h("button", text, h("kbd", key), type="button", data_choice=choice, cls="main" if main else None)


def _places(size: int) -> Markup:
    places = [h("li", h("span", f"{place} "), aria_label=f"{place} place") for place in ORDINALS[:size]]
    return h("ol", h("li", h("span", "not ranked "), id="pool", cls="pool"), *places, id="places")


def _asset(name: str) -> str:
    return files("whetstone.app.arena").joinpath(name).read_text(encoding="utf-8").strip()


STYLE, SCRIPT = _asset("arena.css"), _asset("arena.js")
VOTE_POLICY, PAGE_POLICY = policy(STYLE, SCRIPT), policy()
