"""Sources of raw rows that only predictions and comparisons read: JSON and safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from kspec.compiler.ir import Array
from kspec.data.table import Request, Table
from kspec.features.kinds import Sort
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File


@dataclass(frozen=True, slots=True, eq=False)
class JsonRows:
    """A JSON list of objects with the same keys; a value is a number or a nested list of
    numbers."""

    path: Path
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def open(cls, file: File) -> JsonRows:
        """Read the objects. Raises KspecError KS913."""
        path = file.path
        try:
            content = json.loads(file.read().decode())
        except (ValueError, RecursionError) as error:
            raise unreadable(f"{path} is not JSON in UTF-8: {error}") from None
        rows = [content] if isinstance(content, dict) else content
        if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
            raise unreadable(f"{path} is not a list of objects")
        for place, row in enumerate(rows, 1):
            if odd := sorted(row.keys() ^ rows[0].keys()):
                raise unreadable(f"{path}: rows 1 and {place} differ in the key {odd[0]!r}")
        return cls(path, tuple(rows))

    @property
    def names(self) -> tuple[str, ...]:
        """The keys."""
        return tuple(self.rows[0])

    def sorts(self, column: str) -> frozenset[Sort]:  # noqa: ARG002
        """Values are numbers."""
        return frozenset(("number",))

    def read(self, request: Request) -> Table:
        """Return the values of these keys as float64 (rows, …). Raises KspecError KS913."""
        numbers = {name: self._numbers(name) for name in request.numbers}
        return Table(len(self.rows), numbers, {}, lambda row: f"{self.path.name}, row {row + 1}")

    def sample(self, request: Request) -> Table:
        """Return all rows, which are in memory."""
        return self.read(request)

    def _numbers(self, name: str) -> Array:
        try:
            return np.array([row[name] for row in self.rows], np.float64)
        except (ValueError, TypeError) as error:
            message = f"{self.path}: {name!r} is not a number or array of numbers in each row"
            raise unreadable(message) from error


@dataclass(frozen=True, slots=True, eq=False)
class TensorRows:
    """A safetensors file with one array (rows, …) of numbers for each column."""

    path: Path
    arrays: Mapping[str, Array]

    @classmethod
    def open(cls, file: File) -> TensorRows:
        """Read the arrays. Raises KspecError KS913."""
        path = file.path
        try:
            arrays = load(file.read())
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise unreadable(f"{path} is not a safetensors file of numbers: {error}") from None
        lengths = {array.shape[:1] for array in arrays.values()}
        if len(lengths) != 1 or lengths == {()} or lengths == {(0,)}:
            raise unreadable(f"{path}: the arrays have no rows, or different numbers of rows")
        return cls(path, arrays)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(self.arrays)

    def sorts(self, column: str) -> frozenset[Sort]:  # noqa: ARG002
        """Values are numbers."""
        return frozenset(("number",))

    def read(self, request: Request) -> Table:
        """Return these arrays."""
        numbers = {name: self.arrays[name] for name in request.numbers}
        rows = len(next(iter(self.arrays.values())))
        return Table(rows, numbers, {}, lambda row: f"{self.path.name}, row {row + 1}")

    def sample(self, request: Request) -> Table:
        """Return all rows, which are in memory."""
        return self.read(request)


def unreadable(message: str) -> KspecError:
    """Return KS913 for a file of rows that cannot be read."""
    return KspecError(Diagnostic("KS913", message, help='[{"input": 1.5}, {"input": 2.5}]'))
