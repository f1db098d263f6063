"""Recurrent layers and their cells."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from kspec.schemas.activations import Activation
from kspec.schemas.base import Keyed
from kspec.schemas.layers.base import (
    Dim,
    Layer,
    Part,
    Shape,
    ShapeError,
    Weight,
    Whole,
    known,
    show,
    sized,
    within,
)
from kspec.schemas.values import Evaluated, Listed, Positive, Seed
from kspec.schemas.weights import (
    GlorotUniform,
    MatrixConstraint,
    MatrixInitializer,
    MatrixRegularizer,
    Orthogonal,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
)

Share = Annotated[float, Field(ge=0, lt=1), Evaluated]


def _no_state(value: bool) -> bool:  # noqa: FBT001
    if value:
        raise ValueError("a step has one output: the state is not given")
    return value


def _stateless(value: bool) -> bool:  # noqa: FBT001
    if value:
        raise ValueError("an artifact answers each call by itself and keeps no state between them")
    return value


class Stepwise(Layer):
    """The arguments of a recurrent layer's loop over steps."""

    return_sequences: bool = False
    """Whether to return the output of every step, or of the last step only."""
    return_state: Annotated[bool, AfterValidator(_no_state)] = False
    """Not available: a step has one output."""
    go_backwards: bool = False
    """Whether to begin at the last step; the outputs are then in reverse order."""
    stateful: Annotated[bool, AfterValidator(_stateless)] = False
    """Not available: an artifact keeps no state between calls."""

    def along(self, time: Dim, output: Shape) -> Shape:
        """Return the shape of all outputs, or of the last one."""
        return (time, *output) if self.return_sequences else output


class Recurrent(Stepwise):
    """A recurrent layer over steps × channels."""

    unroll: bool = False
    """Whether to unroll the loop, which needs a known number of steps."""

    @property
    def size(self) -> int:
        """Return the size of the output of a step."""
        raise NotImplementedError

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) != 2:
            raise ShapeError(f"{self.key} needs steps × channels, found {show(shape)}")
        known(self, shape)
        if self.unroll and not isinstance(shape[0], int):
            raise ShapeError(f"unroll needs a known number of steps, found {show(shape)}", "unroll")
        return self.along(shape[0], (self.size,))

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        """Return the weights of one step for `channels` input channels."""
        raise NotImplementedError

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...] | None:
        (channels,) = sized(shapes[0][-1:])
        return within(self.cell_name(), self.cell_weights(channels))

    def cell_name(self) -> str:
        """Return the name that Keras gives the cell."""
        return f"{self.key}_cell"


class Units(Part):
    """The weights of a recurrent layer or cell."""

    gates: ClassVar[int] = 1
    """Number of matrices of `units` columns that the kernel contains side by side."""

    units: Annotated[Positive, Field(examples=[64])]
    """Size of the output and of the state."""
    activation: Activation | None = "tanh"
    """Activation of the output."""
    use_bias: bool = True
    """Whether to add a bias."""
    kernel_initializer: MatrixInitializer = GlorotUniform()
    """Initializer of the input kernel."""
    recurrent_initializer: MatrixInitializer = Orthogonal()
    """Initializer of the recurrent kernel."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the bias."""
    kernel_regularizer: MatrixRegularizer | None = None
    """Regularizer of the input kernel."""
    recurrent_regularizer: MatrixRegularizer | None = None
    """Regularizer of the recurrent kernel."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""
    kernel_constraint: MatrixConstraint | None = None
    """Constraint on the input kernel."""
    recurrent_constraint: MatrixConstraint | None = None
    """Constraint on the recurrent kernel."""
    bias_constraint: VectorConstraint | None = None
    """Constraint on the bias."""
    dropout: Share = 0.0
    """Dropout rate of the inputs."""
    recurrent_dropout: Share = 0.0
    """Dropout rate of the state."""
    seed: Seed | None = None
    """Seed of this layer; by default the training seed applies."""

    @property
    def size(self) -> int:
        """Return the size of the output of a step."""
        return self.units

    def of_whole_numbers(self) -> Whole:
        """Refuse dropout of int32 inputs, which Keras cannot compute."""
        return "refused" if self.dropout else "float32"

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        """Return the weights for `channels` input channels: `gates` matrices side by side."""
        width = self.gates * self.units
        weights = (
            Weight("kernel", (channels, width)),
            Weight("recurrent_kernel", (self.units, width)),
        )
        return (*weights, Weight("bias", self.bias_shape(width))) if self.use_bias else weights

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of the bias of all gates."""
        return (width,)


