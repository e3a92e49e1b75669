"""What an arena can show: outputs of systems for prompts, from a file or a folder, with images and sounds."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from whetstone.app.outputs import OUTPUT
from whetstone.core.errors import TaskError
from whetstone.core.types import Media, Part
from whetstone.tasks.readers import file_format, read_rows, stem

IDS = ("id", "prompt_id", "question_id", "item", "item_id", "example_id", "uid", "idx")
PROMPTS = ("prompt", "question", "instruction", "input", "messages")
SYSTEMS = ("system", "model", "generator", "model_name", "model_id")
NEEDED = "needed: system, prompt and output"
IMAGES = {
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
    **{f".{kind}": f"image/{kind}" for kind in ("png", "gif", "webp", "avif", "bmp")},
}
SOUNDS = {
    **dict.fromkeys((".ogg", ".oga", ".opus"), "audio/ogg"),
    **dict.fromkeys((".m4a", ".mp4a"), "audio/mp4"),
    **{".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".aac": "audio/aac"},
}
TEXTS = (".txt", ".md")
MIMES = {*IMAGES.values(), *SOUNDS.values()}

Parts = tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs of systems for prompts.

    Attributes:
        systems: their names, sorted.
        items: ids of the prompts; `prompts` what was asked, as the parts of a message.
        given: (system, item) -> the output's parts; an image or a sound is one by value, or a `file:` address.
        dropped: rows that are not here, by reason.
    """

    systems: tuple[str, ...]
    items: tuple[str, ...]
    prompts: tuple[Parts, ...]
    given: Mapping[tuple[int, int], Parts]
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def have(self) -> NDArray[np.bool_]:
        """[systems, items] is there an output?"""
        found = np.zeros((len(self.systems), len(self.items)), dtype=bool)
        for system, item in self.given:
            found[system, item] = True
        return found


def read_outputs(path: Path) -> Outputs:
    """The outputs of a file or a folder.

    A file (JSON Lines, CSV, TSV, Parquet) has a row for each output: the system (`SYSTEMS`), the prompt (`PROMPTS`),
    its id (`IDS`; without one, the prompt is) and the output (`OUTPUT`): a text, or a list of parts as in messages of
    OpenAI's interface. Columns `image` and `audio` add a file beside it, by its path, or a `data:` address. A folder
    holds such files, each of them one system's if it has no column for the system; or a folder for each system, with a
    file for each prompt (texts, images and sounds of one name belong together). `prompts.*` in it, a file or a folder,
    holds the prompts.

    Raises:
        TaskError: nothing to show, or a row that cannot be right, by file and line.
    """
    reader = _Reader()
    if path.is_dir():
        files = [p for p in sorted(path.iterdir()) if not p.name.startswith(".")]
        for file in sorted(files, key=lambda p: stem(p) != "prompts"):
            if file.is_dir():
                reader.folder(file)
            elif file_format(file):
                reader.file(file, "" if stem(file) == "prompts" else stem(file))
            else:
                reader.leave(file)
    elif not path.exists():
        raise TaskError(f"{path}: no such file or folder")
    elif file_format(path) is None:
        raise TaskError(f"{path}: neither a folder nor a .jsonl, .csv, .tsv or .parquet file")
    else:
        reader.file(path, None)
    return reader.outputs(path)


