"""A file of JSON lines that only grows: what was confirmed is on the disk."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import StoreError


class Log:
    """Records in a file, one a line. One process at a time may write it.

    Args:
        path: made, with its folder, when the first record is added.

    Attributes:
        records: those in the file, in order.
        torn: bytes of a last line that was cut off while it was written, so never confirmed. They are taken off the
            file when the next record is added.

    Raises:
        StoreError: a file that cannot be read or written, is in use, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.torn = path, b""
        self.records: list[dict[str, Any]] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = path.read_bytes()
        except BlockingIOError:
            self.close()
            raise StoreError(f"{path} is in use by another arena; stop it or name another file") from None
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; name another file") from None
        try:
            self._take_in(data)
        except StoreError:
            self.close()
            raise

    def add(self, record: dict[str, Any]) -> None:
        """Write a record; when this returns, it is on the disk.

        Raises:
            StoreError: the disk did not take it; the file is as it was.
        """
        size = os.fstat(self.file).st_size
        try:
            self._write(json.dumps(record, separators=(", ", ": ")).encode() + b"\n")
        except OSError as error:
            os.ftruncate(self.file, size)
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
        self.records.append(record)

    def close(self) -> None:
        """Let others write the file."""
        os.close(self.file)

    def _take_in(self, data: bytes) -> None:
        whole, newline, rest = data.rpartition(b"\n")
        for number, line in enumerate((whole + newline).split(b"\n"), 1):
            if line.strip():
                self.records.append(self._read(line, number))
        if rest.strip():
            try:
                self.records.append(self._read(rest, len(whole.split(b"\n")) + 1))
                self._write(b"\n")
            except StoreError:
                self.torn = rest
                os.ftruncate(self.file, len(data) - len(rest))

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self.file, line) :]
        os.fsync(self.file)
        if not self.records:
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def _read(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            record = read_json(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise StoreError(f"{self.path}: line {number} is no JSON object; name a file of votes, or a new one")
        return record
