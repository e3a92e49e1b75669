"""Write into docs/servers.md what doctor says of the three servers: `python tests/servers/document.py`.

`make servers` comes first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from counterparts import ROOT, Served, of_llama_cpp, of_transformers, own, with_template

PAGE = ROOT / "docs" / "servers.md"


def doctor(server: Served) -> str:
    """The command and what it prints."""
    name = f"openai/{server.model}@{server.url}"
    command = [sys.executable, "-m", "whetstone.app.cli", "doctor", "--model", name]
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join([f"$ whetstone doctor --model {name}", *lines]))


def main() -> None:
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as name:
        places = [Path(name) / part for part in ("own", "transformers", "llama")]
        for place in places:
            place.mkdir()
        checkpoint = with_template(places[1] / "plain-grit")
        starts = own(places[0], 8001), of_transformers(checkpoint, 8002, checkpoint.name), of_llama_cpp(places[2], 8003)
        for start in starts:
            with start as server:
                said = doctor(server)
            port = server.url.rpartition(":")[2]
            page, found = re.subn(
                rf"```\n\$ whetstone doctor --model \S+:{port}\n.*?\n```\n",
                lambda _, s=said: f"```\n{s}\n```\n",
                page,
                flags=re.DOTALL,
            )
            assert found == 1, f"{PAGE} has no place for {server.url}"
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
