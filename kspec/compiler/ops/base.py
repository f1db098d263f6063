"""Base classes of the IR's operations: frozen fields and a type rule."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kspec.compiler.ir import Dim, DType, Op, Shape, TensorType

ANY = frozenset(DType)
BOOLEANS = frozenset({DType.boolean})
NUMBERS = ANY - BOOLEANS
FLOATS = frozenset(dtype for dtype in DType if dtype.is_float)


class OpError(ValueError):
    """The type rule of an operation refuses its inputs."""


class UnequalError(OpError):
    """Two symbolic dimensions would have to be equal."""

    def __init__(self, message: str, names: frozenset[str]) -> None:
        super().__init__(message)
        self.names = names


@dataclass(frozen=True, slots=True)
class Elementwise(Op, ABC):
    """An elementwise operation, with NumPy's broadcasting between its inputs."""

    arity: ClassVar[int] = 1
    accepts: ClassVar[frozenset[DType]] = ANY
    """The accepted element types; all inputs have the same one."""

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, self.arity)
        dtype = self.result_dtype(*(each.dtype for each in inputs))
        return (TensorType(dtype, broadcast(*(each.shape for each in inputs))),)

    def result_dtype(self, *dtypes: DType) -> DType:
        return common_dtype(self, dtypes, self.accepts)


@dataclass(frozen=True, slots=True)
class AlongAxis(Elementwise, ABC):
    """Type-preserving; each element depends on the elements along ``axis``."""

    axis: int

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        (result,) = Elementwise.infer(self, *inputs)
        normalize_axis(self.axis, result.rank)
        return (result,)


def expect_arity(op: Op, inputs: Sequence[Any], *allowed: int) -> None:
    if len(inputs) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise OpError(f"{type(op).__name__} takes {wanted} inputs, found {len(inputs)}")


def common_dtype(op: Op, dtypes: Iterable[DType], accepts: frozenset[DType]) -> DType:
    """Return the common element type of all inputs, which the operation must accept."""
    distinct = sorted(set(dtypes))
    if len(distinct) != 1:
        raise OpError(f"{type(op).__name__} of mixed element types {', '.join(distinct)}")
    if distinct[0] not in accepts:
        raise OpError(f"{type(op).__name__} of {distinct[0]}")
    return distinct[0]


def expect_holds(dtype: DType, number: float | None) -> None:
    """Raise OpError if the element type cannot represent a field's number."""
    if number is not None and not dtype.is_float and not float(number).is_integer():
        raise OpError(f"{number} is not a value of {dtype}")


def expect_shape(shape: Shape) -> None:
    if any(isinstance(dim, int) and dim < 0 for dim in shape):
        raise OpError(f"a dimension below zero in {shape}")


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape after NumPy's broadcasting; a symbolic dimension equals only itself or 1."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_broadcast_dim(dims, shapes) for dims in zip(*padded, strict=True))


def _broadcast_dim(dims: tuple[Dim, ...], shapes: tuple[Shape, ...]) -> Dim:
    distinct = {dim for dim in dims if dim != 1}
    if len(distinct) > 1:
        message = f"shapes do not broadcast: {', '.join(map(str, shapes))}"
        names = frozenset(dim for dim in distinct if isinstance(dim, str))
        raise UnequalError(message, names) if names == distinct else OpError(message)
    return distinct.pop() if distinct else 1


def normalize_axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise OpError(f"axis {axis} is outside a tensor of rank {rank}")
    return axis % rank


def normalize_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return distinct non-negative axes, in the given order."""
    normal = tuple(normalize_axis(axis, rank) for axis in axes)
    if len(set(normal)) != len(normal):
        raise OpError(f"an axis occurs twice in {tuple(axes)}")
    return normal
