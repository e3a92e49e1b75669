"""Dialects: how a model that was trained on its own notation reads a prompt."""

from __future__ import annotations

from typing import Protocol

from whetstone.core.types import Prompt


class Dialect(Protocol):
    """Renders prompts for one model, in place of a chat template."""

    def encode(self, prompt: Prompt) -> str:
        """The text that the model continues.

        Raises:
            Unsupported: the prompt asks for something that this notation cannot express.
        """
