"""JSON from outside."""

from __future__ import annotations

import json
from typing import Any


def read_json(data: str | bytes) -> Any:
    """The value that JSON stands for. Raises ValueError for what is not JSON, or nested deeper than can be read."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError(str(error)) from None
