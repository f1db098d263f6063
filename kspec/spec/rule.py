"""The rule of one diagnostic code, shown by `kspec rule CODE`."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
"""Whether a problem ends the command, or is reported while the command continues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of problem, with a code that never changes its meaning."""

    code: str
    """`KS` and three digits; the first is the family."""
    title: str
    """The rule in one line, lower case."""
    explanation: str
    """Two to six lines of Markdown: the refused input, and the reason."""
    wrong: str
    """An example that breaks the rule."""
    right: str
    """The example, corrected."""
    exit_code: int = 2
    """1 a gate, parity or training failed; 2 wrong spec or usage; 3 the environment; 70 a bug of
    kspec. For a warning it applies under `--strict` only."""
    severity: Severity = "error"
