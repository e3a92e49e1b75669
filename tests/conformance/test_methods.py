"""What every registered method promises, checked for every registered method."""

from __future__ import annotations

import ast
import csv
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from math import log
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from whetstone.core.flow import Driven, drive
from whetstone.core.registry import FOLDERS, Method, load, methods, options
from whetstone.core.types import (
    Candidate,
    Case,
    Embed,
    Embedding,
    Example,
    Generation,
    Reply,
    Request,
    Score,
    Signal,
    Token,
    Usage,
)
from whetstone.models.scripted import ScriptedModel

ROOT = Path(__file__).parents[2]
PARAMETERS = {
    "signal": ["task", "example", "candidates"],
    "judge": ["task", "example", "first", "second"],
    "strategy": ["task", "example"],
    "audit": ["task", "cases"],
    "study": ["model", "task", "runner"],
    "loop": ["model", "task", "runner"],
    "guard": ["rounds"],
    "monitor": ["rounds"],
}
FLOWS = ("signal", "judge", "strategy", "audit")
NETWORK = {"httpx", "requests", "urllib", "http", "socket", "aiohttp", "sqlite3"}
EVERY = methods()
SETTINGS = [
    pytest.param(m, dict(chosen), id=f"{m.kind}-{m.name}{preset and '-' + preset}")
    for m in EVERY
    if m.kind in FLOWS
    for preset, chosen in [("", {}), *((name, preset.options) for name, preset in m.presets.items())]
]
every_method = pytest.mark.parametrize("known", EVERY, ids=lambda m: f"{m.kind}-{m.name}")
every_setting = pytest.mark.parametrize(("known", "chosen"), SETTINGS)


