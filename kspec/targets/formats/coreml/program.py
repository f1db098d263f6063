"""From a lowered graph to a MIL program and the description of its signature."""

from __future__ import annotations

import json
from typing import Any

from kspec.compiler.ir import DType, Graph, Value
from kspec.targets.formats.card import Card
from kspec.targets.formats.coreml.emission import Emission, Var
from kspec.targets.formats.coreml.metadata import LABELS_KEY, SIGNATURE_KEY
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.formats.coreml.ranges import ranges
from kspec.targets.formats.coreml.rules import RULES
from kspec.targets.formats.coreml.toolkit import Toolkit


def build_program(graph: Graph, options: CoreMLOptions, kit: Toolkit) -> tuple[Any, Any]:
    """Return the MIL program of a graph, with one function `main` whose values all have names of
    their own, and the ModelDescription of its signature."""
    emit = Emission(graph, options, kit, RULES)
    target = kit.target[options.minimum]
    with kit.mil.Function(_placeholders(emit), opset_version=target) as function:
        for value in graph.inputs:
            emit.bind(value, _receive(emit, value, function.inputs[emit.public(value)]))
        for node in graph.nodes:
            emit.run(node)
        function.set_outputs([_deliver(emit, value) for value in graph.outputs])
    _name_defaults(function, emit)
    program = kit.mil.Program()
    program.add_function("main", function)
    return program, _describe(emit, options)


def signature_type(dtype: DType) -> DType:
    """Return the element type of an input or output: int32 for booleans, which Core ML lacks
    there."""
    return DType.int32 if dtype is DType.boolean else dtype


def _placeholders(emit: Emission) -> dict[str, Any]:
    types = emit.kit.element_types()
    symbols: dict[str, Any] = {}
    placeholders = {}
    for value in emit.graph.inputs:
        shape = [
            symbols.setdefault(dim, emit.kit.mil.get_new_symbol()) if isinstance(dim, str) else dim
            for dim in value.shape
        ]
        dtype = types[signature_type(value.dtype)]
        placeholders[emit.public(value)] = emit.kit.builder.placeholder(shape=shape, dtype=dtype)
    return placeholders


def _receive(emit: Emission, value: Value, var: Var) -> Var:
    if emit.computed_as(value.dtype) is signature_type(value.dtype):
        return var
    return emit.cast(var, value.dtype, f"{value.name}/received")


def _deliver(emit: Emission, value: Value) -> Var:
    """Return the value with its public name and in the element type of the signature."""
    if value.name not in emit.delivered:
        return emit[value]
    signature = signature_type(value.dtype)
    if emit.computed_as(value.dtype) is signature:
        return emit.deliver("identity", value, x=emit[value])
    return emit.deliver("cast", value, x=emit[value], dtype=emit.kit.mil_names[signature])


def _name_defaults(block: Any, emit: Emission) -> None:
    """Rename the constants of default parameters. The builder numbers them over the lifetime of the
    process; the new names depend on the program alone."""
    for operation in block.operations:
        for inner in operation.blocks:
            _name_defaults(inner, emit)
        if operation.op_type == "const":
            continue
        for parameter, var in operation.inputs.items():
            if not isinstance(var, list | tuple) and emit.is_foreign_constant(var):
                var.op.name = emit.identifiers.fresh(f"{operation.name}_{parameter}")
                var.set_name(var.op.name)
                emit.own(var)


def _describe(emit: Emission, options: CoreMLOptions) -> Any:
    messages = emit.kit.proto
    description = messages.Model_pb2.ModelDescription()
    limits = ranges(emit.graph, options.largest_dimension)
    for value in emit.graph.inputs:
        feature = description.input.add(name=emit.public(value))
        array = feature.type.multiArrayType
        array.dataType = _array_type(emit, value)
        bounds = [limits[dim] if isinstance(dim, str) else (dim, dim) for dim in value.shape]
        array.shape.extend(low for low, _ in bounds)
        if any(isinstance(dim, str) for dim in value.shape):
            for low, high in bounds:
                array.shapeRange.sizeRanges.add(lowerBound=low, upperBound=high)
    for value in emit.graph.outputs:
        array = description.output.add(name=emit.public(value)).type.multiArrayType
        array.dataType = _array_type(emit, value)
        if not any(isinstance(dim, str) for dim in value.shape):
            array.shape.extend(value.shape)
    _introduce(description, emit, options.card or Card())
    public = (*emit.graph.inputs, *emit.graph.outputs)
    signature = {emit.public(each): {"name": each.name, "shape": each.shape} for each in public}
    description.metadata.userDefined[SIGNATURE_KEY] = json.dumps(signature, sort_keys=True)
    return description


def _introduce(description: Any, emit: Emission, card: Card) -> None:
    """Write the metadata that Xcode shows, and that an app reads by `creatorDefinedKey`."""
    metadata = description.metadata
    metadata.shortDescription = card.description or emit.graph.name
    metadata.versionString = card.version
    for feature in description.input:
        feature.shortDescription = "Raw values: rescaling and normalization are in the model"
    for value, feature in zip(emit.graph.outputs, description.output, strict=True):
        if value.name in card.labels:
            feature.shortDescription = f"A probability for each label, see {LABELS_KEY}"
    if card.labels:
        labels = {name: list(each) for name, each in card.labels.items()}
        metadata.userDefined[LABELS_KEY] = json.dumps(labels, sort_keys=True)


def _array_type(emit: Emission, value: Value) -> int:
    types = emit.kit.proto.FeatureTypes_pb2.ArrayFeatureType
    return int(types.ArrayDataType.Value(signature_type(value.dtype).name.upper()))
