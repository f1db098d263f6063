"""The ML Program of a package, whose values are checked against their declared types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kspec.compiler.ir import Array, DType
from kspec.targets.formats.coreml.evaluator.block import Block
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.package import Package
from kspec.targets.formats.coreml.evaluator.tensors import Declared, declared_type

_OPSETS = {7: "CoreML6", 8: "CoreML7", 9: "CoreML8"}
"""The operation set of each specification version: iOS 16, 17, 18."""
_ARRAY_TYPES = {65568: DType.float32, 131104: DType.int32, 65552: DType.float16}
"""`ArrayDataType` of FeatureTypes.proto."""


class Program:
    """The function `main` of a package. Raises PackageError if the package is inconsistent: if the
    specification version does not fit the operation set, the description does not fit the program,
    or the computed type of a value is not the declared one."""

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
        self.block = Block(block, self.inputs, package.weights)
        self.outputs = self.block.outputs
        _check_description(self.description.input, self.inputs)
        _check_description(self.description.output, self.outputs)

    def run(self, inputs: Mapping[str, Array], *, keep: bool = False) -> dict[str, Array]:
        """Return the outputs by name; with ``keep``, the outputs of every operation."""
        for feature in self.description.input:
            _check_ranges(feature, inputs[feature.name])
        return self.block.run({name: inputs[name] for name in self.inputs}, keep=keep)


def _check_ranges(feature: Any, array: Array) -> None:
    ranges = feature.type.multiArrayType.shapeRange.sizeRanges
    for size, bounds in zip(array.shape, ranges, strict=False):
        if not bounds.lowerBound <= size <= bounds.upperBound:
            raise PackageError(
                f"{feature.name} has an axis of {size}, "
                f"allowed are {bounds.lowerBound} to {bounds.upperBound}"
            )


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
