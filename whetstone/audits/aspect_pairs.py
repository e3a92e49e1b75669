"""A tree of aspects in a file, and pairs of texts that differ in known aspects of it.

The bundled tree (`aspects.json`) has aspects of texts, of answers about images, of generated images, and of texts with
images among them; a tree of one's own is a JSON file of the same shape: names nest, a text is a definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from whetstone.audits.mismatch_errors import insert_error
from whetstone.core.decode import read_json
from whetstone.core.errors import TaskError
from whetstone.core.types import Candidate, Case, Example, Generation, Json, form, user
from whetstone.signals.aspect_judge import read_tree

BUNDLED = Path(__file__).with_name("aspects.json")
HARMS = {
    "text/language/spelling": ("spelling",),
    "text/language/word order": ("order",),
    "text/content/accuracy": ("number", "entity", "negation", "temporal"),
    "text/content/completeness": ("omission",),
    "text/content/relevance": ("addition",),
    "text/content/repetition": ("repetition",),
}
PEOPLE = ("Anna", "Boris", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Henrik")
THINGS = ("boxes", "letters", "lamps", "chairs", "books", "coats")
DAYS = ("Monday", "Wednesday", "Friday", "Sunday")
PLACES = ("river", "station", "market", "harbour")


def load_tree(path: Path = BUNDLED) -> dict[str, Json]:
    """A tree of aspects from a JSON file. Raises TaskError when it cannot be read or has no aspects."""
    try:
        tree = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: no tree of aspects: {error}") from error
    if not isinstance(tree, dict) or not list(read_tree(tree)):
        raise TaskError(f"{path}: a tree of aspects is an object of names, nested, with a definition at every leaf")
    return tree


def branch(tree: Mapping[str, Json], *paths: str) -> dict[str, Json]:
    """The part of a tree that leads to these aspects, such as `text/content/accuracy`."""
    found: dict[str, Json] = {}
    for path in paths:
        *nodes, leaf = path.split("/")
        given, made = tree, found
        for node in nodes:
            inner = given.get(node)
            if not isinstance(inner, Mapping):
                raise TaskError(f"the tree has no aspect {path!r}")
            given, made = inner, made.setdefault(node, {})  # type: ignore[assignment]
        if leaf not in given:
            raise TaskError(f"the tree has no aspect {path!r}")
        made[leaf] = given[leaf]
    return found


def aspect_pairs(n: int, *, seed: int = 0) -> list[Case]:
    """Pairs of reports in English; in each of six aspects one of them, both or none is harmed.

    The labels are the example's `meta["aspect_labels"]`, the tree its `meta["aspects"]`, the texts `candidates`.
    """
    tree = branch(load_tree(), *HARMS)
    return [_pair(i, Random(f"{seed}/{i}"), tree) for i in range(n)]


def _pair(i: int, rng: Random, tree: Mapping[str, Json]) -> Case:
    text, foreign = _report(rng), _report(rng)
    sides, labels = [text, text], dict[str, Json]()
    for path, kinds in HARMS.items():
        harmed = [False, False]
        for side in (0, 1):
            changed = (
                insert_error(sides[side], rng.choice(kinds), rng, others=[foreign]) if rng.random() < 0.3 else None
            )
            if changed is not None:
                sides[side], harmed[side] = changed, True
        labels[path] = "tie" if harmed[0] == harmed[1] else "second" if harmed[0] else "first"
    question = f"Report in one sentence: {text}"
    meta: dict[str, Json] = {"aspects": tree, "aspect_labels": labels, "candidates": list(sides)}
    example = Example(f"pair-{i}", user(form("solve", "{question}", question=question)), meta=meta)
    return Case(example, tuple(Candidate(str(k), Generation(side)) for k, side in enumerate(sides)))


def _report(rng: Random) -> str:
    a, b = rng.sample(PEOPLE, 2)
    return (
        f"On {rng.choice(DAYS)} morning {a} was carrying {rng.randrange(2, 60)} {rng.choice(THINGS)} to the "
        f"{rng.choice(PLACES)} , and {b} could bring {rng.choice(('two', 'three', 'five'))} more before evening ."
    )
