"""The command line from outside: start-up time, JSON on every verb, one line and status 2 for a user's mistake."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from whetstone.app import cli


def whetstone(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "whetstone.app.cli", *argv]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.mark.parametrize("argv", [["--help"], ["list"], ["papers"]])
def test_starts_without_numpy_torch_or_rich(argv: list[str]) -> None:
    code = (
        "import sys; from whetstone.app.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'numpy', 'scipy', 'torch', 'rich', 'sqlite3'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy or status else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_start_up_is_quick() -> None:
    def processor_seconds(*argv: str) -> float:
        """Of the command alone, since the clock on the wall also counts what else the machine does."""
        times = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            whetstone(*argv)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(times)

    assert processor_seconds("--help") < 0.3
    assert processor_seconds("list", "--json") < 0.8  # 0.14 s measured on a quiet machine


def test_import_is_quick() -> None:
    code = "import time; t = time.perf_counter(); import whetstone; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.1


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {verb} " in text for verb in cli.VERBS)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([verb, "--help"])
    assert stop.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["lits"], "did you mean 'list'"),
        (["list", "--jsn"], "did you mean '--json'"),
        (["list", "signals"], "kinds: signal"),
        (["show", "no_such_method"], "no method is called 'no_such_method'"),
        (["papers", "knowing"], "families: "),
        (["runs", "--store", "/no/such"], "/no/such"),
        (["runs", "show"], "takes 1 name"),
        (["runs", "frobnicate"], "invalid choice"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(argv: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("whetstone: ")
    assert err.count("\n") == 1
    assert hint in err


def test_list_json_has_the_agreed_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--json"]) == 0
    for known in json.loads(capsys.readouterr().out):
        assert {"name", "kind", "papers", "file", "summary"} <= set(known)


def test_papers_json_covers_the_whole_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["papers", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 383
    assert [r["family"] for r in rows] == sorted(r["family"] for r in rows)


def test_a_bug_is_a_traceback_and_status_1() -> None:
    code = (
        "from whetstone.app import cli\n"
        "import whetstone.app.verbs.papers as verb\n"
        "verb.index = lambda: 1 / 0\n"
        "raise SystemExit(cli.main(['papers']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_the_public_namespace_is_what_it_says() -> None:
    import whetstone

    for name in whetstone.__all__:
        assert getattr(whetstone, name) is not None
    assert set(whetstone.__all__) <= set(dir(whetstone))
    with pytest.raises(AttributeError, match="no attribute 'improv'"):
        _ = whetstone.improv
