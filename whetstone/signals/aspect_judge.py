"""A judge that compares two answers aspect by aspect, along a tree of aspects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Json, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders, leader

COMPARE = f"""{forms.ANSWERS}\
Compare the answers in one aspect alone, whatever else they do well or badly: {{aspect}}. {{definition}}

The order in which they are shown means nothing. Say what you see, then end with one line, "Verdict: A", "Verdict: B", \
or "Verdict: E" if they are equally good in this aspect."""

ASPECTS = (
    "Correctness: is what it says true?|Completeness: is everything answered that was asked?|"
    "Clarity: can it be understood at first reading?|Relevance: is everything in it to the point?"
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """A leaf of a tree of aspects: its path (`text/style/brevity`) and what it means."""

    path: str
    definition: str


@method("judge", checked="tests/signals/test_aspect_judge.py::test_finds_the_planted_winner_of_every_aspect")
def aspect_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    aspects: str = ASPECTS,
    combine: Combine = "agree",
    max_tokens: int = 512,
) -> Flow[Verdict]:
    """Compare two answers in each aspect by itself, and choose what wins more aspects.

    Args:
        aspects: `NAME: DEFINITION` separated by `|`; the example's own `meta["aspects"]`, a tree of names and
            definitions, goes before them.
        combine: of the two orders in each aspect.
        max_tokens: length limit of a verdict.

    Returns:
        The choice that wins more aspects, else a tie; `probs` are the shares of readable aspects, and `orders` has one
        verdict an aspect, whose `reason` begins with the aspect's path (`by_aspect`). No choice when none is readable.
    """
    own = example.meta.get("aspects")
    leaves = list(read_tree(own)) if own else list(read_list(aspects))
    if not leaves:
        raise Abstain("there is no aspect to compare in")
    shown = (first.id, second.id)
    if first.text == second.text:
        return Verdict(shown, TIE, reason="equal texts")
    sampling = Sampling(0.0, max_tokens=max_tokens, logprobs=5)

    def judge(aspect: Aspect) -> Flow[Verdict]:
        def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
            name = aspect.path.replace("/", ", ")
            fields = {"first": a.text, "second": b.text, "aspect": name, "definition": aspect.definition}
            prompt = forms.about(example, user(form("compare_aspect", COMPARE, question=example.question, **fields)))
            return (yield from ask_once(prompt, a, b, sampling))

        verdict = yield from in_both_orders(first, second, ask, combine)
        return replace(verdict, reason=f"{aspect.path}: {verdict.reason}".rstrip(": "))

    verdicts = yield from gather(judge(leaf) for leaf in leaves)
    choices = [verdict.choice for verdict in verdicts if verdict.choice is not None]
    if not choices:
        return Verdict(shown, None, reason="unreadable reply in every aspect", orders=tuple(verdicts))
    probs = {name: choices.count(name) / len(choices) for name in (*shown, TIE)}
    wins = {name: probs[name] for name in shown}
    return Verdict(shown, leader(wins), probs, orders=tuple(verdicts))


def by_aspect(verdict: Verdict) -> dict[str, Verdict]:
    """The verdicts of the aspects by their paths."""
    return {part.reason.partition(": ")[0]: part for part in verdict.orders}


def read_list(text: str) -> Iterator[Aspect]:
    """Aspects written `NAME: DEFINITION|NAME: DEFINITION`."""
    for part in filter(None, map(str.strip, text.split("|"))):
        name, _, definition = part.partition(":")
        yield Aspect(name.strip(), definition.strip())


def read_tree(tree: Json, path: str = "") -> Iterator[Aspect]:
    """The leaves of a tree as JSON has it: mappings nest, a text is a definition, a list holds names alone."""
    if isinstance(tree, Mapping):
        for name, below in tree.items():
            yield from read_tree(below, f"{path}/{name}".lstrip("/"))
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for leaf in tree:
            yield Aspect(f"{path}/{leaf}".lstrip("/"), "")
    elif path:
        yield Aspect(path, "" if tree is None else str(tree))