class _Reader:
    def __init__(self) -> None:
        self.prompts: dict[str, Parts] = {}
        self.given: dict[tuple[str, str], Parts] = {}
        self.dropped: Counter[str] = Counter()

    def file(self, path: Path, system: str | None) -> None:
        """Rows of a file; those that name no system are `system`'s, and prompts alone where that is ""."""
        for row in read_rows(path):
            where = f"{path}: line {row.line}"
            if row.problem:
                raise TaskError(f"{where}: {row.problem}")
            record = {name.strip().casefold(): value for name, value in (row.record or {}).items()}
            if not record:
                continue
            asked = _first(record, PROMPTS)
            prompt = _parts(asked, path.parent, f"{where}, prompt")
            item = str(_first(record, IDS) if _first(record, IDS) is not None else _plain(prompt)).strip()
            if not item:
                raise TaskError(f"{where}: no id and no prompt; there are {', '.join(record)}")
            if asked is not None and self.prompts.setdefault(item, prompt) != prompt:
                raise TaskError(f"{where}: prompt {item!r} is another one here than above; give each its own id")
            if system == "":
                continue
            name = _first(record, SYSTEMS)
            name = system if name is None else str(name)
            if not name or not name.strip():
                raise TaskError(f"{where}: no system is named; there are {', '.join(record)}; {NEEDED}")
            output = _first(record, OUTPUT)
            parts = _parts(output, path.parent, f"{where}, output")
            for kind in ("image", "audio"):
                if record.get(kind):
                    parts += (_media(str(record[kind]), path.parent, f"{where}, {kind}"),)
            if output is None and not parts:
                if not {*OUTPUT, "image", "audio"} & set(record):
                    raise TaskError(f"{where}: no output; there are {', '.join(record)}; {NEEDED}")
                self.dropped["no output"] += 1
                continue
            self._add(" ".join(name.split()), item, parts)

    def folder(self, path: Path) -> None:
        """Files of one system (or the prompts), each for the prompt that it is named after."""
        found: dict[str, dict[int, Part]] = {}
        for file in sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(".")):
            kind = file.suffix.lower()
            if kind in TEXTS:
                try:
                    found.setdefault(file.stem, {})[0] = file.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise TaskError(f"{file}: cannot be read as UTF-8 text: {error}") from None
            elif kind in IMAGES or kind in SOUNDS:
                found.setdefault(file.stem, {})[1 + (kind in SOUNDS)] = _media(file.name, path, str(file))
            else:
                self.leave(file)
        for item, parts in found.items():
            whole = tuple(part for _, part in sorted(parts.items()))
            if path.name == "prompts":
                self.prompts.setdefault(item, whole)
            else:
                self._add(path.name, item, whole)

    def leave(self, file: Path) -> None:
        """Count a file that is not used."""
        self.dropped[f"files of a kind that cannot be shown ({file.suffix.lower() or 'no ending'})"] += 1

    def _add(self, system: str, item: str, parts: Parts) -> None:
        if (system, item) in self.given:
            self.dropped["further outputs of the same system for the same prompt"] += 1
            return
        self.given[system, item] = parts

    def outputs(self, path: Path) -> Outputs:
        of = Counter(item for _, item in self.given)
        alone = sum(n < 2 for n in of.values())
        if alone:
            self.dropped["outputs for prompts that no other system answered"] = alone
        items = tuple(item for item in of if of[item] > 1)
        systems = tuple(sorted({system for system, item in self.given if of[item] > 1}))
        if len(systems) < 2:
            what = f"outputs of {len({s for s, _ in self.given})} systems, and no prompt that two answered"
            left = "".join(f"; not used: {n} {reason}" for reason, n in self.dropped.items())
            raise TaskError(f"{path}: {what if self.given else 'no outputs'}: there is nothing to compare{left}")
        place, number = ({name: i for i, name in enumerate(names)} for names in (systems, items))
        given = {(place[s], number[i]): parts for (s, i), parts in self.given.items() if i in number}
        return Outputs(systems, items, tuple(self.prompts.get(i, (i,)) for i in items), given, dict(self.dropped))


def _first(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _plain(parts: Parts) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def _parts(value: Any, folder: Path, where: str) -> Parts:
    """A text, a list of parts, a message or a list of messages, as parts."""
    return tuple(_each(value, folder, where))


def _each(value: Any, folder: Path, where: str) -> Iterator[Part]:
    if value is None:
        return
    if isinstance(value, list):
        for part in value:
            yield from _each(part, folder, where)
    elif isinstance(value, dict) and "content" in value:
        yield from _each(value["content"], folder, where)
    elif isinstance(value, dict) and isinstance(value.get("text"), str):
        yield value["text"]
    elif isinstance(value, dict) and (address := _address(value)) is not None:
        yield _media(address, folder, where)
    elif isinstance(value, dict):
        raise TaskError(f"{where}: a part with {', '.join(map(str, value)) or 'nothing'} is no text, image or sound")
    else:
        yield str(value)


def _address(part: Mapping[str, Any]) -> str | None:
    """Where a part's image or sound is."""
    for name in ("image_url", "audio_url", "image", "audio"):
        inner = part.get(name)
        inner = inner.get("url") if isinstance(inner, dict) else inner
        if isinstance(inner, str):
            return inner
    sound = part.get("input_audio")
    if isinstance(sound, dict) and isinstance(sound.get("data"), str):
        kind = SOUNDS.get(f".{sound.get('format', 'wav')}", "audio/wav")
        return f"data:{kind};base64,{sound['data']}"
    return None


def _media(address: str, folder: Path, where: str) -> Media:
    """An image or a sound by its address: `data:`, or a path inside the folder.

    What lies in the network stays there: it is kept by its address and never loaded.
    """
    if address.startswith("data:"):
        head, comma, body = address[5:].partition(",")
        mime = head.partition(";")[0].strip().lower()
        if mime not in MIMES or not comma:
            raise TaskError(f"{where}: {address[:40]!r} is none of {', '.join(sorted(MIMES))}")
        try:
            data = b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
        except (binascii.Error, ValueError):
            raise TaskError(f"{where}: the data of an address cannot be decoded") from None
        return Media("image" if mime.startswith("image") else "audio", mime, data)
    kind = Path(address).suffix.lower()
    if address.startswith(("http://", "https://")):
        mime = IMAGES.get(kind) or SOUNDS.get(kind) or "image/png"
        return Media("audio" if kind in SOUNDS else "image", mime, url=address)
    if kind not in IMAGES and kind not in SOUNDS:
        raise TaskError(f"{where}: {address[:80]!r} is none of {', '.join((*IMAGES, *SOUNDS))}")
    try:
        file = (folder / address).resolve()
        there = file.is_file()
    except (OSError, ValueError, RuntimeError):
        raise TaskError(f"{where}: {address[:80]!r} cannot be the path of a file") from None
    if not file.is_relative_to(folder.resolve()):
        raise TaskError(f"{where}: {address[:80]!r} lies outside the folder {folder}")
    if not there:
        raise TaskError(f"{where}: {address[:80]!r}: no such file in {folder}")
    mime = IMAGES.get(kind) or SOUNDS[kind]
    return Media("image" if kind in IMAGES else "audio", mime, url=file.as_uri())