@pytest.fixture(scope="module")
def titles() -> set[str]:
    with (ROOT / "whetstone/papers/papers.tsv").open(encoding="utf-8", newline="") as file:
        return {row["title"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


# ------------------------------------------------------------------------------- what the source says


@every_method
def test_name_file_and_function_are_one_word(known: Method) -> None:
    path = ROOT / known.file
    assert path.parent.name == FOLDERS[known.kind]
    assert path.stem == known.name
    assert load(known.name, known.kind).__name__ == known.name
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


@every_method
def test_says_in_one_line_what_it_does(known: Method) -> None:
    assert re.fullmatch(r"[A-Z].{9,118}[.?]", known.summary), known.summary


@every_method
def test_papers_are_known_by_their_exact_titles(known: Method, titles: set[str]) -> None:
    assert set(known.all_papers) <= titles


@every_method
def test_names_the_test_that_shows_it_works(known: Method) -> None:
    file, _, name = known.checked.partition("::")
    assert (ROOT / file).is_file(), f"{known.name} is checked by {known.checked!r}"
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@every_method
def test_options_are_keywords_with_types_and_defaults(known: Method) -> None:
    function = load(known.name, known.kind)
    parameters = inspect.signature(function).parameters
    positional = [name for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY]
    assert positional == PARAMETERS.get(known.kind, positional[:2]), "a ranking takes its data, at most two arguments"
    hints = get_type_hints(function)
    for name, option in options(function).items():
        assert option.default is not option.empty, f"{name} has no default"
        assert name in hints, f"{name} has no type"
    for preset in known.presets.values():
        assert set(preset.options) <= set(options(function)), "a preset sets what is not an option"


@every_method
def test_knows_no_network_no_database_and_where_it_may_not_no_torch(known: Method) -> None:
    banned = NETWORK | ({"torch", "transformers"} if FOLDERS[known.kind] != "loops" else set())
    for node in ast.walk(ast.parse((ROOT / known.file).read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.split(".")[0] for name in names} & banned


# ------------------------------------------------------------------------------------ what it does


def words(luck: Any, text: str) -> tuple[Token, ...]:
    """Tokens with everything that a signal may need."""
    found = []
    for piece in re.findall(r"\s*\S+", text):
        p = 0.5 + luck.random() / 2
        rest = log((1 - p) * 0.9 + 1e-9)
        found.append(Token(piece, log(p), ((piece, log(p)), (" other", rest)), entropy=1 - p, certainty=p))
    return tuple(found)


def able(toy: Any, request: Request) -> Reply:
    """A model that plays every role, more often well than badly, by luck that depends on the request alone."""
    luck = toy.luck(request)
    name, fields = toy.asked(request)
    if isinstance(request, Embed):
        return Embedding((luck.random(), luck.random()), Usage(10, 0))
    if isinstance(request, Score):
        return Generation(request.continuation, words(luck, request.continuation or "x"), usage=Usage(10, 1))
    if name == "solve":
        text = f"I think the answer is {fields['question'] if luck.random() < 0.6 else luck.randrange(90, 93)}"
    elif name == "refine":
        text = f"Now the answer is {fields['question']}"
    elif name == "plan_checks":
        text = "Read: Is it right?\nRun: Is it short? => len(answer) < 20"
    elif name in ("ground", "cluster"):
        text = "+ being quick\n- being rude" if name == "ground" else "Speed: is it quick?\nManners: is it polite?"
    elif name in ("trait", "match", "predict"):
        text = f"Score: {luck.randrange(1, 2 if name != 'predict' else 4)}"
    elif name == "grade_answer":
        text = f"Good. Score: {luck.randrange(5)}"
    elif name in ("correct", "grade_essay"):
        text = f"{fields['answer']} now" if name == "correct" else f"Score: {luck.randrange(6)}"
    elif name == "award":
        text = f"Score: {luck.randrange(int(fields['points']) + 1)}"
    elif name == "compare_degrees":
        text = f"Verdict: {luck.choice(('A++', 'A+', 'A=B', 'B+', 'B++'))}"
    elif name == "rank":
        text = "Ranking: " + " > ".join(
            luck.sample("ABCD"[: fields["answers"].count("[Answer ")], fields["answers"].count("[Answer "))
        )
    elif name.startswith("compare"):
        text = f"Verdict: {luck.choice('AABE')}"
    elif name == "checklist":
        text = "1. Is it short?\n2. Is it right?"
    elif name == "score_pair":
        text = f"Score of A: {luck.randrange(1, 10)}\nScore of B: {luck.randrange(1, 10)}"
    elif name == "critique":
        right = fields["answer"].endswith(f" {fields['question']}")
        text = f"Checked. Verdict: {'Y' if right == (luck.random() < 0.9) else 'N'}"
    else:
        text = (
            f"Confidence: {luck.randrange(10, 99)}\nScore: {luck.randrange(1, 10)}\n"
            f"the answer is {luck.randrange(3)}\nVerdict: {luck.choice('YN')}"
        )
    return Generation(text, words(luck, text), usage=Usage(20, 8))


def mumbling(request: Request) -> Reply:
    """Replies without a verdict, an answer or log-probabilities."""
    return Embedding((0.0,), Usage(1, 0)) if isinstance(request, Embed) else Generation("hm", usage=Usage(5, 1))


def build(toy: Any, known: Method, chosen: dict[str, Any], i: int = 0, n: int = 4) -> Any:
    """One flow of a method on the toy world: examples have no target, and the verifier raises but for audits."""
    function = load(known.name, known.kind)
    small = {name: min(value, n) for name, value in chosen.items() if name == "n"}
    task = Labelled(toy.task) if known.kind == "audit" else toy.task
    run = partial(function, task, **{**chosen, **small})
    cases = [case(toy, j) for j in range(i, i + 6)]
    if known.kind == "audit":
        return run(cases)
    if known.kind == "strategy":
        return run(toy.question(i))
    if known.kind == "judge":
        return run(toy.question(i), *cases[0].candidates[:2])
    return run(toy.question(i), cases[0].candidates)


class Labelled:
    """The toy task with a verifier of texts, which audits may ask to label what they made."""

    def __init__(self, task: Any) -> None:
        self.name, self.sampling, self.read = task.name, task.sampling, task.read

    def verify(self, example: Example, text: str) -> Signal:
        return Signal(float(self.read(example, text) == example.id[1:]), "binary")


def case(toy: Any, i: int) -> Case:
    """Candidates of two sources, right and wrong, short and long, with tokens."""
    texts = (f"the answer is {i}", f"well, the answer is {i + 90}", f"surely the answer is {i}", "the answer is 99")
    made = tuple(
        Candidate(f"c{j}", Generation(text, words(toy.luck(Score((), text)), text)), "mine" if j % 2 else "yours")
        for j, text in enumerate(texts)
    )
    return Case(toy.question(i), made, (True, False, True, False))


def perform(flows: dict[str, Any], answer: Callable[[Request], Reply], **settings: Any) -> Driven[Any]:
    done = drive(flows, {"policy": ScriptedModel(answer)}, **settings)
    assert not done.failures, next(iter(done.failures.values())).traceback
    return done


def silences(known: Method, result: Any) -> Iterator[tuple[bool, str]]:
    """Of each part of a result: was it measured, and the reason if not."""
    if known.kind == "signal":
        yield from ((s.value is not None, s.abstained or "") for s in result)
    elif known.kind == "judge":
        yield result.choice is not None, result.reason
    elif known.kind == "strategy":
        yield result.answer is not None, result.confidence.abstained or ""
    else:
        yield from ((f.estimate is not None, f.verdict) for f in result)


@every_setting
def test_runs_and_gives_a_result_of_its_kind(toy: Any, known: Method, chosen: dict[str, Any]) -> None:
    result = perform({"a": build(toy, known, chosen)}, partial(able, toy)).results["a"]
    if known.kind == "signal":
        assert len(result) == 4
        assert all(s.provenance["method"] == known.name for s in result)
    if known.kind == "audit":
        assert result
        assert all(f.n > 0 or f.estimate is None for f in result)
    if known.kind == "strategy":
        assert result.trail
        assert result.answer is None or result.text in {c.text for c in result.trail}
    assert any(measured for measured, _ in silences(known, result)), "it never measures anything"


@every_setting
def test_same_seed_same_result_alone_or_in_company(toy: Any, known: Method, chosen: dict[str, Any]) -> None:
    model = partial(able, toy)
    alone = perform({"a": build(toy, known, chosen)}, model, seed=3).results["a"]
    company = {f"b{i}": build(toy, known, chosen, i) for i in range(3)} | {"a": build(toy, known, chosen)}
    assert perform(company, model, seed=3, window=2).results["a"] == alone


@every_setting
def test_unreadable_replies_make_it_abstain_with_a_reason(toy: Any, known: Method, chosen: dict[str, Any]) -> None:
    done = perform({"a": build(toy, known, chosen)}, mumbling)
    parts = list(silences(known, done.results["a"]))
    assert all(measured or reason for measured, reason in parts), "silent without a reason"
    if done.ledger.requests:
        assert not any(measured for measured, _ in parts), "it read something in a mumble"


@every_setting
def test_keeps_to_the_token_budget(toy: Any, known: Method, chosen: dict[str, Any]) -> None:
    free = perform({"a": build(toy, known, chosen)}, partial(able, toy)).ledger.total
    for budget in (0, 1, free // 2, 2 * free, 20 * free):
        done = perform({"a": build(toy, known, chosen)}, partial(able, toy), budget=budget)
        assert done.ledger.total <= budget
        assert all(measured or reason for measured, reason in silences(known, done.results["a"]))