class Gated(Units):
    """Weights of a gated cell."""

    recurrent_activation: Activation | None = "sigmoid"
    """Activation of the gates."""


class LongShortTerm(Gated):
    """The arguments of LSTM layers and cells."""

    gates: ClassVar[int] = 4

    unit_forget_bias: bool = True
    """Whether the forget gate's bias is initialised to 1 (Jozefowicz et al., 2015)."""


class GatedUnits(Gated):
    """The arguments of GRU layers and cells."""

    gates: ClassVar[int] = 3

    reset_after: bool = True
    """Whether the reset gate is applied after the product with the state."""

    def bias_shape(self, width: int) -> tuple[int, ...]:
        return (2, width) if self.reset_after else (width,)


class Cell(Part):
    """One step of a recurrent layer."""

    @property
    def size(self) -> int:
        """Return the size of the output of a step."""
        raise NotImplementedError

    def of_whole_numbers(self) -> Whole:
        """The element type of the output for int32 inputs."""
        raise NotImplementedError

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        """Return the weights for `channels` input channels."""
        raise NotImplementedError


class SimpleRNNCell(Units, Cell):
    """One step of a simple_rnn."""

    key: ClassVar[str] = "simple_rnn_cell"
    shorthand: ClassVar[str | None] = "units"


class LSTMCell(LongShortTerm, Cell):
    """One step of an lstm."""

    key: ClassVar[str] = "lstm_cell"
    shorthand: ClassVar[str | None] = "units"


class GRUCell(GatedUnits, Cell):
    """One step of a gru."""

    key: ClassVar[str] = "gru_cell"
    shorthand: ClassVar[str | None] = "units"


SINGLE_CELLS: tuple[type[Cell], ...] = (SimpleRNNCell, LSTMCell, GRUCell)


class StackedRNNCells(Cell):
    """Stacked cells: each takes the output of the cell before it."""

    key: ClassVar[str] = "stacked_rnn_cells"
    shorthand: ClassVar[str | None] = "cells"

    cells: Annotated[
        tuple[Annotated[Cell, Keyed(SINGLE_CELLS)], ...],
        Listed,
        Field(min_length=1, examples=["[{lstm_cell: 64}, {gru_cell: 32}]"]),
    ]
    """The cells in order."""

    @property
    def size(self) -> int:
        return self.cells[-1].size

    def of_whole_numbers(self) -> Whole:
        return self.cells[0].of_whole_numbers()

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        found: list[Weight] = []
        for place, cell in enumerate(self.cells):
            found += within(f"{cell.key}_{place}", cell.cell_weights(channels)) or ()
            channels = cell.size
        return tuple(found)


CELLS: tuple[type[Cell], ...] = (*SINGLE_CELLS, StackedRNNCells)


class SimpleRNN(Units, Recurrent):
    """A simple RNN: the output of each step is an input of the next."""

    key: ClassVar[str] = "simple_rnn"
    shorthand: ClassVar[str | None] = "units"

    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""


class LSTM(LongShortTerm, Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997)."""

    key: ClassVar[str] = "lstm"
    shorthand: ClassVar[str | None] = "units"

    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""


class GRU(GatedUnits, Recurrent):
    """Gated recurrent units (Cho et al., 2014)."""

    key: ClassVar[str] = "gru"
    shorthand: ClassVar[str | None] = "units"

    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""


class RNN(Recurrent):
    """A recurrent layer of any cell or stack of cells."""

    key: ClassVar[str] = "rnn"

    cell: Annotated[Cell, Keyed(CELLS), Field(examples=["{lstm_cell: 64}"])]
    """The cell."""
    zero_output_for_mask: bool = False
    """Whether a masked step returns 0 instead of the output of the step before."""

    @property
    def size(self) -> int:
        return self.cell.size

    def of_whole_numbers(self) -> Whole:
        return self.cell.of_whole_numbers()

    def cell_weights(self, channels: int) -> tuple[Weight, ...]:
        return self.cell.cell_weights(channels)

    def cell_name(self) -> str:
        return self.cell.key
