"""Errors, named after the boundary that was crossed. The message says what to do next.

WhetstoneError
├── ConfigError       a flag, option or method name that the user gave
├── TaskError         a data file, an example, a verifier
├── ModelError        a backend, a checkpoint, a server
├── StoreError        the run database or a checkpoint folder
├── LimitReached      the run would pay for more than it may; everything answered is stored
├── BudgetExceeded    thrown into a flow that asks for more than its budget
└── Abstain           a method cannot answer honestly; becomes an abstained result
    └── Unsupported   the backend cannot answer this kind of request
"""

from __future__ import annotations


class WhetstoneError(Exception):
    """Base of all expected errors: the command line prints one line and exits with status 2."""


class ConfigError(WhetstoneError):
    """A flag, option, name or configuration value is wrong."""


class TaskError(WhetstoneError):
    """A data file, an example or a verifier is wrong; the message names file and line."""


class ModelError(WhetstoneError):
    """A model could not be loaded or failed to answer a request."""


class StoreError(WhetstoneError):
    """The run database or a checkpoint folder cannot be read or written."""


class LimitReached(WhetstoneError):
    """The run has paid for as much as it may, in tokens or in money; what was answered is stored."""


class BudgetExceeded(WhetstoneError):
    """Thrown into a flow at the `yield` whose requests do not fit in the token budget."""


class Abstain(WhetstoneError):
    """Raised by a method that cannot answer honestly; `@method` turns it into an abstained result."""


class Unsupported(Abstain):
    """Thrown into a flow whose request the backend cannot answer (no logprobs, no embeddings ...)."""
