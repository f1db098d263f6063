"""Runs the ML Program of a package, and holds it to what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, DType
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels import KERNELS
from kspec.targets.formats.coreml.evaluator.package import Package
from kspec.targets.formats.coreml.evaluator.tensors import Declared, declared_type, literal
from kspec.targets.formats.coreml.evaluator.weights import WeightFile

_OPSETS = {7: "CoreML6", 8: "CoreML7", 9: "CoreML8"}
"""The operations of each specification version: iOS 16, 17, 18."""
_ARRAY_TYPES = {65568: DType.float32, 131104: DType.int32, 65552: DType.float16}
"""`ArrayDataType` of FeatureTypes.proto."""

Operand = Array | str | tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its kernel's name, its parameters by name, each the names of values, and what
    it declares to give, by name."""

    kind: str
    parameters: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, Declared]


class Program:
    """The function `main` of a package. Raises PackageError where the package contradicts itself:
    the specification version and the operation set, the description and the program, the declared
    and the computed type of any value."""

    def __init__(self, path: Path) -> None:
        package = Package.open(path)
        self.description = package.model.description
        function = package.model.mlProgram.functions["main"]
        opset = _OPSETS.get(package.model.specificationVersion)
        if opset is None or function.opset != opset or opset not in function.block_specializations:
            raise PackageError(
                f"specification version {package.model.specificationVersion} "
                f"with the operations of {function.opset!r}"
            )
        block = function.block_specializations[opset]
        self.inputs = {each.name: declared_type(each.type) for each in function.inputs}
        self._constants: dict[str, Array | str] = {}
        self._steps: list[Step] = []
        for operation in block.operations:
            self._read(operation, package.weights)
        types = self.inputs | self._given()
        self.outputs = {name: types[name] for name in block.outputs}
        _check_description(self.description.input, self.inputs)
        _check_description(self.description.output, self.outputs)

    def run(self, inputs: Mapping[str, Array], *, keep: bool = False) -> dict[str, Array]:
        """The outputs by name; with ``keep`` every value that an operation gives."""
        values: dict[str, Array | str] = dict(self._constants)
        for feature in self.description.input:
            _check_ranges(feature, inputs[feature.name])
        for name, declared in self.inputs.items():
            values[name] = _checked(name, inputs[name], declared)
        last_use = {} if keep else self._last_uses()
        for number, step in enumerate(self._steps):
            operands = {
                key: _operand(key, [values[name] for name in names])
                for key, names in step.parameters.items()
            }
            try:
                results = _compute(step, operands)
            except (TypeError, ValueError, NotImplementedError) as error:
                raise PackageError(f"{step.kind} of {', '.join(step.outputs)}: {error}") from error
            for (name, declared), each in zip(step.outputs.items(), results, strict=True):
                values[name] = _checked(name, each, declared)
            for name in last_use.get(number, ()):
                del values[name]
        wanted = list(self._given() if keep else self.outputs)
        return {name: value for name in wanted if isinstance(value := values[name], np.ndarray)}

    def _read(self, operation: Any, weights: WeightFile | None) -> None:
        for output in operation.outputs:
            if output.name in self.inputs or output.name in self._constants:
                raise PackageError(f"two values are called {output.name}")
        if operation.type == "const":
            (output,) = operation.outputs
            self._constants[output.name] = literal(operation.attributes["val"], weights)
            return
        if operation.type not in KERNELS:
            raise PackageError(f"the operation {operation.type} is not known")
        parameters = {
            key: tuple(binding.name for binding in argument.arguments)
            for key, argument in operation.inputs.items()
        }
        outputs = {each.name: declared_type(each.type) for each in operation.outputs}
        self._steps.append(Step(operation.type, parameters, outputs))

    def _given(self) -> dict[str, Declared]:
        """Every value that an operation gives."""
        return {name: each for step in self._steps for name, each in step.outputs.items()}

    def _last_uses(self) -> dict[int, list[str]]:
        """The computed values that no operation after a step needs."""
        uses: dict[str, int] = {}
        for number, step in enumerate(self._steps):
            uses |= dict.fromkeys(step.outputs, number)
            uses |= {name: number for names in step.parameters.values() for name in names}
        last: dict[int, list[str]] = {}
        for name, number in uses.items():
            if name not in self.outputs and name not in self._constants:
                last.setdefault(number, []).append(name)
        return last


def _check_ranges(feature: Any, array: Array) -> None:
    ranges = feature.type.multiArrayType.shapeRange.sizeRanges
    for size, bounds in zip(array.shape, ranges, strict=False):
        if not bounds.lowerBound <= size <= bounds.upperBound:
            raise PackageError(
                f"{feature.name} has an axis of {size}, "
                f"allowed are {bounds.lowerBound} to {bounds.upperBound}"
            )


def _operand(key: str, values: list[Any]) -> Operand:
    """`values` is the one parameter of MIL that takes several."""
    if key == "values":
        return tuple(values)
    (value,) = values
    return value


def _compute(step: Step, operands: dict[str, Operand]) -> tuple[Array, ...]:
    """Half precision is computed in single and rounded once, as hardware with wide accumulators
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


def _check_description(features: Any, types: Mapping[str, Declared]) -> None:
    if [each.name for each in features] != list(types):
        raise PackageError("the description and the program name different inputs or outputs")
    for feature in features:
        array, declared = feature.type.multiArrayType, types[feature.name]
        if _ARRAY_TYPES.get(array.dataType) is not declared.dtype:
            raise PackageError(f"{feature.name} has two element types")
        shape = tuple(array.shape)
        ranges = [(each.lowerBound, each.upperBound) for each in array.shapeRange.sizeRanges]
        known = [n for n in declared.shape if n is not None]
        if shape and not ranges and shape != tuple(known):
            raise PackageError(f"{feature.name} is described as {shape}, declared as {declared}")
        if ranges and any(
            (low == high) is (n is None) or n not in (None, low)
            for (low, high), n in zip(ranges, declared.shape, strict=True)
        ):
            raise PackageError(f"{feature.name} has ranges that {declared} contradicts")
