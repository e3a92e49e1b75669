"""The README says what is there: its tree, its links, its commands and the output it shows."""

import re
import subprocess
import sys
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path

import pytest

from whetstone.app.cli import VERBS, main
from whetstone.app.verbs.papers import index

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_names_every_room_and_nothing_else() -> None:
    tree = re.search(r"```\nwhetstone/\n(.*?)```", README, re.DOTALL)
    assert tree
    rooms = set(re.findall(r"^  (\w+)/", tree.group(1), re.MULTILINE))
    assert rooms == {p.name for p in (ROOT / "whetstone").iterdir() if (p / "__init__.py").exists()}
    for folder in re.findall(r"^(\w+)/", tree.group(1), re.MULTILINE):
        assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z-]+)", README):
        if target not in ("and",):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_verbs_exist() -> None:
    for verb in re.findall(r"^\$ whetstone (\w+)", README, re.MULTILINE):
        assert verb in VERBS


def test_shown_output_is_what_the_command_prints() -> None:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    checked = 0
    for block in blocks:
        lines = block.rstrip().split("\n")
        if len(lines) < 2 or any(line.startswith("$") for line in lines[1:]):
            continue
        words = lines[0].removeprefix("$ whetstone ").split()
        done = subprocess.run(
            [sys.executable, "-m", "whetstone.app.cli", *words], capture_output=True, text=True, check=True, cwd=ROOT
        )
        assert fnmatch(done.stdout.strip(), "\n".join(lines[1:]).replace("[", "[[]").replace("...", "*")), lines[0]
        checked += 1
    assert checked


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "whetstone.app.docs", "--check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_what_was_found_is_noted_of_implemented_papers_only() -> None:
    noted = [paper for paper in index() if paper.found]
    assert len(noted) == len(files("whetstone.papers").joinpath("found.tsv").read_text().splitlines()) - 1
    assert all(paper.methods for paper in noted)


def test_papers_are_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["papers", "--search", "tail-patch"]) == 0
    said = capsys.readouterr().out
    assert "Foundational Autoraters" in said
    assert "Works when:" in said
    assert "1 papers, 1 implemented" in said
