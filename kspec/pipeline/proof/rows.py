"""The rows on which artifacts are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kspec.compiler.ir import Array
from kspec.pipeline.proof.verdict import Yardsticks


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on which artifacts are judged: arrays of (rows, …) by the spec's names."""

    inputs: Mapping[str, Array]
    """Raw inputs."""
    expected: Mapping[str, Array]
    """The trained model's outputs: its graph evaluated in float64, rounded to the output's type."""
    targets: Mapping[str, Array] = field(default_factory=dict)
    """True targets; empty for drawn rows."""
    yardsticks: Yardsticks = field(default_factory=dict)
    """The trained model's own error in float32 against ``expected``."""

    def __len__(self) -> int:
        return len(next(iter(self.expected.values())))

    def first(self, count: int) -> Rows:
        """Return the first ``count`` rows."""

        def cut(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array[:count] for name, array in arrays.items()}

        return replace(
            self,
            inputs=cut(self.inputs),
            expected=cut(self.expected),
            targets=cut(self.targets),
        )
