"""What a run pays for: counted by role, priced by the user's table, and stopped before it is too much."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask

from whetstone.app import cli
from whetstone.app.limits import Limits
from whetstone.app.meter import Meter, Metered
from whetstone.app.prices import Price, price_of, read_prices
from whetstone.app.verbs.solve import solve
from whetstone.app.workbench import workbench
from whetstone.core.errors import ConfigError, LimitReached, ModelError
from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Generation, Request, Sampling, Usage, user
from whetstone.models.scripted import ScriptedModel
from whetstone.store.store import open_store

N, TOKENS = 60, 9
PRICES = '[prices."toy"]\nprompt = 1000.0\ncompletion = 100000.0\n'
EACH = 8 * 0.001 + 0.1


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file of the test's own; empty at first."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("WHETSTONE_CONFIG", str(file))
    return file


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Request]]:
    """The toy behind every spec; yields the requests that it answers."""
    asked: list[Request] = []

    class Toy(ToyModel):
        def answer(self, request: Request) -> Any:
            reply = super().answer(request)
            if not isinstance(reply, Exception):
                asked.append(request)
            return reply

    monkeypatch.chdir(tmp_path)
    for name in ("verbs.solve", "verbs.run", "improve"):
        module = import_module(f"whetstone.app.{name}")
        monkeypatch.setattr(module, "load_task", lambda spec: ToyTask())
        monkeypatch.setattr(module, "load_model", lambda spec, device="auto": Toy())
    return asked


# ---------------------------------------------------------------------------------------- prices


def test_the_price_of_a_model(config: Path) -> None:
    assert price_of("openai/gpt") is None
    config.write_text(
        'currency = "EUR"\n[prices."openai/*"]\nprompt = 1\ncompletion = 2\n'
        '[prices."openai/gpt*"]\nprompt = 3\ncompletion = 4\n[prices."openai/gpt"]\nprompt = 5\ncompletion = 6.5\n'
    )
    assert price_of("openai/gpt") == Price(5.0, 6.5, "EUR")
    assert price_of("openai/gpt-mini") == Price(3.0, 4.0, "EUR")
    assert price_of("openai/other") == Price(1.0, 2.0, "EUR")
    assert price_of("grit") is None
    assert Price(5.0, 6.5).of(200_000, 1_000_000) == 7.5


def test_the_config_file_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WHETSTONE_CONFIG")
    for variable, place in (("XDG_CONFIG_HOME", "x"), ("HOME", "home/.config")):
        file = tmp_path / place / "whetstone" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(PRICES)
        monkeypatch.setenv(variable, str(tmp_path / place.partition("/")[0]))
        assert price_of("toy") == Price(1000.0, 100_000.0)
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prices = ", "not TOML"),
        ("price = 3", "unknown entry 'price'"),
        ("prices = 3", "prices is a table"),
        ("currency = 3", "currency is a name"),
        ("[prices]\ntoy = 3", 'prices."toy" needs prompt and completion'),
        ('[prices."toy"]\nprompt = 1', "needs prompt and completion"),
        ('[prices."toy"]\nprompt = 1\ncompletion = -1', "completion is a number from 0 up"),
        ('[prices."toy"]\nprompt = "1"\ncompletion = 1', "prompt is a number from 0 up"),
        ('[prices."toy"]\nprompt = nan\ncompletion = 1', "prompt is a number from 0 up"),
    ],
)
def test_a_wrong_price_table_is_one_line_that_names_it(config: Path, text: str, said: str) -> None:
    config.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(said)) as error:
        read_prices(config)
    assert str(error.value).startswith(f"{config}: ")
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------------------------------- the meter


def flows(n: int, role: str = "policy") -> dict[str, Flow[list[Generation]]]:
    return {f"{role}{i}": sample(user(f"{i}"), n=2, role=role, sampling=Sampling(max_tokens=50)) for i in range(n)}


def short(request: Request) -> Generation:
    return Generation("yes", usage=Usage(5, 2))


def test_the_meter_never_lets_more_through_than_the_limit_and_uses_what_it_may() -> None:
    for limit in (0, 6, 60, 100, 500, 1399):
        meter = Meter(Limits(tokens=limit or None))
        model = Metered(ScriptedModel(short), meter)
        if limit:
            with pytest.raises(LimitReached, match=f"--max-tokens {limit} leaves no room for the next"):
                drive(flows(100), {"policy": model})
            assert meter.tokens <= limit
            assert meter.note() == f"{meter.tokens} of {limit} paid"
            # One worst case: 2 bytes and 8 for the message, 50 to write.
            assert meter.tokens > limit - 60 - 7
        else:
            drive(flows(100), {"policy": model})
            assert (meter.asked, meter.tokens) == (200, 1400)
        assert meter.reserved == Usage()


def test_a_limit_of_money() -> None:
    price = Price(1.0, 10.0)
    meter = Meter(Limits(cost=0.003), price)
    with pytest.raises(LimitReached, match=r"0\.00\d+ USD.*--max-cost 0\.003"):
        drive(flows(100) | flows(50, "judge"), {"policy": Metered(ScriptedModel(short), meter)})
    assert meter.cost is not None
    assert 0.003 - price.of(10, 50) < meter.cost <= 0.003
    assert meter.cost == pytest.approx(price.of(sum(meter.prompt.values()), sum(meter.completion.values())))
    assert meter.note().endswith("USD of 0.003")


def test_two_models_share_a_meter_and_errors_are_free() -> None:
    def failing(request: Request) -> Generation:
        raise ModelError("down")

    meter = Meter(Limits(tokens=300))
    models = {"policy": Metered(ScriptedModel(short), meter), "judge": Metered(ScriptedModel(failing), meter)}
    done = drive(flows(10) | flows(10, "judge"), models)
    assert len(done.failures) == 10
    assert (meter.tokens, meter.asked, set(meter.prompt)) == (140, 20, {"policy"})
    with pytest.raises(LimitReached):
        drive(flows(30) | flows(30, "judge"), models)
    assert meter.tokens <= 300
    assert meter.reserved == Usage()


# -------------------------------------------------------------------------------------------- runs


def test_a_run_stops_at_the_limit_and_goes_on_where_it_stopped(tmp_path: Path, toys: list[Request], capsys) -> None:
    argv = ["solve", "--task", "toy", "--model", "toy", "--limit", str(N), "--json"]
    assert cli.main([*argv, "--store", "free"]) == 0
    free = json.loads(capsys.readouterr().out)
    assert free["paid"] == {
        "requests": N, "prompt": {"policy": 8 * N}, "completion": {"policy": N}, "cost": None, "currency": "",
    }  # fmt: skip
    toys.clear()

    assert cli.main([*argv, "--max-tokens", "200"]) == cli.EXIT_LIMIT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    command = re.search(r"go on with: whetstone (runs resume \S+) --max-tokens MORE", err)
    assert command
    assert 100 < TOKENS * len(toys) <= 200
    stopped = len(toys)

    # The same limit again: nothing more is paid for.
    assert cli.main(command[1].split()) == cli.EXIT_LIMIT
    assert len(toys) == stopped
    assert "paid for" in capsys.readouterr().err
    assert cli.main([*command[1].split(), "--max-tokens", "400"]) == cli.EXIT_LIMIT
    assert stopped < len(toys) <= 400 // TOKENS
    capsys.readouterr()

    assert cli.main([*command[1].split(), "--max-tokens", "2k"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert len(toys) == N, "what was answered before was not asked again"
    assert done["strategies"][0]["answers"] == free["strategies"][0]["answers"]
    assert done["paid"] == free["paid"], "what was paid before the stops counts"


def test_a_run_stops_at_the_cost(config: Path, toys: list[Request], capsys) -> None:
    argv = ["solve", "--task", "toy", "--model", "toy", "--limit", str(N), "--max-cost"]
    assert cli.main([*argv, "3"]) == 2
    err = capsys.readouterr().err
    assert "--max-cost needs the price of toy" in err
    assert str(config) in err
    assert toys == []
    assert not Path("runs").exists(), "no run was begun"

    config.write_text(PRICES)
    assert cli.main([*argv, "3"]) == cli.EXIT_LIMIT
    assert 2.0 < EACH * len(toys) <= 3.0
    assert "--max-cost MORE" in capsys.readouterr().err
    assert cli.main(["runs", "resume", "last", "--max-cost", "100"]) == 0
    out = capsys.readouterr().out
    assert f"Paid for: {N} requests, {N * TOKENS} tokens (policy 480 read and 60 written), {N * EACH:.2f} USD." in out
    assert cli.main(["runs", "show", "last"]) == 0
    assert re.search(rf"toy +policy +{N} +480 +60 +{N * EACH:.2f} USD +\d+", capsys.readouterr().out)


def test_replies_from_the_store_are_free(toys: list[Request], capsys) -> None:
    argv = ["solve", "--task", "toy", "--model", "toy", "--limit", str(N)]
    assert cli.main(argv) == 0
    toys.clear()
    assert cli.main([*argv, "--max-tokens", "1"]) == 0
    assert toys == []
    assert "Paid for" not in capsys.readouterr().out.split("Run ")[-1]


def test_improve_stops_at_the_limit_and_ends_as_if_it_had_not(tmp_path: Path, toys: list[Request], monkeypatch) -> None:
    from whetstone.app.improve import improve
    from whetstone.app.plan import Plan

    plan = Plan(test=16, dev=16, pool=16, k=2, rounds=1, judged=8)
    whole = improve("toy", "toy", plan=plan, store=tmp_path / "whole", out=tmp_path / "a")
    assert whole.cost is not None
    assert whole.cost.paid
    toys.clear()
    resume = None
    for limit in (0.4, 0.8):
        limits = Limits(tokens=int(limit * whole.cost.paid))
        with pytest.raises(LimitReached):
            improve("toy", "toy", plan=plan, store=tmp_path / "s", out=tmp_path / "b", resume=resume, limits=limits)
        assert TOKENS * len(toys) <= limit * whole.cost.paid
        with open_store(tmp_path / "s") as store:
            (run,) = store.list()
            assert run.finished is None
            resume = run.id
    again = improve("toy", "toy", plan=plan, store=tmp_path / "s", out=tmp_path / "b", resume=resume)
    assert again.baseline == whole.baseline
    assert again.signals == whole.signals
    assert again.conclusion == whole.conclusion
    assert again.cost is not None
    assert again.cost.paid == whole.cost.paid == TOKENS * len(toys)


def test_roles_are_told_apart(tmp_path: Path) -> None:
    with workbench("solve", {}, model=ScriptedModel(short), store=tmp_path) as bench:
        bench("both", flows(10) | flows(5, "judge"))
    paid = bench.meter.paid()
    assert (paid.requests, paid.prompt, paid.completion) == (
        30, {"policy": 100, "judge": 50}, {"policy": 40, "judge": 20},
    )  # fmt: skip
    assert "policy 100 read and 40 written, judge 50 read and 20 written" in bench.meter.sentence()


def test_a_methods_own_length_limit_keeps_a_flag(toys: list[Request], capsys) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", "checklist", "--help"])
    text = capsys.readouterr().out
    assert "--checklist-max-tokens" in text
    assert cli.main(["show", "checklist"]) == 0
    assert "--checklist-max-tokens" in capsys.readouterr().out
    assert cli.main(["run", "self_consistency", "--task", "toy", "--model", "toy", "--max-cost", "-1"]) == 2
    assert "not an amount above 0" in capsys.readouterr().err


def test_solve_from_python_takes_limits(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="whetstone runs resume"):
        solve(ToyTask(), model=ToyModel(), n=N, store=tmp_path, limits=Limits(tokens=100))
