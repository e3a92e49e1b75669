"""Vote on outputs of systems side by side, on a page of this machine, without knowing who made them.

FILE has a row for each output: system, prompt, output (and id, image, audio); a folder holds such files, or a folder
for each system with a text, an image or a sound for each prompt. Votes are added to a file that whetstone rank reads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import get_args

from whetstone.app.arena.outputs import Outputs, read_outputs
from whetstone.app.arena.play import Arena
from whetstone.app.console import Console
from whetstone.app.verbs.serve_model import HOST, listen
from whetstone.core.errors import ConfigError
from whetstone.ranking.schedules.matchmaker import Choice


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("file", metavar="FILE_OR_FOLDER", help=".jsonl, .csv, .tsv, .parquet, or a folder")
    parser.add_argument("--votes", default="votes.jsonl", help="the file that votes are added to (default votes.jsonl)")
    parser.add_argument("--k", type=int, default=2, help="outputs side by side: 2, or up to 5 to rank (default 2)")
    parser.add_argument(
        "--schedule",
        choices=get_args(Choice),
        default="information",
        help="who meets next: drawn by what a match would tell (default), who played least, or upper confidence "
        "bounds, which are quick to a ranking but spoil its intervals",
    )
    parser.add_argument("--seed", type=int, default=0, help="of matches and orders (default 0)")
    parser.add_argument("--level", type=float, default=0.95, help="confidence of the leaderboard (default 0.95)")
    parser.add_argument("--bootstrap", type=int, default=1000, metavar="N", help="refitted rounds (default 1000)")
    parser.add_argument("--port", type=int, default=8123, help="0 takes any that is free (default 8123)")


def main(args: argparse.Namespace) -> int:
    console = Console(quiet=args.json)
    if args.bootstrap < 0 or args.bootstrap == 1:
        raise ConfigError(f"--bootstrap {args.bootstrap}: it takes 0 (no bootstrap) or at least 2 rounds")
    outputs = read_outputs(Path(args.file))
    try:
        site = import_module("whetstone.app.arena.site")
        uvicorn = import_module("uvicorn")
    except ModuleNotFoundError as error:
        raise ConfigError(f"an arena needs {error.name}; run: pip install 'whetstone[web]'") from error
    with listen(args.port) as listener:
        votes = Path(args.votes)
        arena = Arena(outputs, votes, size=args.k, choice=args.schedule, level=args.level, seed=args.seed)
        try:
            app = site.site(arena, title=Path(args.file).name, rounds=args.bootstrap, level=args.level, seed=args.seed)
            url = f"http://{HOST}:{listener.getsockname()[1]}/"
            if args.json:
                print(json.dumps({"url": url, "votes": str(votes), **described(outputs)}), flush=True)
            for text in said(outputs, arena, url):
                console.say(text)
            config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            console.say(f"stopped; {len(arena.answered)} votes are in {votes}")
        finally:
            arena.close()
    return 0


def described(outputs: Outputs) -> dict[str, object]:
    """What the arena shows, for programs."""
    return {
        "systems": list(outputs.systems),
        "prompts": len(outputs.items),
        "outputs": len(outputs.given),
        "dropped": dict(outputs.dropped),
    }


def said(outputs: Outputs, arena: Arena, url: str) -> list[str]:
    """The same for people, and what is left to do."""
    path = arena.votes.path
    lines = [f"{len(outputs.given)} outputs of {len(outputs.systems)} systems for {len(outputs.items)} prompts."]
    if outputs.dropped:
        lines.append(f"Not used: {', '.join(f'{n} {reason}' for reason, n in outputs.dropped.items())}.")
    if arena.votes.records:
        lines.append(f"{path} holds {len(arena.votes.records)} votes; new ones are added.")
    if arena.votes.torn:
        lines.append(f"The last line of {path} was cut off before it was confirmed, and is removed.")
    if arena.unknown:
        lines.append(f"{arena.unknown} earlier matches were of systems or prompts that are not here; their votes stay.")
    if arena.maker.choice == "ucb":
        lines.append("With --schedule ucb, intervals and tiers claim too much: use information to publish them.")
    lines.append(f"Vote at {url} (Ctrl-C stops); the ranking: {url}leaderboard, or whetstone rank {path}")
    return lines
