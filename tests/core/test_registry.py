"""The registry: what a method's source says, abstaining by kind, errors that list what is known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from whetstone.core import registry
from whetstone.core.errors import Abstain, ConfigError, Unsupported
from whetstone.core.flow import drive, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Finding, Generation, Outcome, Sample, Signal, Verdict, user

SOURCE = '''"""A plugin."""

from whetstone.core.registry import method


def helper():
    """Not a method."""


@method(
    "strategy",
    papers=("A Paper",),
    presets={"fast": ("Another Paper", {"n": 2})},
    checked="tests/x.py::test_y",
)
def shouting(task, example, *, n: int = 4, signal: str = "mean_logprob"):
    """Answer in capitals.

    More words.
    """
    yield from ()


@method("guard")
def watchful(rounds, *, limit: float = 0.5):
    return limit
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An outside package that registers its module under the entry-point group."""
    file = tmp_path / "shouting_plugin.py"
    file.write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("shouting", "shouting_plugin", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    yield file
    sys.modules.pop("shouting_plugin", None)


def candidates(n: int) -> list[Candidate]:
    return [Candidate(f"c{i}", Generation("x")) for i in range(n)]


# ----------------------------------------------------------------------------------- abstaining


@method("signal")
def reads_nothing(task, example, candidates, *, why: str = "no logprobs"):
    yield from sample(user("q"))
    raise Abstain(why)


@method("judge")
def undecided(task, example, first, second):
    yield from ()
    raise Abstain


@method("strategy")
def gives_up(task, example):
    yield from sample(user("q"))
    raise Unsupported("no embeddings")


@method("audit")
def unmeasured(task, cases):
    yield from ()
    raise Abstain("nothing to look at")


def test_a_signal_abstains_for_every_candidate(fake) -> None:
    (signals,) = drive({"s": reads_nothing(None, None, candidates(3))}, {"policy": fake()}).results.values()
    assert [s.abstained for s in signals] == ["no logprobs"] * 3
    assert all(s.value is None and s.n == 0 and s.provenance["method"] == "reads_nothing" for s in signals)


def test_a_judge_abstains_with_a_reason_and_the_order_shown(fake) -> None:
    (verdict,) = drive({"j": undecided(None, None, *candidates(2))}, {"policy": fake()}).results.values()
    assert verdict == Verdict(("c0", "c1"), None, reason="Abstain")


def test_a_strategy_abstains_with_no_answer(fake) -> None:
    (outcome,) = drive({"s": gives_up(None, None)}, {"policy": fake()}).results.values()
    assert isinstance(outcome, Outcome)
    assert (outcome.answer, outcome.confidence.abstained) == (None, "no embeddings")


def test_an_unsupported_request_makes_a_method_abstain(fake) -> None:
    model = fake(lambda request: Unsupported("no scores here"))
    (outcome,) = drive({"s": gives_up(None, None)}, {"policy": model}).results.values()
    assert outcome.confidence.abstained == "no scores here"


def test_an_audit_says_what_it_could_not_measure(fake) -> None:
    (findings,) = drive({"a": unmeasured(None, [])}, {"policy": fake()}).results.values()
    assert findings == [Finding("unmeasured", None, None, 0, verdict="not measured: nothing to look at")]


def test_a_method_that_runs_out_of_budget_abstains(fake) -> None:
    (outcome,) = drive({"s": gives_up(None, None)}, {"policy": fake()}, budget=1).results.values()
    assert "do not fit in 1 tokens" in outcome.confidence.abstained


def test_other_errors_are_failures(fake) -> None:
    @method("strategy")
    def buggy(task, example):
        yield from ()
        raise KeyError("a bug")

    assert drive({"b": buggy(None, None)}, {"policy": fake()}).failures["b"].error == "KeyError"


def test_the_decorator_keeps_name_docs_and_options() -> None:
    assert reads_nothing.__name__ == "reads_nothing"
    assert registry.options(reads_nothing)["why"].default == "no logprobs"
    with pytest.raises(ConfigError, match="unknown kind of method 'oracle'; known: signal"):
        method("oracle")


# -------------------------------------------------------------------------------------- listing


def test_the_source_says_what_a_method_is_without_importing_it(plugin: Path) -> None:
    known = registry.find("shouting")
    assert (known.kind, known.module, known.file) == ("strategy", "shouting_plugin", str(plugin))
    assert (known.summary, known.checked) == ("Answer in capitals.", "tests/x.py::test_y")
    assert known.all_papers == ("A Paper", "Another Paper")
    assert known.presets["fast"].options == {"n": 2}
    assert "shouting_plugin" not in sys.modules
    assert registry.find("watchful", "guard").summary == ""


@pytest.mark.parametrize("docstring", ["'A word.'", 'r"""A word."""', '"""A word: \\"""."""', ""])
def test_any_docstring_can_be_read(plugin: Path, docstring: str) -> None:
    plugin.write_text(f"{SOURCE}\n\n@method('study')\ndef odd():\n    {docstring}\n    return 1\n")
    known = [registry.find(name) for name in ("shouting", "watchful", "odd")]
    assert [m.summary[:6] for m in known] == ["Answer", "", "A word" if docstring else ""]


def test_heads_say_what_whole_files_say() -> None:
    root = Path(registry.__file__).parents[2]
    for known in registry.methods():
        text = (root / known.file).read_text(encoding="utf-8")
        assert known in registry._parsed(text, known.module, known.file)


def test_a_method_is_imported_when_used(plugin: Path) -> None:
    shouting = registry.load("shouting", "strategy")
    assert {name: p.default for name, p in registry.options(shouting).items()} == {"n": 4, "signal": "mean_logprob"}
    assert registry.options(shouting)["n"].annotation is int


def test_kinds_come_in_order_and_names_within_them(plugin: Path) -> None:
    listed = registry.methods()
    order = list(registry.FOLDERS)
    assert listed == sorted(listed, key=lambda m: (order.index(m.kind), m.name))
    assert [m.name for m in registry.methods("strategy")].count("shouting") == 1
    assert all(m.kind == "guard" for m in registry.methods("guard"))


def test_an_unknown_name_lists_the_known_ones(plugin: Path) -> None:
    with pytest.raises(ConfigError, match=r"no strategy is called 'whispering'; known: .*shouting"):
        registry.find("whispering", "strategy")
    with pytest.raises(ConfigError, match="no guard is called 'shouting'"):
        registry.load("shouting", "guard")


def test_a_name_declared_twice_is_refused(plugin: Path) -> None:
    plugin.write_text(SOURCE + SOURCE)
    with pytest.raises(ConfigError, match="'shouting' is declared more than once"):
        registry.find("shouting")


def test_a_plugin_that_cannot_be_found_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("gone", "no_such_plugin", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    with pytest.raises(ConfigError, match="plugin 'gone' names the module 'no_such_plugin'"):
        registry.methods()


def test_core_needs_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import whetstone.core.flow, whetstone.core.registry\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names - {'whetstone'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ----------------------------------------------------------------------------- values used above


def test_a_signal_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="exactly one of value and abstained"):
        Signal(None, "score")
    with pytest.raises(ValueError, match="exactly one of value and abstained"):
        Signal(1.0, "score", abstained="but why")


def test_values_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Sample(user("q")).role = "judge"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Finding("f", None, None, 0).n = 1  # type: ignore[misc]
