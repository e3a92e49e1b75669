"""Step 3, audit: may the model's judgement of answers be trusted? Judges and signals that look at answers are probed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whetstone.app.console import Console, interval, p_value
from whetstone.app.grading import questions, sampled
from whetstone.app.material import cases
from whetstone.app.plan import Plan
from whetstone.app.result import AuditRow
from whetstone.app.workbench import Workbench
from whetstone.core.errors import WhetstoneError
from whetstone.core.registry import load, methods, options
from whetstone.core.types import Case, Finding, Task


@dataclass(frozen=True)
class Audit:
    """One row an evaluator."""

    rows: tuple[AuditRow, ...]
    sentence: str
    abstentions: Mapping[str, int] = field(default_factory=dict)

    def trusts(self, name: str) -> bool:
        """Whether an evaluator passed; one that was not audited is not distrusted."""
        return all(row.passed for row in self.rows if row.subject == name)
