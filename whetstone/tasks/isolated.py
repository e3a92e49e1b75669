"""Checks that may run for ever, made in a child process that the system stops after a second of computing.

A regular expression from a data file can need exponential time on a model's text, and Python's `re` cannot be
interrupted. One child a kind of check serves all of them; it starts with the first, and again after it was stopped.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, Literal, cast

from whetstone.core.errors import Abstain

SECONDS = 1.0

_SERVE = """
def serve(check):
    import json, signal, sys
    print(flush=True)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            reply = bool(check(*json.loads(line)))
        except Exception as error:
            reply = f"{type(error).__name__}: {error}"
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        print(json.dumps(reply), flush=True)
""".replace("SECONDS", str(SECONDS))
_CHILD: Mapping[str, str] = {
    "pattern": f"import re\n{_SERVE}\nserve(re.search)",
    "schema": f"from jsonschema.validators import validator_for as v\n{_SERVE}\n"
    "serve(lambda schema, value: v(schema)(schema).is_valid(value))",
}

_lock = threading.Lock()
_children: dict[str, subprocess.Popen[bytes]] = {}


def check(kind: Literal["pattern", "schema"], rule: Any, subject: Any) -> bool:
    """Is a regular expression found in a text, or is a JSON value valid under a JSON Schema?

    Raises:
        Abstain: that takes over a second of computing on this text, or fails.
    """
    with _lock:
        child = _children.get(kind) or _start(kind)
        try:
            cast(IO[bytes], child.stdin).write(json.dumps([rule, subject]).encode() + b"\n")
            cast(IO[bytes], child.stdin).flush()
            line = cast(IO[bytes], child.stdout).readline()
        except BrokenPipeError:
            line = b""
        if not line:
            _stop(kind)
            raise Abstain(f"the {kind} takes more than {SECONDS:g} s of computing on this text")
    reply = json.loads(line)
    if not isinstance(reply, bool):
        raise Abstain(f"the {kind} could not be checked: {reply}")
    return reply


def _start(kind: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", _CHILD[kind]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    cast(IO[bytes], child.stdout).readline()
    _children[kind] = child
    return child


def _stop(kind: str) -> None:
    child = _children.pop(kind)
    child.kill()
    for pipe in (child.stdin, child.stdout):
        try:
            cast(IO[bytes], pipe).close()
        except BrokenPipeError:
            continue
    child.wait()


@atexit.register
def _stop_all() -> None:
    for kind in list(_children):
        _stop(kind)
