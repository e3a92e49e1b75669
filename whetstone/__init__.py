"""Whetstone: evaluate a language model, audit the evaluator, improve the model with what holds up.

    import whetstone as ws

    task = ws.load_task("ledger:levels=5-8")
    model = ws.load_model("grit")
    result = ws.improve(task, model=model)

Names are imported when they are first used, so that `import whetstone` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PUBLIC = {
    "improve": "whetstone.app.improve",
    "solve": "whetstone.app.verbs.solve",
    "know": "whetstone.app.verbs.know",
    "train": "whetstone.app.verbs.train",
    "compare": "whetstone.app.verbs.compare",
    "load_task": "whetstone.tasks.load",
    "load_model": "whetstone.models.load",
    "open_store": "whetstone.store",
    "method": "whetstone.core.registry",
    "methods": "whetstone.core.registry",
    "load": "whetstone.core.registry",
    "drive": "whetstone.core.flow",
    "sample": "whetstone.core.flow",
    "score": "whetstone.core.flow",
    "embed": "whetstone.core.flow",
    "gather": "whetstone.core.flow",
    "Sampling": "whetstone.core.types",
    "Example": "whetstone.core.types",
    "Candidate": "whetstone.core.types",
    "Signal": "whetstone.core.types",
    "Outcome": "whetstone.core.types",
    "Verdict": "whetstone.core.types",
    "Finding": "whetstone.core.types",
    "WhetstoneError": "whetstone.core.errors",
}

__version__ = "0.1.0"
__all__ = ["__version__", *PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'whetstone' has no attribute {name!r}; it has {', '.join(PUBLIC)}")
    value = getattr(import_module(PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
