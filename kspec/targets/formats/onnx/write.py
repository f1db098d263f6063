"""The writer of ONNX files: protobuf messages written directly, weights as raw bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from kspec import __version__
from kspec.compiler.ir import Array, DType, Graph, TensorType, Value
from kspec.compiler.table import Table
from kspec.targets.formats.format import LARGEST_FILE
from kspec.targets.formats.onnx.emission import Attribute, Emission, OnnxBody, OnnxNode, Rule
from kspec.targets.formats.onnx.layout import WEIGHTS
from kspec.targets.formats.protobuf import Parts, delimited, write_parts

OPSET, IR_VERSION = 18, 9
"""Opset 18 has every operator that makes a graph small and fast, except Gelu (LayerNormalization is
in opset 17). Newer opsets are slower: for channel counts that do not fit its blocked layout, ONNX
Runtime up to 1.31 has only a slow kernel for AveragePool of opset 19."""
NEWER: Mapping[str, int] = MappingProxyType({"Gelu": 20})
"""The opset of newer operators; ONNX Runtime reads opset 20 since 1.17 of January 2024."""

SMALL = 1024
"""Bytes up to which a tensor stays in the message: shape inference reads shapes and axes."""
_GRAPH, _INITIALIZER, _RAW_DATA = (
    message.DESCRIPTOR.fields_by_name[name].number
    for message, name in (
        (ModelProto, "graph"),
        (GraphProto, "initializer"),
        (TensorProto, "raw_data"),
    )
)
PAGE = 4096
"""Alignment of external tensors in bytes, so that they can be memory-mapped."""

ELEMENTS = {
    DType.boolean: TensorProto.BOOL,
    DType.int8: TensorProto.INT8,
    DType.uint8: TensorProto.UINT8,
    DType.int32: TensorProto.INT32,
    DType.int64: TensorProto.INT64,
    DType.float16: TensorProto.FLOAT16,
    DType.float32: TensorProto.FLOAT,
    DType.float64: TensorProto.DOUBLE,
}


class OnnxError(RuntimeError):
    """A model that the checker of ONNX refuses: a fault of the rules."""


def write_model(
    graph: Graph, rules: Table[Rule], path: Path, *, limit: int = LARGEST_FILE
) -> tuple[str, ...]:
    """Write ``path``, and beside it ``<name>.data`` with the weights if they have more than
    ``limit`` bytes; return the names of the files. The model has passed ``onnx.checker`` with shape
    inference; the process that verifies artifacts opens it in ONNX Runtime. Raises OnnxError."""
    emission = Emission(graph)
    for node in graph.nodes:
        emission.write(node, rules)
    model = make_model(graph, emission)
    read = _read(emission.nodes)
    weights = {
        name: emission.initializers[name] for name in sorted(emission.initializers) if name in read
    }
    if sum(array.nbytes for array in weights.values()) <= limit:
        _check(_skeleton(model, weights))
        write_parts(path, _with_weights(model, weights))
        return (path.name,)
    beside = path.with_name(path.name + WEIGHTS)
    model.graph.initializer.extend(write_outside(weights, beside))
    path.write_bytes(model.SerializeToString(deterministic=True))
    _check(path)
    return (path.name, beside.name)


def _check(model: ModelProto | Path) -> None:
    """Check a model, with shape inference. Raises OnnxError."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise OnnxError(str(error)) from error


def _with_weights(model: ModelProto, weights: Mapping[str, Array]) -> Parts:
    """Return the parts of the file, in the order of protobuf's field numbers. Protobuf itself would
    copy weights three times before they are written."""
    graph, before, after = model.graph, GraphProto(), GraphProto()
    before.node.extend(graph.node)
    before.name = graph.name
    after.CopyFrom(graph)
    after.ClearField("node")
    after.ClearField("name")
    head, tail = ModelProto(), ModelProto()
    head.CopyFrom(model)
    head.ClearField("graph")
    head.ClearField("opset_import")
    tail.opset_import.extend(model.opset_import)
    initializers = (
        part
        for name, array in weights.items()
        for part in delimited(_INITIALIZER, _raw(name, array))
    )
    whole = [_packed(before), *initializers, _packed(after)]
    return [_packed(head), *delimited(_GRAPH, whole), _packed(tail)]


def _raw(name: str, array: Array) -> Parts:
    return [_packed(_tensor(name, array)), *delimited(_RAW_DATA, [_little(array)])]


def _packed(message: ModelProto | GraphProto | TensorProto) -> bytes:
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def _little(array: Array) -> Array:
    return np.asarray(array.astype(array.dtype.newbyteorder("<"), copy=False), order="C")


