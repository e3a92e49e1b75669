"""`whetstone audit`: files and live judges, what it finds, its gate, and what it refuses in one line."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask, field

from whetstone.app import cli
from whetstone.app.live_audit import Plan
from whetstone.app.trust import RULES
from whetstone.app.verbs.audit import audit, audit_file
from whetstone.core.errors import Abstain, ConfigError
from whetstone.core.types import Form, Generation, Reply, Request, Usage
from whetstone.models.scripted import ScriptedModel

Call = Callable[..., Any]
SWAP = {"first": "second", "second": "first", "tie": "tie"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(run_verb: Call) -> Call:
    return partial(run_verb, verb="audit")


def write(rows: Sequence[Mapping[str, Any]], name: str = "v.jsonl") -> Path:
    path = Path(name)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def recorded(n: int, *, right: float = 0.9, first: float = 0.0, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Verdicts in both orders of a judge that is right so often, and picks the first place in a share of the rest."""
    rng = Random(seed)
    rows = []
    for i in range(n):
        label = rng.choice(["first", "second"])
        good = rng.random() < right
        for swapped in (False, True):
            truth = SWAP[label] if swapped else label
            said = truth if good else SWAP[truth]
            if rng.random() < first:
                said = "first"
            shown = ("a", "b") if not swapped else ("b", "a")
            sizes = {"a": 10 + i % 7, "b": 10 + i % 5}
            row = {"prompt": f"p{i}", "first": shown[0], "second": shown[1], "verdict": said, "label": truth}
            rows.append(row | {"first_length": sizes[shown[0]], "second_length": sizes[shown[1]]} | more)
    return rows


def measured(found: Any, name: str) -> Any:
    return next(one.finding for one in found.judges[0].measured if one.finding.name == name)


def test_a_file_is_audited_and_the_answer_has_its_reasons(call: Call) -> None:
    write(recorded(300))
    text = " ".join(call("v.jsonl").split())
    assert "This judge may be trusted for ranking, and is not known to be fit for training." in text
    assert "✓ at least .20" in text
    assert "probes (recorded verdicts cannot be probed)" in text
    found = audit_file("v.jsonl", own="a")
    assert measured(found, "accuracy").estimate == pytest.approx(0.9, abs=0.04)
    assert measured(found, "order_consistency").estimate == 1
    assert measured(found, "self_preference").interval[0] < 0 < measured(found, "self_preference").interval[1]
    assert found.judges[0].tables[0].rows == ("first", "tie", "second")


def test_a_planted_preference_for_a_place_is_found_and_not_trusted() -> None:
    found = audit_file(write(recorded(300, first=0.6)))
    assert measured(found, "first_position").estimate == pytest.approx(0.8, abs=0.05)
    adjusted = next(one.adjusted for one in found.judges[0].measured if one.finding.name == "first_position")
    assert adjusted < 0.01
    assert found.judges[0].trust.of("ranking") == "no"
    flips = found.judges[0].tables[1]
    assert sum(map(sum, flips.counts)) == 300
    assert flips.counts[0][2] > 100, "answer 1 when it stands first, answer 2 when that does"


def test_several_judges_stand_in_one_table_and_one_can_be_chosen(call: Call) -> None:
    write([*recorded(200, judge="good"), *recorded(200, right=0.5, seed=1, judge="coin")])
    text = call("v.jsonl")
    assert text.index("good") < text.index("coin")
    assert "May they be trusted for ranking? 1 yes, 1 no." in text
    one = call("v.jsonl", "--judge", "coin", "--json")
    assert [judge["judge"] for judge in one["judges"]] == ["coin"]
    assert "no judge is called 'x'; there are good, coin" in call("v.jsonl", "--judge", "x", status=2)


def test_the_gate_decides_the_exit_status(call: Call) -> None:
    write(recorded(300))
    assert "Gate passed" in call("v.jsonl", "--gate")
    assert "Gate failed: the judge fit for training." in call("v.jsonl", "--gate", "training", status=3)
    assert "Gate passed" in call("v.jsonl", "--gate", "training", "--rule", "probes=none")
    assert "Gate failed" in call("v.jsonl", "--gate", "--rule", "agreement=.95", status=3)
    assert json.loads(json.dumps(call("v.jsonl", "--gate", "--json")))["gate"] == {"use": "ranking", "passed": True}


