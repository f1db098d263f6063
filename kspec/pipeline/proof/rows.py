"""The rows that artifacts are judged on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kspec.compiler.ir import Array


@dataclass(frozen=True, slots=True)
class Rows:
    """What artifacts are judged on: raw inputs, the trained model's outputs, and, where there are
    any, true targets. Arrays of (rows, …) by the spec's names."""

    inputs: Mapping[str, Array]
    expected: Mapping[str, Array]
    targets: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.expected.values())))

    def first(self, count: int) -> Rows:
        return Rows(*({k: v[:count] for k, v in part.items()} for part in self._parts()))

    def _parts(self) -> Iterator[Mapping[str, Array]]:
        yield from (self.inputs, self.expected, self.targets)
