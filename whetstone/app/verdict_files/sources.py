"""Files as records, one at a time: JSON Lines, JSON arrays and documents, CSV, TSV, Parquet, zip archives; gzip of all.

What a file is, is told from its bytes. A JSON array is decoded element by element, so that memory does not grow with
the file; a single JSON object is read whole.
"""

from __future__ import annotations

import codecs
import gzip
import json
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from itertools import chain
from lzma import LZMAError
from pathlib import Path
from typing import IO, cast

from whetstone.app.verdict_files.rows import Record, shown
from whetstone.core.decode import read_json
from whetstone.core.errors import TaskError
from whetstone.tasks.readers import read_rows

CHUNK = 1 << 20
MAX_VALUE = 1 << 28
"""Longest JSON element, in characters: a stop for files that never end."""
SPACE = " \t\r\n"
LONGEST_WORD = 16
"""More characters than any literal or escape of JSON has."""
ZSTANDARD = 93
LOCAL_HEADER = "<4s5H3L2H"
"""Of a member of a zip archive; the last two are the lengths of its name and of its extra field."""


def read_records(path: Path) -> Generator[Record, None, None]:
    """The records of a file, each with `file:line` (or element, row, member of an archive).

    Raises:
        TaskError: a file that cannot be read, by line.
    """
    if not path.is_file():
        raise TaskError(f"{path}: {'a folder, not a file' if path.is_dir() else 'no such file'}")
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head == b"PK\x03\x04":
            yield from _archive(path)
        elif head == b"PAR1":
            yield from _table(path)
        else:
            with gzip.open(path) if head[:2] == b"\x1f\x8b" else path.open("rb") as opened:
                yield from _text(path, cast(IO[bytes], opened))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise TaskError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _text(path: Path, file: IO[bytes]) -> Iterator[Record]:
    pieces = _pieces(path, file)
    start = ""
    for piece in pieces:
        start += piece
        if start.lstrip(SPACE):
            break
    kind = start.lstrip(SPACE)[:1]
    if not kind:
        raise TaskError(f"{path}: the file is empty")
    if kind in "[{":
        yield from _json(path, chain([start], pieces))
    else:
        yield from _table(path)


