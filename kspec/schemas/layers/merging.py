"""Layers that merge several tensors into one."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.layers.base import Axis, Dim, Layer, Shape, ShapeError, Whole, index, show
from kspec.schemas.values import Spread


class Merge(Layer):
    """A layer of several inputs."""

    arity: ClassVar[Literal[1, "many"]] = "many"
    exactly: ClassVar[int | None] = None
    whole: ClassVar[Whole] = "kept"
    """The fixed number of inputs, if any."""

    def check_count(self, shapes: tuple[Shape, ...]) -> None:
        """Check the number of inputs."""
        if self.exactly is not None and len(shapes) != self.exactly:
            raise ShapeError(
                f"{self.key} takes {self.exactly} inputs, found {len(shapes)}",
                help="name them: from: [a, b]",
            )
        if len(shapes) < 2:
            raise ShapeError(
                f"{self.key} takes two inputs or more, found {len(shapes)}",
                help="name them: from: [a, b]",
            )


class Broadcasting(Merge):
    """The base of element-wise merges; axes of size 1 are broadcast."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_count(shapes)
        merged = shapes[0]
        for shape in shapes[1:]:
            merged = self.broadcast(merged, shape)
        return merged

    def broadcast(self, one: Shape, other: Shape) -> Shape:
        """Return the broadcast shape of two shapes, aligned at their last axes."""
        rank = max(len(one), len(other))
        pairs = zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other, strict=True)
        merged: list[Dim] = []
        for a, b in pairs:
            if isinstance(a, int) and isinstance(b, int) and 1 not in (a, b) and a != b:
                raise ShapeError(
                    f"{self.key} needs equal shapes, found {show(one)} and {show(other)}"
                )
            merged.append(b if a == 1 else a if b in (1, a) else None)
        return tuple(merged)


class Add(Broadcasting):
    """The sum."""

    key: ClassVar[str] = "add"


class Subtract(Broadcasting):
    """The first input minus the second."""

    key: ClassVar[str] = "subtract"
    exactly: ClassVar[int | None] = 2


class Multiply(Broadcasting):
    """The element-wise product."""

    key: ClassVar[str] = "multiply"


class Average(Broadcasting):
    """The mean."""

    key: ClassVar[str] = "average"
    whole: ClassVar[Whole] = "refused"


class Maximum(Broadcasting):
    """The element-wise maximum."""

    key: ClassVar[str] = "maximum"


class Minimum(Broadcasting):
    """The element-wise minimum."""

    key: ClassVar[str] = "minimum"


class Concatenate(Merge):
    """Concatenates the inputs along an axis."""

    key: ClassVar[str] = "concatenate"
    shorthand: ClassVar[str | None] = "axis"

    axis: Axis = -1
    """The axis."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_count(shapes)
        first = shapes[0]
        place = index(self, first, self.axis, "axis")
        total: Dim = 0
        for shape in shapes:
            if len(shape) != len(first) or any(
                isinstance(a, int) and isinstance(b, int) and a != b
                for i, (a, b) in enumerate(zip(first, shape, strict=True))
                if i != place
            ):
                raise ShapeError(
                    f"concatenate needs shapes that differ on axis {place + 1} only, "
                    f"found {show(first)} and {show(shape)}",
                    "axis",
                )
            size = shape[place]
            total = total + size if isinstance(total, int) and isinstance(size, int) else None
        return (*first[:place], total, *first[place + 1 :])


class Dot(Merge):
    """Products of two inputs, summed over an axis of each."""

    key: ClassVar[str] = "dot"
    shorthand: ClassVar[str | None] = "axes"
    exactly: ClassVar[int | None] = 2

    axes: Annotated[tuple[Axis, Axis], Spread(), Field(examples=[-1])]
    """The axis of each input; one number for both."""
    normalize: bool = False
    """Whether to scale both inputs to norm 1 along these axes, which gives the cosine
    similarity."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        self.check_count(shapes)
        rest: list[Dim] = []
        sizes: list[Dim] = []
        for shape, axis in zip(shapes, self.axes, strict=True):
            place = index(self, shape, axis, "axes")
            size = shape[place]
            sizes.append(size if isinstance(size, int) else None)
            rest.extend((*shape[:place], *shape[place + 1 :]))
        if sizes[0] != sizes[1]:
            raise ShapeError(
                f"dot over axes {list(self.axes)} needs equal sizes, "
                f"found {show(shapes[0])} and {show(shapes[1])}",
                "axes",
            )
        return tuple(rest) or (1,)

    def of_whole_numbers(self) -> Whole:
        return "refused" if self.normalize else "kept"
