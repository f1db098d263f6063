"""Names of the symbolic dimensions of a Keras model's inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kspec.compiler.ir import Shape
from kspec.compiler.ops.base import UnequalError


def named_sizes(name: str, shape: Sequence[int | None]) -> Shape:
    """Return the shape with None replaced by ``batch`` or ``<input>_<axis>``. The names appear in
    arithmetic, so they are identifiers."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return tuple(
        dim if dim is not None else ("batch" if axis == 0 else f"_{word}_{axis}".lstrip("_"))
        for axis, dim in enumerate(shape)
    )


def made_equal(shapes: Mapping[str, Shape], error: Exception) -> dict[str, Shape] | None:
    """Unify the dimension names that the failed operation requires to be equal. None if the error
    has another cause, or names other dimensions."""
    cause = error.__cause__
    if not isinstance(cause, UnequalError):
        return None
    sizes = dict.fromkeys(dim for shape in shapes.values() for dim in shape[1:])
    equal = [dim for dim in sizes if dim in cause.names]
    if len(equal) < len(cause.names):
        return None
    first, *others = equal
    return {
        name: tuple(first if dim in others else dim for dim in shape)
        for name, shape in shapes.items()
    }
