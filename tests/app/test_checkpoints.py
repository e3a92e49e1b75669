"""Checkpoints are whole or not at all."""

from pathlib import Path

import pytest
import torch

from whetstone.app import checkpoints
from whetstone.core.errors import StoreError

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(3)}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    checkpoints.save(STATE, tmp_path / "a" / "round-1", fingerprint="f")
    loaded = checkpoints.load(tmp_path / "a" / "round-1")
    assert loaded is not None
    assert all(torch.equal(loaded[name], STATE[name]) for name in STATE)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["round-1"]


def test_saving_again_replaces(tmp_path: Path) -> None:
    checkpoints.save(STATE, tmp_path / "c", fingerprint="f")
    checkpoints.save({"bias": torch.zeros(3)}, tmp_path / "c", fingerprint="g")
    loaded = checkpoints.load(tmp_path / "c")
    assert loaded is not None
    assert set(loaded) == {"bias"}


@pytest.mark.parametrize("harm", ["no manifest", "half a manifest", "cut weights", "one bit", "no weights", "empty"])
def test_a_damaged_checkpoint_is_never_loaded(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "c"
    checkpoints.save(STATE, folder, fingerprint="f")
    weights, manifest = folder / checkpoints.WEIGHTS, folder / checkpoints.MANIFEST
    data = weights.read_bytes()
    if harm == "no manifest":
        manifest.unlink()
    elif harm == "half a manifest":
        manifest.write_bytes(manifest.read_bytes()[:20])
    elif harm == "cut weights":
        weights.write_bytes(data[:-4])
    elif harm == "one bit":
        weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == "no weights":
        weights.unlink()
    else:
        manifest.write_text('{"fingerprint": "f", "files": {}}')
    assert checkpoints.load(folder) is None


def test_a_half_written_one_beside_it_is_ignored_and_replaced(tmp_path: Path) -> None:
    half = tmp_path / "c.half-written"
    half.mkdir()
    (half / checkpoints.WEIGHTS).write_bytes(b"junk")
    assert checkpoints.load(tmp_path / "c") is None
    checkpoints.save(STATE, tmp_path / "c", fingerprint="f")
    assert not half.exists()


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        checkpoints.save(STATE, tmp_path / "file" / "round-1", fingerprint="f")