def _pieces(path: Path, file: IO[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line, begun = 1, False
    while True:
        chunk = file.read(CHUNK)
        if not begun and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise TaskError(f"{path}: the file is UTF-16; save it as UTF-8")
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            raise TaskError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None
        line, begun = line + chunk.count(b"\n"), True
        if not chunk:
            return


def _json(path: Path, pieces: Iterator[str]) -> Iterator[Record]:
    """Objects of an array, or objects one after the other (JSON Lines, or one document)."""
    scan = json.JSONDecoder().raw_decode
    buffer, at, line, number = "", 0, 1, 0
    within = ended = False
    while True:
        at, line, within, ended = _skip(path, buffer, at, line, within, ended, number)
        try:
            if at == len(buffer):
                raise ValueError
            value, end = scan(buffer, at)
        except RecursionError:
            raise TaskError(f"{path}:{line}: not JSON: nested too deeply") from None
        except ValueError as error:
            if _is_wrong(error, len(buffer)):
                raise TaskError(f"{path}:{line}: {_complaint(error)}") from None
            more = _more(path, buffer[at:], pieces, line)
            if more is not None:
                buffer, at = more, 0
                continue
            if at == len(buffer):
                if within and not ended:
                    raise TaskError(f"{path}:{line}: the array has no end; the file is cut off") from None
                return
            raise TaskError(f"{path}:{line}: {_complaint(error)}") from None
        number += 1
        place = f"{path}:{line}"
        if not isinstance(value, dict):
            raise TaskError(f"{place}: {shown(value)} is not an object; every record must be one")
        line += buffer.count("\n", at, end)
        at = end
        yield Record(place, value)


def _skip(
    path: Path, buffer: str, at: int, line: int, within: bool, ended: bool, number: int
) -> tuple[int, int, bool, bool]:
    """Past white space, commas and the brackets of the outer array."""
    while at < len(buffer):
        character = buffer[at]
        if character == "\n":
            line += 1
        elif character == "[" and not within and not number:
            within = True
        elif character == "]" and within and not ended:
            ended = True
        elif character not in SPACE and not (character == "," and within and number):
            if ended:
                raise TaskError(f"{path}:{line}: text after the end of the array")
            break
        at += 1
    return at, line, within, ended


def _more(path: Path, rest: str, pieces: Iterator[str], line: int) -> str | None:
    """What is left and at least as much again, so that a long value is not scanned once a piece; None at the end."""
    if len(rest) > MAX_VALUE:
        raise TaskError(f"{path}:{line}: one record is longer than {MAX_VALUE >> 20} MiB")
    found = [rest]
    have = 0
    for piece in pieces:
        found.append(piece)
        have += len(piece)
        if have >= max(len(rest), 1):
            return "".join(found)
    return "".join(found) if have else None


def _is_wrong(error: ValueError, end: int) -> bool:
    """Is it wrong whatever follows? An error at the end of what is there, or in a text without end, may be a cut."""
    if not isinstance(error, json.JSONDecodeError):
        return bool(error.args)
    return error.pos < end - LONGEST_WORD and not error.msg.startswith("Unterminated string")


def _complaint(error: ValueError) -> str:
    what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return f"not JSON: {what}; the line is damaged or the file is cut off"


def _table(path: Path) -> Iterator[Record]:
    for found in read_rows(path):
        if found.problem:
            raise TaskError(f"{path}:{found.line}: {found.problem}")
        if found.record is not None:
            yield Record(f"{path}:{found.line}", found.record)


def _archive(path: Path) -> Iterator[Record]:
    """The header and the samples of an archive, by name; members are read, never unpacked to disk."""
    with zipfile.ZipFile(path) as archive:
        names = dict.fromkeys(archive.namelist())
        samples = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
        if "header.json" not in names:
            raise TaskError(f"{path}: an archive without header.json; a log that was cut off, or of another tool")
        for name in ("header.json", *samples):
            place = f"{path}, {ascii(name)[1:-1]}"
            try:
                value = read_json(_member(path, archive.getinfo(name), archive))
            except ValueError as error:
                raise TaskError(f"{place}: not JSON: {error}") from error
            except (RuntimeError, struct.error, LZMAError) as error:
                raise TaskError(f"{place}: cannot be unpacked: {error}") from error
            if not isinstance(value, dict):
                raise TaskError(f"{place}: not an object")
            yield Record(place, value)


def _member(path: Path, info: zipfile.ZipInfo, archive: zipfile.ZipFile) -> bytes:
    """A member's bytes, also where it is packed by Zstandard, which the standard library does not read everywhere."""
    if info.file_size > MAX_VALUE:
        raise TaskError(f"{path}, {ascii(info.filename)[1:-1]}: longer than {MAX_VALUE >> 20} MiB")
    if info.compress_type != ZSTANDARD:
        return archive.read(info)
    try:
        import pyarrow
    except ImportError as error:
        raise TaskError(f"{path}: reading this archive needs pyarrow: pip install 'whetstone[data]'") from error
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name, extra = struct.unpack(LOCAL_HEADER, file.read(30))[-2:]
        file.seek(name + extra, 1)
        packed = file.read(info.compress_size)
    try:
        found = pyarrow.decompress(packed, decompressed_size=info.file_size, codec="zstd", asbytes=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise TaskError(f"{path}, {ascii(info.filename)[1:-1]}: {error}") from error
    if zlib.crc32(found) != info.CRC:
        raise TaskError(f"{path}, {ascii(info.filename)[1:-1]}: damaged: its checksum does not fit")
    return bytes(found)
