"""Dense layers by Einstein summation, embeddings, masking."""

import re
from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.activations import Activation
from kspec.schemas.layers.base import (
    Dim,
    Elementwise,
    Layer,
    Shape,
    ShapeError,
    Weight,
    Whole,
    known,
    show,
    sized,
)
from kspec.schemas.values import Listed, Number, Positive
from kspec.schemas.weights import (
    Above0,
    Constraint,
    GlorotUniform,
    KernelInitializer,
    MatrixConstraint,
    MatrixInitializer,
    MatrixRegularizer,
    RandomUniform,
    Regularizer,
    VectorInitializer,
    Zeros,
)


class Identity(Elementwise):
    """The identity."""

    key: ClassVar[str] = "identity"
    whole: ClassVar[Whole] = "kept"


class EinsumDense(Layer):
    """A dense layer over any axes, as an equation in Einstein notation."""

    key: ClassVar[str] = "einsum_dense"

    equation: Annotated[
        str,
        Field(
            pattern=r"^(\.{3}[A-Za-z]+,[A-Za-z]+->\.{3}[A-Za-z]+"
            r"|[A-Za-z]{2,}\.{3},[A-Za-z]+->[A-Za-z]+\.{3}|[A-Za-z]+,[A-Za-z]+->[A-Za-z]+)$",
            max_length=64,
            examples=["abc,cd->abd"],
        ),
    ]
    """The equation: axes of the input (with the batch), axes of the kernel, axes of the output."""
    output_sizes: Annotated[
        tuple[Positive | None, ...],
        Listed,
        Field(alias="output_shape", min_length=1, max_length=8, examples=["[null, 64]"]),
    ]
    """Output sizes without the batch and the axes of `...`; null takes the size of the input."""
    activation: Activation | None = None
    """Activation of the output."""
    bias_axes: Annotated[str, Field(pattern=r"^[A-Za-z]+$")] | None = None
    """Axes of the output that have a bias; no bias by default."""
    kernel_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the kernel."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the bias."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the kernel."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""
    kernel_constraint: Constraint | None = None
    """Constraint on the kernel."""
    bias_constraint: Constraint | None = None
    """Constraint on the bias."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        of_input, of_kernel, of_output = re.split(",|->", self.equation)
        whole = list(self.whole_shape(of_input, shape))
        taken = self.axes(of_input, ("batch", *shape))
        given = self.axes(of_output, tuple(whole))
        for letter in of_output.strip("."):
            if letter not in of_input and letter not in of_kernel:
                raise ShapeError(f"nothing gives the axis {letter} of the output", "equation")
        for letter, size in taken.items():
            if given.get(letter) not in (None, size):
                message = f"axis {letter} is {size} in {show(shape)}, not {given[letter]}"
                raise ShapeError(message, "output_shape")
        for letter in of_kernel:
            if not isinstance(given[letter] if letter in given else taken.get(letter), int):
                raise ShapeError(f"the kernel must know the size of axis {letter}", "equation")
        self.check_bias(given)
        # A size that varies keeps its name; Keras forgets the other sizes that null stands for.
        names = {letter: size for letter, size in taken.items() if isinstance(size, str)}
        start = len(whole) - len(given) if of_output.startswith(".") else 0
        for place, letter in enumerate(given, start):
            whole[place] = whole[place] or names.get(letter)
        return tuple(whole[1:])

    def check_bias(self, given: dict[str, Dim]) -> None:
        """Refuse a bias along axes whose size `output_shape` does not give: Keras reads it
        there."""
        for letter in self.bias_axes or "":
            if letter not in given:
                raise ShapeError(f"the output has no axis {letter}", "bias_axes")
            if not isinstance(given[letter], int):
                message = f"the bias must know the size of axis {letter}"
                raise ShapeError(message, "bias_axes", "write the size in output_shape, not null")

    def whole_shape(self, of_input: str, shape: Shape) -> tuple[Dim, ...]:
        """Return the sizes of the output, with the batch and the axes of `...`."""
        count = len(of_input.strip("."))
        elided = len(shape) + 1 - count
        if elided < 0 or (elided > 0 and "." not in of_input):
            message = f"{self.equation} does not fit the axes of {show(shape)} and the batch"
            raise ShapeError(message, "equation")
        if of_input.startswith("."):
            kept = shape[: max(elided - 1, 0)]
            if kept != kept[::-1]:
                # Keras puts them in the reverse order into the shape it promises.
                message = f"`...` stands for several axes of {show(shape)}: write a letter for each"
                raise ShapeError(message, "equation")
            return ("batch", *kept, *self.output_sizes)
        return ("batch", *self.output_sizes, *(shape[len(shape) - elided :] if elided else ()))

    def axes(self, letters: str, sizes: tuple[Dim, ...]) -> dict[str, Dim]:
        """Return the sizes of an operand by letter."""
        named = letters.strip(".")
        if len(named) > len(sizes) or ("." not in letters and len(named) < len(sizes)):
            raise ShapeError(f"{letters} does not fit the axes of {show(sizes)}", "output_shape")
        aligned = sizes[len(sizes) - len(named) :] if letters.startswith(".") else sizes
        return dict(zip(named, aligned, strict=False))

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        (shape,) = shapes
        of_input, of_kernel, of_output = re.split(",|->", self.equation)
        output = self.whole_shape(of_input, shape)
        taken = self.axes(of_input, ("batch", *shape))
        given = self.axes(of_output, tuple(output))
        sizes = {**taken, **{letter: size for letter, size in given.items() if size is not None}}
        kernel = Weight("kernel", sized(sizes[letter] for letter in of_kernel))
        if self.bias_axes is None:
            return (kernel,)
        # Axes of the output from the first that has a bias; 1 for those without, and for `...`.
        letters = of_output.strip(".")
        first = min(letters.index(letter) for letter in self.bias_axes)
        elided = len(output) - len(letters) if of_output.endswith(".") else 0
        bias = (sizes[letter] if letter in self.bias_axes else 1 for letter in letters[first:])
        return (kernel, Weight("bias", (*sized(bias), *(1,) * elided)))


class Embedding(Layer):
    """A learnt table with a vector for each whole number."""

    key: ClassVar[str] = "embedding"

    input_dim: Annotated[Positive, Field(examples=[1000])]
    """Number of vectors: the largest number + 1."""
    output_dim: Annotated[Positive, Field(examples=[64])]
    """Size of a vector."""
    embeddings_initializer: MatrixInitializer = RandomUniform()
    """Initializer of the table."""
    embeddings_regularizer: MatrixRegularizer | None = None
    """Regularizer of the table."""
    embeddings_constraint: MatrixConstraint | None = None
    """Constraint on the table."""
    mask_zero: bool = False
    """Whether 0 is padding, so that later layers skip these steps."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return len(first) == len(shape)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        return (*shape, self.output_dim)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        del shapes
        return (Weight("embeddings", (self.input_dim, self.output_dim)),)