def test_categories_probabilities_and_dropped_rows(call: Call) -> None:
    rng = Random(1)
    rows = recorded(300)
    for i, row in enumerate(rows):
        row |= {"language": "de" if i // 2 % 2 else "en", "probability": rng.random()}
    rows[0]["verdict"] = None
    found = call(str(write(rows)), "--by", "language", "--json")
    names = {one["finding"]["name"] for one in found["judges"][0]["measured"]}
    assert {"accuracy de", "accuracy en", "gap", "ece"} <= names
    assert found["judges"][0]["bins"]
    assert found["judges"][0]["tables"][0]["counts"][0][3] + found["judges"][0]["tables"][0]["counts"][2][3] == 1
    assert "no row has a field 'dialect'" in call("v.jsonl", "--by", "dialect", status=2)


def test_scores_are_audited_too(call: Call) -> None:
    rng = Random(0)
    rows = []
    for i in range(400):
        label = rng.random() < 0.5
        score = 0.7 * label + 0.3 * rng.random()
        rows.append({"prompt": f"{i // 2}", "system": "s", "score": score, "label": float(label), "length": i % 9})
    found = call(str(write(rows)), "--json")["judges"][0]
    assert found["kind"] == "scores"
    assert found["trust"]["uses"][0]["answer"] == "yes"
    assert {"auroc", "ece", "unreadable"} <= {one["finding"]["name"] for one in found["measured"]}


def test_what_a_file_does_not_say_is_given_as_in_convert(call: Call) -> None:
    battle = {"model_a": "base", "model_b": "tuned", "winner": "model_b", "judge": "people"}
    write([{**battle, "question_id": f"q{i}", "anony": i % 2 == 0} for i in range(60)])
    hidden = call("v.jsonl", "--format", "arena", "--json")
    assert hidden["judges"][0]["n"] == 30
    assert hidden["dropped"]
    every = call("v.jsonl", "--format", "arena", "--known-names", "--json")
    assert every["judges"][0]["n"] == 60
    assert not every["dropped"]
    replies = [
        {
            "custom_id": f"r{i}",
            "response": {"body": {"model": "gpt", "choices": [{"message": {"content": f"Rating: [[{20 + i}]]"}}]}},
        }
        for i in range(40)
    ]
    write(replies, "batch.jsonl")
    graded = ("batch.jsonl", "--reply", "score", "--json")
    assert unreadable(call(*graded)) == 1.0
    assert unreadable(call(*graded, "--scale", "0-100")) == 0.0
    assert "--scale" in call(*graded, "--scale", "ten", status=2)


def unreadable(found: Mapping[str, Any]) -> float:
    """The share of scores that could not be read."""
    measured = {one["finding"]["name"]: one["finding"] for one in found["judges"][0]["measured"]}
    return measured["unreadable"]["estimate"]


def test_a_judge_without_an_error_has_intervals_too() -> None:
    found = audit_file(write(recorded(200, right=1.0)))
    low, high = measured(found, "kappa").interval
    assert 0.9 < low < high == 1
    low, high = measured(found, "length_errors").interval
    assert -0.05 < low < 0 < high < 0.05
    assert found.judges[0].trust.of("ranking") == "yes"


def test_many_rows_take_little_time() -> None:
    """Processor time, with room for a busy machine: 60,000 rows take 1 s, a million 14 s (`benchmarks/auditing.py`)."""
    path = write(recorded(30_000))
    began = time.process_time()
    found = audit_file(path, own="a")
    assert time.process_time() - began < 5
    assert found.judges[0].n == 60_000
    assert {"cycles", "system_order"}.isdisjoint(one.finding.name for one in found.judges[0].measured)


@pytest.mark.parametrize(
    ("text", "flags", "says"),
    [
        ('{"verdict": "first"}\n{"verdict": "A"}\n', [], "v.jsonl:2: verdict: 'A' is not a number; it can be first"),
        ('{"verdict": "first"}\n{"verdict": \n', [], "v.jsonl:2: not JSON"),
        ('{"verdict": "first", "label": 3}\n', [], "v.jsonl:1: label: 3 is not between 0 and 1"),
        ('{"said": "first"}\n', [], "v.jsonl: of no known format, by its first record's fields: said"),
        ("", [], "v.jsonl: the file is empty"),
        ('{"verdict": "first"}\n', ["--own", "me"], "--own me: no answers of that source; there are none named"),
        ('{"verdict": "first"}\n', ["--rule", "kindness=1"], "no rule is called 'kindness'"),
        ('{"verdict": "first"}\n', ["--gate", "both"], "'both' is not one of ranking, training"),
        ('{"verdict": "first"}\n', ["--picture", "v.jsonl/x.html"], "cannot write the picture to v.jsonl/x.html"),
        (
            '{"verdict": "first"}\n',
            ["--model", "grit", "--task", "ledger"],
            "either --task or a file of outputs, not both",
        ),
        ('{"verdict": "first"}\n', ["--probess", "1"], "did you mean '--probes'"),
    ],
)
def test_what_is_refused(call: Call, text: str, flags: list[str], says: str) -> None:
    Path("v.jsonl").write_text(text)
    assert says in call("v.jsonl", *flags, status=2)


def test_the_hint_at_outputs_is_for_files_of_no_format(call: Call) -> None:
    hint = "outputs that a judge should judge first need --model"
    Path("v.jsonl").write_text('{"said": "first"}\n')
    assert hint in call("v.jsonl", status=2)
    Path("v.jsonl").write_text('{"verdict": "no known format"}\n')
    told = call("v.jsonl", status=2)
    assert "'no known format' is not a number" in told
    assert hint not in told


def test_without_a_file_or_a_model_it_says_what_is_missing(call: Call) -> None:
    assert "name a file of verdicts, or --model and --task" in call(status=2)
    assert "no such file" in call("none.jsonl", status=2)
    assert "either --task or a file of outputs, not none" in call("--model", "grit", status=2)


# ------------------------------------------------------------------------------------------- live


def judge_of(choose: Callable[[str, str, str], str], name: str = "judge") -> ScriptedModel:
    """The toy as the writer, and a judge that chooses by (question, first, second)."""
    toy = ToyModel()

    def answer(request: Request) -> Reply | Exception:
        part = request.prompt[-1].parts[0]
        if isinstance(part, Form) and part.name == "compare":
            shown = [field(request.prompt, name) for name in ("question", "first", "second")]
            return Generation(f"Verdict: {choose(*shown)}", usage=Usage(9, 2))
        return toy.answer(request)

    return ScriptedModel(answer, name=name)


def unasked(request: Request) -> Reply | Exception:
    raise AssertionError("asked, though what was wanted could not be right")


def true_judge(question: str, first: str, second: str) -> str:
    total = str(sum(map(int, question.partition("@")[0].split("+"))))[-1]
    sides = [text[-1:] == total and len(text) < 2 for text in (first, second)]
    return "E" if sides[0] == sides[1] else "A" if sides[0] else "B"


PLAN = Plan(pairs=120, probed=60, samples=6)


def test_a_true_judge_is_trusted_live_and_one_that_likes_long_answers_is_taken_in() -> None:
    fair = audit(ToyTask(), model=judge_of(true_judge), plan=PLAN)
    assert [use.answer for use in fair.judges[0].trust.uses] in (["yes", "yes"], ["yes", "unknown"])
    assert measured(fair, "accuracy").estimate == 1
    assert measured(fair, "probe verbosity").estimate == 0
    assert measured(fair, "constant empty").estimate == 0

    def longer(question: str, first: str, second: str) -> str:
        if len(first) == len(second):
            return true_judge(question, first, second)
        return "A" if len(first) > len(second) else "B"

    taken = audit(ToyTask(), model=judge_of(longer, "longer"), plan=PLAN, out="v.jsonl")
    probes = [one.finding for one in taken.judges[0].measured if one.finding.name.startswith("probe ")]
    assert len(probes) == 10
    assert all(one.estimate == 1 and one.p < 0.001 for one in probes)
    assert taken.judges[0].trust.of("training") == "no"
    assert len(Path("v.jsonl").read_text().splitlines()) == measured(taken, "unreadable").n
    assert audit_file("v.jsonl").judges[0].n == measured(taken, "unreadable").n


def test_a_judge_of_places_is_found_out_live() -> None:
    found = audit(ToyTask(), model=judge_of(lambda *_: "A"), plan=PLAN)
    assert measured(found, "first_position").estimate == 1
    assert measured(found, "order_consistency").estimate == 0
    assert found.judges[0].trust.sentence.startswith("This judge may not be trusted at all")


def test_a_judge_that_goes_round_and_one_that_forgets_are_found_out_live() -> None:
    fair = audit(ToyTask(), model=judge_of(true_judge), plan=PLAN, temperature=1.0)
    again = measured(fair, "repeat_consistency")
    assert (again.estimate, again.n) == (1.0, 120)
    assert "repeats" not in fair.judges[0].missing
    assert re.fullmatch(r"in (\d+) of \1 triples it calls two answers even", fair.judges[0].missing["cycles"])

    def beats(question: str, first: str, second: str) -> str:
        return "A" if (int(first) - int(second)) % 3 == 1 else "B" if (int(second) - int(first)) % 3 == 1 else "E"

    rows = [{"question": f"{i}+{i}@1", "a": "0", "b": "1", "c": "2"} for i in range(40)]
    path = str(write(rows, "three.jsonl"))
    names = {"columns": {}, "outputs": ("a", "b", "c"), "plan": PLAN}
    dizzy = measured(audit(path, model=judge_of(beats, "dizzy"), **names), "cycles")
    assert (dizzy.estimate, dizzy.n) == (1.0, 40)
    straight = judge_of(lambda question, first, second: "A" if first > second else "B", "straight")
    assert measured(audit(path, model=straight, **names), "cycles").estimate == 0.0
    rng = Random(3)
    coin = judge_of(lambda *_: rng.choice("AB"), "coin")
    found = measured(audit(path, model=coin, temperature=1.0, **names), "repeat_consistency")
    assert found.interval[0] < 0.5 < found.interval[1]
    greedy = audit(path, model=coin, **names).judges[0]
    assert greedy.missing["repeats"] == "no temperature above 0, so that it says the same again"


def test_outputs_of_a_file_are_the_material_with_their_labels(call: Call) -> None:
    rows = [
        {"question": f"{i}+{i + 1}@1", "mine": str((2 * i + 1 + i % 2) % 10), "theirs": str((2 * i + 2 - i % 2) % 10)}
        for i in range(60)
    ]
    for i, row in enumerate(rows):
        row["label"] = "mine" if i % 2 == 0 else "theirs"
    path = write(rows, "outputs.jsonl")
    found = audit(str(path), model=judge_of(true_judge), columns={}, outputs=("mine", "theirs"), own="mine", plan=PLAN)
    assert measured(found, "accuracy").estimate == 1
    assert measured(found, "self_preference").estimate == 0
    assert found.judges[0].labelled == 120


def test_outputs_without_labels_are_judged_and_not_probed() -> None:
    rows = [{"question": f"{i}+{i + 1}@1", "output_1": "1", "output_2": "22"} for i in range(30)]
    path = str(write(rows, "outputs.jsonl"))
    found = audit(path, model=judge_of(lambda *_: "A", "first"), columns={}, plan=PLAN)
    assert measured(found, "first_position").estimate == 1
    assert found.judges[0].labelled == 0
    assert found.judges[0].missing["probes"] == "no pair of a right and a wrong answer"
    assert found.judges[0].trust.of("ranking") == "no"
    with pytest.raises(ConfigError, match="--own me: no answers of that source; there are output_1, output_2"):
        audit(path, model=judge_of(true_judge), columns={}, plan=PLAN, own="me")


def test_a_signal_is_audited_live() -> None:
    found = audit(ToyTask(), "p_true", model=ToyModel(), plan=PLAN)
    assert found.judges[0].kind == "scores"
    assert measured(found, "auroc").estimate == pytest.approx(0.5)
    assert found.judges[0].trust.of("ranking") == "no"
    assert measured(found, "first_place").n > 0


def test_what_a_live_audit_refuses() -> None:
    with pytest.raises(Abstain, match="answers none of the"):
        audit(ToyTask(), model=ToyModel(), judge="balanced_judge", plan=PLAN)
    with pytest.raises(ConfigError, match="no probe is called 'kindness'"):
        audit(ToyTask(), model=ScriptedModel(unasked), plan=Plan(20, 20, probes="kindness"))
    with pytest.raises(ConfigError, match="--own is for judges that compare two answers; sum_logprob scores each"):
        audit(ToyTask(), "sum_logprob", model=ScriptedModel(unasked), plan=PLAN, own="me")


def test_grit_from_the_command_line_resumes_where_its_tokens_ended(call: Call) -> None:
    flags = ("--model", "grit", "--task", "ledger:levels=4-6", "--pairs", "12", "--probed", "4", "--answers", "4")
    call(*flags, "--max-tokens", "3k", status=4)
    found = call(*flags, "--json", "--resume", "last")
    assert found["judges"][0]["n"] == 24
    assert found["format"] == "live"
    assert found["run"]


# ------------------------------------------------------------------------------------------- docs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "auditing.md").read_text(encoding="utf-8")
DATA = Path(os.environ.get("WHETSTONE_RECORDED_DATA") or ROOT.parent / "shared" / "data")
BLOCKS = {block.split("\n")[0]: block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)}


