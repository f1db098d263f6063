"""Operations over time: recurrent layers, and the general loop ``Scan``."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from kspec.compiler.ir import Dim, DType, Graph, Op, TensorType
from kspec.compiler.ops.activation import HardSigmoid, Relu, Sigmoid, Softplus, Softsign
from kspec.compiler.ops.base import FLOATS, OpError, common_dtype, expect_arity
from kspec.compiler.ops.elementwise import Identity, Tanh

Gate = Literal["linear", "tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "softplus"]
"""The activations of recurrent operations."""

GATES: Mapping[Gate, Op] = {
    "linear": Identity(),
    "tanh": Tanh(),
    "sigmoid": Sigmoid(),
    "relu": Relu(),
    "hard_sigmoid": HardSigmoid(),
    "softsign": Softsign(),
    "softplus": Softplus(),
}
"""The operation of each activation."""

Direction = Literal["forward", "reverse"]
"""The order of the steps: first to last, or last to first. In both cases output step t corresponds
to input step t."""


@dataclass(frozen=True, slots=True)
class Recurrent(Op, ABC):
    """A recurrent layer over a whole sequence. Inputs:

    - x[batch, time, features],
    - kernel[features, gates · units] and recurrent kernel[units, gates · units], with the columns
      of the gates side by side,
    - bias[gates · units],
    - the initial states, each [batch, units], or [1, units] for all rows,
    - optionally a mask, bool[batch, time].

    Outputs: the sequence[batch, time, units] and the final states, each [batch, units].

    At steps where the mask is False the states do not change. The sequence then repeats its
    previous step (initially zeros) if ``masked`` is "hold", and is zero if it is "zero".
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1

    activation: Gate = "tanh"
    direction: Direction = "forward"
    masked: Literal["hold", "zero"] = "hold"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        plain = 4 + self.states
        expect_arity(self, inputs, plain, plain + 1)
        common_dtype(self, (each.dtype for each in inputs[:plain]), FLOATS)
        x, kernel, recurrent, bias, *states = inputs[:plain]
        if x.rank != 3 or kernel.rank != 2 or recurrent.rank != 2:
            raise OpError(f"kernels {kernel} and {recurrent} do not fit {x}")
        batch, time, features = x.shape
        units = recurrent.shape[0]
        if not isinstance(units, int) or units < 1:
            raise OpError(f"recurrent kernel {recurrent} has no known size")
        columns = self.gates * units
        if kernel.shape != (features, columns) or recurrent.shape != (units, columns):
            raise OpError(f"kernels {kernel} and {recurrent} do not fit {x}")
        if bias.shape != self.bias_shape(units):
            raise OpError(f"bias {bias} is not of shape {self.bias_shape(units)}")
        if any(each.shape not in ((batch, units), (1, units)) for each in states):
            raise OpError(f"states {', '.join(map(str, states))} do not fit {x}")
        if any(each != TensorType(DType.boolean, (batch, time)) for each in inputs[plain:]):
            raise OpError(f"mask {inputs[-1]} does not fit {x}")
        final = x.with_shape(batch, units)
        return (x.with_shape(batch, time, units), *[final] * self.states)

    def bias_shape(self, units: int) -> tuple[int, ...]:
        return (self.gates * units,)


@dataclass(frozen=True, slots=True)
class Rnn(Recurrent):
    """h' = activation(x · W + h · R + b), with the state h (Elman 1990)"""

    gates: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Gru(Recurrent):
    """A gated recurrent unit with the state h and gates in Keras' order z, r, h (Cho et al. 2014)

    z = σ(x · Wz + h · Rz + bz), r = σ(x · Wr + h · Rr + br), h' = z · h + (1 - z) · n, where
    n = activation(x · Wn + (r · h) · Rn + bn). With ``reset_after`` the bias has the shape
    [2, 3 · units], its second row c is added to the products with h, and
    n = activation(x · Wn + bn + r · (h · Rn + cn)). σ is ``recurrent_activation``.
    """

    gates: ClassVar[int] = 3

    recurrent_activation: Gate = "sigmoid"
    reset_after: bool = True

    def bias_shape(self, units: int) -> tuple[int, ...]:
        return (2, 3 * units) if self.reset_after else (3 * units,)


@dataclass(frozen=True, slots=True)
class Lstm(Recurrent):
    """A long short-term memory with the states h and c and gates in Keras' order i, f, c, o
    (Hochreiter and Schmidhuber 1997)

    Each gate is a function of x · W + h · R + b: ``recurrent_activation`` for i, f and o,
    ``activation`` for the candidate g; c' = f · c + i · g, h' = o · activation(c').
    """

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    recurrent_activation: Gate = "sigmoid"


@dataclass(frozen=True, slots=True)
class Scan(Op):
    """A loop over time. Inputs: the initial states, ``scanned`` sequences[batch, time, …] and the
    captured values, in this order.

    The body is a graph without constants, from (states, one step [batch, …] of each sequence,
    captured values) to (states, outputs [batch, …]). Outputs: the final states, and a sequence
    [batch, time, …] per output of the body.
    """

    body: Graph
    states: int
    scanned: int
    direction: Direction = "forward"

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        given = tuple(value.type for value in self.body.inputs)
        if self.states < 0 or self.scanned < 1 or self.body.constants:
            raise OpError("a loop needs a sequence, and a body without constants")
        if len(self.body.outputs) < self.states or len(given) < self.states + self.scanned:
            raise OpError(f"the body of a loop lacks some of its {self.states} states")
        expect_arity(self, inputs, len(given))
        last = self.states + self.scanned
        sequences = inputs[self.states : last]
        if any(each.rank < 2 for each in sequences):
            raise OpError("a sequence needs a batch axis and a time axis")
        times: set[Dim] = {each.shape[1] for each in sequences}
        if len(times) > 1:
            raise OpError(f"sequences of several lengths: {', '.join(map(str, sequences))}")
        steps = (each.with_shape(each.shape[0], *each.shape[2:]) for each in sequences)
        found = (*inputs[: self.states], *steps, *inputs[last:])
        finals = tuple(value.type for value in self.body.outputs[: self.states])
        outputs = tuple(value.type for value in self.body.outputs[self.states :])
        if found != given or finals != given[: self.states]:
            raise OpError(f"the body of a loop takes ({', '.join(map(str, given))})")
        if any(each.rank < 1 for each in outputs) or not (finals or outputs):
            raise OpError("each output of a loop's body needs a batch axis")
        (time,) = times
        stacked = (each.with_shape(each.shape[0], time, *each.shape[1:]) for each in outputs)
        return (*finals, *stacked)

    def __hash__(self) -> int:
        body = self.body
        return hash((body.inputs, body.outputs, body.nodes, self.states, self.direction))
