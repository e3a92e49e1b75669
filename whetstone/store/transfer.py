"""Stored replies as a file: one JSON object a line, `{"key", "model", "request", "reply"}`.

A reply belongs to its key, which holds the model's fingerprint and the whole request: on another machine it answers
the same request to the same model.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from whetstone.core.errors import StoreError
from whetstone.core.types import Generation
from whetstone.store.database import Database, text
from whetstone.store.encoding import (
    decode_reply,
    decode_request,
    dumps,
    encode_reply,
    encode_request,
    loads,
    pack,
    unpack,
)

PAGE = 1000
PAGED = "SELECT rowid, key, model, request, reply FROM replies WHERE rowid > ? AND {model} ORDER BY rowid LIMIT ?"
ADD = "INSERT OR IGNORE INTO replies (key, model, request, reply) VALUES (?, CAST(? AS TEXT), ?, ?)"


@dataclass(frozen=True)
class Imported:
    """`new` replies were added; `known` ones were here already and stay as they are."""

    new: int
    known: int


def export_replies(database: Database, target: Path, model: str | None = None) -> int:
    """Write replies to a new file, whole or not at all; other processes may go on storing meanwhile."""
    if target.exists():
        raise StoreError(f"{target}: exists already; choose another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            whole, n = Path(scratch) / target.name, 0
            with _open(whole, "wb") as out:
                for line in _lines(database, model):
                    out.write(line)
                    n += 1
            os.replace(whole, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
    return n


def import_replies(database: Database, source: Path) -> Imported:
    """Add the replies of a file in one transaction."""
    new = total = 0
    try:
        with _open(source, "rb") as lines, database.transaction():
            rows = (_row(line, f"{source}:{number}") for number, line in enumerate(lines, 1) if line.strip())
            while part := list(islice(rows, PAGE)):
                new += database.execute_many(ADD, part)
                total += len(part)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise StoreError(f"{source}: the compressed file is damaged ({error}); export it again") from error
    except OSError as error:
        raise StoreError(
            f"{source}: cannot be read ({error.strerror}); name a file of whetstone cache export"
        ) from error
    return Imported(new, total - new)


def _open(file: Path, mode: str) -> IO[bytes]:
    if file.suffix != ".gz":
        return file.open(mode)
    # No time stamp: the same replies give the same file.
    return gzip.GzipFile(file, mode, compresslevel=6, mtime=0)  # type: ignore[return-value]


def _lines(database: Database, model: str | None) -> Iterator[bytes]:
    """Page by page, so that memory stays bounded and no lock is held."""
    sql = PAGED.format(model="1" if model is None else "model = CAST(? AS TEXT)")
    last = 0
    while rows := database.read(sql, (last, *([] if model is None else [text(model)]), PAGE)):
        for last, key, name, request, reply in rows:  # noqa: B007
            asked = None if request is None else loads(unpack(request))
            yield dumps({"key": key.hex(), "model": name, "request": asked, "reply": loads(unpack(reply))}) + b"\n"


def _row(line: bytes, at: str) -> tuple[bytes, bytes | None, bytes | None, bytes]:
    """A line as a row; what could not be replayed later is refused now."""
    try:
        value: dict[str, Any] = loads(line)
        key, name, request, reply = bytes.fromhex(value["key"]), value["model"], value["request"], value["reply"]
        if len(key) != 32:
            raise ValueError("a key has 64 hexadecimal digits")
        stored = decode_reply(reply)
        if isinstance(stored, Generation) and not isinstance(stored.text, str):
            raise ValueError("a reply's text is a string")
        asked = None if request is None else pack(dumps(encode_request(decode_request(request))))
        return key, None if name is None else text(name), asked, pack(dumps(encode_reply(stored)))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{at}: not JSON ({error}); name a file of whetstone cache export") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, struct.error) as error:
        raise StoreError(f"{at}: not a stored reply ({error!r}); name a file of whetstone cache export") from error