def shown(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command of the page and compare what it prints with what the page shows."""
    status = 3 if "Gate failed" in BLOCKS[command] else 0
    assert cli.main(shlex.split(command)[2:]) == status
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.strip("\n").split("\n")).strip()
    page = "\n".join(BLOCKS[command].rstrip().split("\n")[1:]).replace("[", "[[]").replace("...", "*")
    assert fnmatch(printed, page.strip())


def test_the_docs_judge_outputs_as_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "docs" / "examples" / "outputs.jsonl", ".")
    shown(next(c for c in BLOCKS if c.startswith("$ whetstone judge")), capsys)


@pytest.mark.skipif(not (DATA / "llmbar").is_dir(), reason="no recorded data; set WHETSTONE_RECORDED_DATA")
def test_the_docs_audit_recorded_judges_as_they_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHETSTONE_RECORDED_DATA", str(DATA.resolve()))
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], {})
    commands = [c for c in BLOCKS if c.startswith("$ whetstone audit llmbar.jsonl")]
    assert len(commands) == 2
    for command in commands:
        shown(command, capsys)
    assert Path("audit.svg").read_text() == (ROOT / "docs" / "pictures" / "audit.svg").read_text()


def test_the_docs_audit_grit_live_with_these_rules(call: Call) -> None:
    command = next(c for c in BLOCKS if c.startswith("$ whetstone audit --model"))
    small = ("--pairs", "24", "--probed", "6", "--answers", "4")
    text = call(*shlex.split(command)[3:], *small)
    rules = [
        line.split("  ")[0].partition(":")[0] for line in BLOCKS[command].split("\n") if re.search("[✓✗?] at", line)
    ]
    assert len(rules) == 9
    assert all(rule.strip() in text for rule in rules)


def test_the_docs_name_every_rule_with_its_limits() -> None:
    for rule in RULES:
        told = [limit for limit in rule.limits if limit is not None]
        row = next(line for line in PAGE.split("\n") if line.startswith(f"| `{rule.name}` |"))
        assert rule.words in row
        assert all(f"{'at least' if rule.least else 'at most'} {limit:g} |" in row for limit in told)
