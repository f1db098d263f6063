"""Sizes of symbolic dimensions, measured on arrays."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from kspec.compiler.ir import Array, Dim, Shape, Value


class EvaluationError(ValueError):
    """Arrays do not have the types declared in the graph."""


class Dimensions:
    """Sizes by name. A name keeps its first size. A dimension may be an expression of other
    dimensions, as in the type rules: ``(time-3)//2+1``."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def size(self, dim: Dim) -> int | None:
        """Return the size, or None if a name in the dimension is unknown."""
        if isinstance(dim, int):
            return dim
        known = self._sizes.get(dim)
        return known if known is not None else _evaluate(ast.parse(dim, mode="eval").body, self)

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """Return the shape in numbers, with -1 for unknown sizes."""
        known = (self.size(dim) for dim in shape)
        return tuple(-1 if size is None else size for size in known)

    def learn(self, value: Value, array: Array) -> None:
        """Check the array against the type; new names get their sizes from the array."""
        if array.dtype != value.dtype.numpy or array.ndim != value.type.rank:
            raise EvaluationError(f"{value} was given {array.dtype.name}{list(array.shape)}")
        for dim, found in zip(value.shape, array.shape, strict=True):
            size = self.size(dim)
            if size is None and isinstance(dim, str):
                self._sizes[dim] = found
            elif size != found:
                known = "" if size == dim else f", {dim} is {size}"
                raise EvaluationError(f"{value} was given shape {array.shape}{known}")

    def __getitem__(self, name: str) -> int | None:
        return self._sizes.get(name)


_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def _evaluate(node: ast.expr, sizes: Dimensions) -> int | None:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name):
            return sizes[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            x, y = _evaluate(left, sizes), _evaluate(right, sizes)
            return None if x is None or y is None else _OPERATORS[type(op)](x, y)
    raise EvaluationError(f"{ast.unparse(node)} is not a dimension")
