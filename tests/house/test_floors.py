"""The house rules: arrows point down, no cycles, no import hidden in a function, small rooms stay small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "whetstone"
FLOORS = [
    {"core"},
    {"stats", "worlds"},
    {"models", "tasks", "ranking", "store", "papers"},
    {"signals"},
    {"strategies", "audits", "simulate"},
    {"loops", "studies"},
    {"app"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(p for p in ROOT.rglob("*.py") if p.parent != ROOT)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Whetstone modules and others that a file imports, and whether the import stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in hidden) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or "", id(node) in hidden


def room(module: str) -> str:
    return module.split(".")[1] if module.startswith("whetstone.") else ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_down(path: Path) -> None:
    here = path.relative_to(ROOT).parts[0]
    for module, hidden in imports(path):
        there = room(module)
        if not there or there == here:
            continue
        assert FLOOR_OF[there] < FLOOR_OF[here], f"{here} imports {module}"
        if FLOOR_OF[here] in (3, 4, 5):
            assert there not in ("models", "store"), f"{here} must not know {module}"
        assert not hidden or here == "app", f"import of {module} is hidden in a function"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_torch_lives_in_models_and_loops(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] not in ("models", "loops", "app"):
        heavy = {"torch", "transformers", "httpx", "sqlite3"} - (
            {"sqlite3"} if path.relative_to(ROOT).parts[0] == "store" else set()
        )
        assert not {module.split(".")[0] for module, _ in imports(path)} & heavy


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor part of a docstring."""
    text = path.read_text(encoding="utf-8")
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(bool(line.strip()) and i not in prose for i, line in enumerate(text.splitlines(), 1))


def test_core_is_small_and_stands_on_the_standard_library_alone() -> None:
    files = sorted((ROOT / "core").glob("*.py"))
    assert sum(map(code_lines, files)) < 700
    for path in files:
        for module, _ in imports(path):
            assert room(module) == "core" or not module.startswith("whetstone")
            assert module.split(".")[0] not in ("numpy", "scipy", "torch", "rich")


def test_no_cycles_between_modules() -> None:
    graph = {
        "whetstone." + ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): {
            module for module, hidden in imports(p) if module.startswith("whetstone") and not hidden
        }
        for p in FILES
    }
    state: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if state.get(module) == 2 or module not in graph:
            return
        assert state.get(module) != 1, f"cycle: {' -> '.join((*trail, module))}"
        state[module] = 1
        for other in graph[module]:
            visit(other, (*trail, module))
        state[module] = 2

    for module in graph:
        visit(module, ())


def test_methods_stay_under_150_lines() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if "\n@method(" in text:
            assert len(text.splitlines()) <= 150, path