def _skeleton(model: ModelProto, weights: Mapping[str, Array]) -> ModelProto:
    """Return the model with its large weights as inputs: the checker copies the model twice, and
    reads only the types of weights."""
    skeleton = ModelProto()
    skeleton.CopyFrom(model)
    for name, array in weights.items():
        if array.nbytes <= SMALL:
            skeleton.graph.initializer.append(_inside(name, array))
        else:
            skeleton.graph.input.append(_info(Value(name, TensorType.of(array))))
    return skeleton


def _read(nodes: Iterable[OnnxNode]) -> set[str]:
    """Return the names that nodes and bodies of loops read."""
    names: set[str] = set()
    for node in nodes:
        names.update(node.inputs)
        for value in node.attributes.values():
            if isinstance(value, OnnxBody):
                names |= _read(value.nodes)
    return names


def opset(nodes: Iterable[OnnxNode]) -> int:
    """Return the oldest operator set that has every operator, including those in bodies of
    loops."""
    found = OPSET
    for node in nodes:
        bodies = (each for each in node.attributes.values() if isinstance(each, OnnxBody))
        needed = (NEWER.get(node.operator, OPSET), *(opset(each.nodes) for each in bodies))
        found = max(found, *needed)
    return found


def make_model(graph: Graph, emission: Emission) -> ModelProto:
    """Return the model without its initializers."""
    model = ModelProto(ir_version=IR_VERSION, producer_name="kspec", producer_version=__version__)
    model.opset_import.add(domain="", version=opset(emission.nodes))
    public = {value.name for value in graph.outputs}
    model.graph.name = graph.name
    model.graph.input.extend(map(_info, graph.inputs))
    model.graph.output.extend(map(_info, graph.outputs))
    model.graph.node.extend(map(_node, emission.nodes))
    model.graph.value_info.extend(
        _info(value) for node in graph.nodes for value in node.outputs if value.name not in public
    )
    return model


def write_outside(weights: Mapping[str, Array], path: Path) -> list[TensorProto]:
    """Write the weights to one file and return the messages that refer to it."""
    tensors = []
    with path.open("xb") as file:
        for name, array in weights.items():
            if array.nbytes <= SMALL:
                tensors.append(_inside(name, array))
                continue
            file.write(bytes(-file.tell() % PAGE))
            place = {"location": path.name, "offset": file.tell(), "length": array.nbytes}
            file.write(_little(array).data)
            tensor = _tensor(name, array)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            tensors.append(tensor)
    return tensors


def _inside(name: str, array: Array) -> TensorProto:
    tensor = _tensor(name, array)
    tensor.raw_data = _little(array).tobytes()
    return tensor


def _tensor(name: str, array: Array) -> TensorProto:
    element = ELEMENTS[TensorType.of(array).dtype]
    return TensorProto(name=name, data_type=element, dims=array.shape)


def _info(value: Value) -> ValueInfoProto:
    info = ValueInfoProto(name=value.name)
    info.type.tensor_type.elem_type = ELEMENTS[value.dtype]
    info.type.tensor_type.shape.SetInParent()
    for dim in value.shape:
        if isinstance(dim, int):
            info.type.tensor_type.shape.dim.add(dim_value=dim)
        else:
            info.type.tensor_type.shape.dim.add(dim_param=dim)
    return info


def _node(node: OnnxNode) -> NodeProto:
    return NodeProto(
        op_type=node.operator,
        name=node.name,
        input=node.inputs,
        output=node.outputs,
        attribute=[_attribute(name, node.attributes[name]) for name in sorted(node.attributes)],
    )


def _attribute(name: str, value: Attribute) -> AttributeProto:
    if isinstance(value, DType):
        return AttributeProto(name=name, type=AttributeProto.INT, i=ELEMENTS[value])
    if isinstance(value, str):
        return AttributeProto(name=name, type=AttributeProto.STRING, s=value.encode())
    if isinstance(value, float):
        return AttributeProto(name=name, type=AttributeProto.FLOAT, f=value)
    if isinstance(value, int):
        return AttributeProto(name=name, type=AttributeProto.INT, i=value)
    if isinstance(value, OnnxBody):
        return AttributeProto(name=name, type=AttributeProto.GRAPH, g=_body(value))
    if isinstance(value[0], str):
        texts = [each.encode() for each in value]
        return AttributeProto(name=name, type=AttributeProto.STRINGS, strings=texts)
    if isinstance(value[0], float):
        return AttributeProto(name=name, type=AttributeProto.FLOATS, floats=value)
    return AttributeProto(name=name, type=AttributeProto.INTS, ints=value)


def _body(body: OnnxBody) -> GraphProto:
    return GraphProto(
        name=body.name,
        input=map(_info, body.inputs),
        output=map(_info, body.outputs),
        node=map(_node, body.nodes),
    )
