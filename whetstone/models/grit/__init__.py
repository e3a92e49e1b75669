"""grit: the embedded model. A tiny Llama that solves, doubts, criticises, compares and refines, on two CPU cores."""

from __future__ import annotations

from pathlib import Path

from whetstone.models.grit.dialect import GritDialect
from whetstone.models.grit.network import optimizer
from whetstone.models.transformers import TransformersModel

CHECKPOINT = Path(__file__).parent / "checkpoint"


LEARNING_RATE = 2e-3


def load_grit(folder: Path | None = None, *, device: str = "cpu") -> TransformersModel:
    """The shipped checkpoint, or one from a folder that `whetstone.models.grit.train` wrote.

    It trains further at `LEARNING_RATE`, a fifth of the rate that it was made with.
    """
    return TransformersModel(
        folder or CHECKPOINT,
        device=device,
        dtype="float32",
        dialect=GritDialect(),
        optimizer=optimizer,
        learning_rate=LEARNING_RATE,
        name="grit" if folder is None else f"grit:{folder.name}",
    )
