"""A block of a program: operations in order, which also read the values of outer blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, DType
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels import KERNELS
from kspec.targets.formats.coreml.evaluator.tensors import Declared, declared_type, literal
from kspec.targets.formats.coreml.evaluator.weights import WeightFile

Operand = Array | str | tuple[Array, ...]
Values = Mapping[str, Array | str]

_LOOP = "while_loop"
_SEVERAL = ("values", "loop_vars")
"""MIL parameters with several values."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: the name of its kernel, the names of the values of each parameter, the
    declared type of each output by name, and the blocks of a loop: condition and body."""

    kind: str
    parameters: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, Declared]
    blocks: tuple[Block, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The names of the values that the operation and its blocks read."""
        own = frozenset(name for names in self.parameters.values() for name in names)
        return own.union(*(block.reads for block in self.blocks))


class Block:
    """A block. Raises PackageError if two values have one name, if an operation is unknown, or if
    an output has another type than the declared one."""

    def __init__(
        self,
        message: Any,
        inputs: Mapping[str, Declared],
        weights: WeightFile | None,
        around: frozenset[str] = frozenset(),
    ) -> None:
        self.inputs = inputs
        self._constants: dict[str, Array | str] = {}
        self.steps: list[Step] = []
        self._taken = set(around)
        for name in inputs:
            self._take(name)
        for operation in message.operations:
            self._read(operation, weights)
        types = {**inputs, **self._given()}
        self.outputs = {name: types[name] for name in message.outputs}

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(self.outputs).union(*(step.reads for step in self.steps))

    def run(
        self, inputs: Mapping[str, Array], around: Values | None = None, *, keep: bool = False
    ) -> dict[str, Array]:
        """Return the outputs by name; with ``keep``, the outputs of every operation."""
        values: dict[str, Array | str] = {**(around or {}), **self._constants}
        for name, declared in self.inputs.items():
            values[name] = _checked(name, inputs[name], declared)
        last_use = {} if keep else self._last_uses()
        for number, step in enumerate(self.steps):
            found = zip(step.outputs.items(), _results(step, values), strict=True)
            values |= {name: _checked(name, each, declared) for (name, declared), each in found}
            for name in last_use.get(number, ()):
                del values[name]
        wanted = list(self._given() if keep else self.outputs)
        return {name: value for name in wanted if isinstance(value := values[name], np.ndarray)}

    def _take(self, name: str) -> None:
        if name in self._taken:
            raise PackageError(f"two values are called {name}")
        self._taken.add(name)

    def _read(self, operation: Any, weights: WeightFile | None) -> None:
        for output in operation.outputs:
            self._take(output.name)
        if operation.type == "const":
            (output,) = operation.outputs
            self._constants[output.name] = literal(operation.attributes["val"], weights)
            return
        if operation.type not in KERNELS and operation.type != _LOOP:
            raise PackageError(f"the operation {operation.type} is not known")
        parameters = {
            key: tuple(binding.name for binding in argument.arguments)
            for key, argument in operation.inputs.items()
        }
        outputs = {each.name: declared_type(each.type) for each in operation.outputs}
        around = frozenset(self._taken)
        blocks = tuple(
            Block(each, {v.name: declared_type(v.type) for v in each.inputs}, weights, around)
            for each in operation.blocks
        )
        self.steps.append(Step(operation.type, parameters, outputs, blocks))

    def _given(self) -> dict[str, Declared]:
        """The declared type of each output of an operation, by name."""
        return {name: each for step in self.steps for name, each in step.outputs.items()}

    def _last_uses(self) -> dict[int, list[str]]:
        """The computed values that are last read by each step."""
        uses: dict[str, int] = {}
        for number, step in enumerate(self.steps):
            uses |= dict.fromkeys((*step.outputs, *step.reads), number)
        own = {*self.inputs, *self._given()} - set(self.outputs)
        last: dict[int, list[str]] = {}
        for name, number in uses.items():
            if name in own:
                last.setdefault(number, []).append(name)
        return last


def _results(step: Step, values: Values) -> Sequence[Array]:
    operands = {
        key: _operand(key, [values[name] for name in names])
        for key, names in step.parameters.items()
    }
    try:
        return _turns(step, operands, values) if step.blocks else _compute(step, operands)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise PackageError(f"{step.kind} of {', '.join(step.outputs)}: {error}") from error


def _turns(step: Step, operands: Mapping[str, Operand], values: Values) -> Sequence[Array]:
    """Run a loop. Both blocks take the carried values; the body returns them anew while the
    condition holds."""
    condition, body = step.blocks
    carried = list(operands["loop_vars"])
    while True:
        (holds,) = condition.run(dict(zip(condition.inputs, carried, strict=True)), values).values()
        if not bool(holds):
            return carried
        given = body.run(dict(zip(body.inputs, carried, strict=True)), values)
        carried = [given[name] for name in body.outputs]


def _operand(key: str, values: list[Any]) -> Operand:
    if key in _SEVERAL:
        return tuple(values)
    (value,) = values
    return value


def _compute(step: Step, operands: dict[str, Operand]) -> tuple[Array, ...]:
    """Compute half precision in single precision and round once, as hardware with wide accumulators
    does."""
    half = step.kind != "cast" and any(_is_half(each) for each in operands.values())
    if half:
        operands = {key: _widened(value) for key, value in operands.items()}
    with np.errstate(all="ignore"):  # infinities and NaN are results, not accidents
        found = KERNELS[step.kind](**operands)
        results = [np.asarray(each) for each in (found if isinstance(found, tuple) else (found,))]
        return tuple(
            each.astype(np.float16) if half and each.dtype == np.float32 else each
            for each in results
        )


def _is_half(value: Operand) -> bool:
    arrays = value if isinstance(value, tuple) else (value,)
    return any(isinstance(each, np.ndarray) and each.dtype == np.float16 for each in arrays)


def _widened(value: Operand) -> Operand:
    if isinstance(value, tuple):
        return tuple(each.astype(np.float32) for each in value)
    return value.astype(np.float32) if _is_half(value) else value  # type: ignore[union-attr]


def _checked(name: str, array: Array, declared: Declared) -> Array:
    if not declared.admits(array):
        found = Declared(DType(array.dtype.name), array.shape)
        raise PackageError(f"{name} is declared as {declared} and is {found}")
    return array
