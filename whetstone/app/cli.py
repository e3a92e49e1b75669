"""The command line: a table of verbs. A verb's module is imported only when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from whetstone import __version__
from whetstone.core.errors import ConfigError, LimitReached, WhetstoneError

VERBS = {
    "improve": "measure a model on a task, audit its signals, improve it with what holds up, report",
    "list": "the methods, by kind",
    "show": "one method: what it does, its papers, its flags",
    "run": "one method on a task and a model",
    "solve": "answer a task's questions by one or more strategies, at equal tokens",
    "know": "which self-signals separate right from wrong here",
    "train": "a training loop, round by round",
    "judge": "score or compare outputs from files with any judge",
    "audit": "may this judge be trusted? live, or from a file of its verdicts",
    "criteria": "assertions that grade a file of outputs as you do, found together",
    "compare": "two or many systems on the same items: runs, score files or strategies, paired",
    "arena": "vote on outputs side by side on a page of this machine, names hidden",
    "rank": "systems from battles, rankings or scores: intervals, tiers, a picture",
    "report": "the HTML report of an improve run",
    "runs": "list, show, diff, export, delete or resume stored runs",
    "cache": "the stored replies: size, hit rate, export, import",
    "convert": "verdicts and scores of other tools to our format, or on to rank and judge",
    "validate": "what is wrong in a data file, by line",
    "doctor": "what a model can do here, and which methods will abstain on it",
    "serve-model": "a model as an OpenAI-compatible server on this machine",
    "papers": "the papers, by family, with the method or study that implements each",
}
MODULES = {"list": "listing", "show": "listing", "serve-model": "serve_model"}

EXIT_MISTAKE, EXIT_GATE, EXIT_LIMIT, EXIT_INTERRUPTED = 2, 3, 4, 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line with the nearest known name."""

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            known = [flag for action in self._actions for flag in action.option_strings]
            raise ConfigError(
                f"{self.prog} does not know {unknown.split()[0]!r}{nearest(unknown.split()[0].split('=')[0], known)};"
                f" see {self.prog} --help"
            )
        raise ConfigError(f"{self.prog}: {message}; see {self.prog} --help")


def nearest(name: str, known: Sequence[str]) -> str:
    """ ", did you mean X?" where a known name is close, else ""."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""


def usage() -> str:
    """The top-level help."""
    width = max(map(len, VERBS))
    lines = "\n".join(f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items())
    return (
        "usage: whetstone VERB [...] [--json]\n\n"
        "Evaluate a language model, audit the evaluator, improve the model with what holds up.\n\n"
        f"{lines}\n\n"
        "whetstone VERB --help tells more. Every verb takes --json: the result on stdout, progress on stderr.\n"
        "Start with: whetstone improve ledger --model grit"
    )


def run(argv: Sequence[str]) -> int:
    """Dispatch to a verb and return its exit status."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if argv[0] in ("-V", "--version"):
        print(f"whetstone {__version__}")
        return 0
    verb = argv[0]
    if verb not in VERBS:
        raise ConfigError(f"no verb is called {verb!r}{nearest(verb, list(VERBS))}; see whetstone --help")
    module = import_module(f"whetstone.app.verbs.{MODULES.get(verb, verb)}")
    parser = Parser(prog=f"whetstone {verb}", description=module.__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", action="store_true", help="the result as JSON on stdout, progress on stderr")
    parser.set_defaults(verb=verb)
    module.arguments(parser, argv[1:])
    args = parser.parse_args(argv[1:])
    args.argv = list(argv[1:])
    return int(module.main(args) or 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Exit status: 0 done, 1 a bug (with its traceback), 2 a user's mistake (one line), 3 a gate failed, 4 stopped at
    --max-tokens or --max-cost, 130 stopped by Ctrl-C (either way all is kept and the line to resume is printed).
    """
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except WhetstoneError as error:
        print(f"whetstone: {' '.join(str(error).split())}", file=sys.stderr)
        return EXIT_LIMIT if isinstance(error, LimitReached) else EXIT_MISTAKE
    except KeyboardInterrupt as stop:
        command = stop.args[0] if stop.args else None
        print("\nwhetstone: stopped" + (f"; all is kept, resume with: {command}" if command else ""), file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
