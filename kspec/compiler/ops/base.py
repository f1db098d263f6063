"""What every operation of the IR is: frozen fields and a type rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kspec.compiler.ir import Dim, DType, Shape, TensorType


class OpError(ValueError):
    """An operation was given inputs that its type rule refuses."""


@dataclass(frozen=True, slots=True)
class Op(ABC):
    """An operation. Its dataclass fields are its attributes; tensors are never fields."""

    @abstractmethod
    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        """The types of the outputs for these input types; raises OpError."""


@dataclass(frozen=True, slots=True)
class Elementwise(Op, ABC):
    """Applied element by element, with NumPy's broadcasting between its inputs."""

    arity: ClassVar[int] = 1

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        expect_arity(self, inputs, self.arity)
        dtype = self.result_dtype(*(each.dtype for each in inputs))
        return (TensorType(dtype, broadcast(*(each.shape for each in inputs))),)

    def result_dtype(self, *dtypes: DType) -> DType:
        if len(set(dtypes)) != 1:
            raise OpError(f"{type(self).__name__} of mixed element types {', '.join(dtypes)}")
        return dtypes[0]


def expect_arity(op: Op, inputs: Sequence[Any], *allowed: int) -> None:
    if len(inputs) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise OpError(f"{type(op).__name__} takes {wanted} inputs, found {len(inputs)}")


def broadcast(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; a symbolic dimension equals only itself or 1."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_broadcast_dim(dims, shapes) for dims in zip(*padded, strict=True))


def _broadcast_dim(dims: tuple[Dim, ...], shapes: tuple[Shape, ...]) -> Dim:
    distinct = {dim for dim in dims if dim != 1}
    if len(distinct) > 1:
        raise OpError(f"shapes do not broadcast: {', '.join(map(str, shapes))}")
    return distinct.pop() if distinct else 1


def normalize_axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise OpError(f"axis {axis} is outside a tensor of rank {rank}")
    return axis % rank