class ReversibleEmbedding(Embedding):
    """An embedding that can also be applied in reverse: from vectors to a score for each number."""

    key: ClassVar[str] = "reversible_embedding"
    call_fields: ClassVar[frozenset[str]] = frozenset({"reverse"})

    tie_weights: bool = True
    """Whether the reverse direction uses the same table."""
    logit_soft_cap: Above0 | None = None
    """Bound c of the scores: c · tanh(score / c)."""
    reverse: bool = False
    """Whether to apply the embedding in reverse."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if not self.reverse:
            return (*shape, self.output_dim)
        if not shape or known(self, shape) != self.output_dim:
            message = f"{self.key} goes back from {self.output_dim} values, found {show(shape)}"
            raise ShapeError(message, "output_dim")
        return (*shape[:-1], self.input_dim)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        table = super().weight_shapes(shapes)
        back = Weight("reverse_embeddings", (self.output_dim, self.input_dim))
        return table if self.tie_weights else (*table, back)


class Masking(Layer):
    """The identity, with a mask: later layers skip the steps in which all values are
    `mask_value`."""

    key: ClassVar[str] = "masking"
    shorthand: ClassVar[str | None] = "mask_value"
    whole: ClassVar[Whole] = "kept"

    mask_value: Number = 0.0
    """The value of padding."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) < 2:
            raise ShapeError(f"masking needs steps × channels, found {show(shape)}")
        return shape
