"""How long a person waits for the first line: median of seven starts of each command, in seconds."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass (the floor)": ["-c", "pass"],
    "import whetstone": ["-c", "import whetstone"],
    "whetstone --help": ["-m", "whetstone.app.cli", "--help"],
    "whetstone list": ["-m", "whetstone.app.cli", "list"],
    "whetstone papers": ["-m", "whetstone.app.cli", "papers"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one start."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    print("| command | seconds |\n| --- | --- |")
    for name, arguments in COMMANDS.items():
        print(f"| `{name}` | {statistics.median(seconds(arguments) for _ in range(7)):.3f} |")


if __name__ == "__main__":
    main()
