"""The writer of TFLite flatbuffers, with reproducible bytes.

The schema's classes pack tables; arrays are copied directly into the builder's memory, in the
layout of the file and aligned to 16 bytes, since the runtime maps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.builder import BuilderSizeError

from kspec.compiler.ir import Array, Value
from kspec.targets.formats.card import Card
from kspec.targets.formats.tflite.builtins import Options
from kspec.targets.formats.tflite.metadata import NAME, append_labels, pack_metadata
from kspec.targets.formats.tflite.program import (
    ABSENT,
    TENSOR_TYPES,
    Operator,
    Program,
    TFLiteError,
)
from kspec.targets.formats.tflite.versions import minimum_runtime, version

_ALIGNMENT = 16
_RECORD = 256
_TILE = 64
_SCHEMA_VERSION = 3
_LAST_BYTE_CODE = 127
_NO_TENSOR = -1


def write_program(program: Program, path: Path, card: Card | None = None) -> None:
    """Write the file. Raises TFLiteError if it would have more than 2 GB, its tables included."""
    records = {} if card is None else {NAME: pack_metadata(program, card)}
    try:
        content: memoryview | bytes = _Writer(program, records).pack()
    except BuilderSizeError:
        raise TFLiteError("the file would have 2 GB or more, the limit of TFLite") from None
    if card is not None:
        content = append_labels(bytes(content), program, card)
    with path.open("wb") as file:
        file.write(content)


class _Function:
    """A program with numbered tensors and the buffer of each constant."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tensors = _tensors(program)
        self.index = {value.name: number for number, value in enumerate(self.tensors)}
        self.index[ABSENT.name] = _NO_TENSOR
        self.places: dict[str, int] = {}

    def constants(self) -> Iterator[tuple[str, Array]]:
        constants = self.program.constants
        return ((v.name, constants[v.name]) for v in self.tensors if v.name in constants)

    def indices(self, values: Iterable[Value]) -> tuple[int, ...]:
        return tuple(self.index[value.name] for value in values)


class _Writer:
    """Packs a program from its leaves: a flatbuffer is written from its end to its beginning, so
    that the weights, written first, follow the tables."""

    def __init__(self, program: Program, records: Mapping[str, bytes]) -> None:
        self.records = records
        self.functions = [_Function(each) for each in (program, *program.bodies)]
        self.codes: dict[tuple[str, int], int] = {}
        self.builder = flatbuffers.Builder(self._size())
        self._options: dict[Options, int] = {}
        self._vectors: dict[tuple[int, ...], int] = {}

    def _size(self) -> int:
        """Return an upper bound of the file's size: a builder that grows copies its content."""
        functions = self.functions
        arrays = [array for function in functions for _, array in function.constants()]
        weights = sum(array.nbytes + _ALIGNMENT for array in arrays)
        names = sum(4 * len(each.name) for function in functions for each in function.tensors)
        records = sum(len(each.tensors) + len(each.program.operators) for each in functions)
        said = sum(map(len, self.records.values()))
        return weights + names + said + (records + _RECORD) * _RECORD

    def pack(self) -> memoryview:
        buffers = self._buffers()
        operators = [each for function in self.functions for each in function.program.operators]
        runtime = minimum_runtime(operators).encode().ljust(16, b"\0")
        metadata = []
        for name, content in {"min_runtime_version": runtime, **self.records}.items():
            metadata.append((name, len(buffers)))
            buffers.append(self._buffer(np.frombuffer(content, np.uint8)))
        subgraphs = [self._subgraph(each) for each in self.functions]
        parts = {
            "Version": _SCHEMA_VERSION,
            "OperatorCodes": self._offsets([self._code(*code) for code in self.codes]),
            "Subgraphs": self._offsets(subgraphs),
            "Description": self.builder.CreateString("kspec"),
            "Buffers": self._offsets(buffers),
            "Metadata": self._offsets([self._metadata(*each) for each in metadata]),
            "SignatureDefs": self._offsets([self._signature()]),
        }
        self.builder.Finish(self._table("Model", parts), b"TFL3")
        return memoryview(self.builder.Bytes)[self.builder.Head() :]

    def _buffers(self) -> list[int]:
        """Write all buffers, the first one empty, as the schema requires; equal buffers are
        shared."""
        buffers = [self._table("Buffer", {})]
        kept: dict[tuple[object, ...], list[tuple[Array, int]]] = {}
        constants = [(each, *pair) for each in self.functions for pair in each.constants()]
        for function, name, array in constants:
            alike = kept.setdefault((array.nbytes, _first_bytes(array)), [])
            content = array.tobytes() if alike else b""
            place = next((at for each, at in alike if each.tobytes() == content), None)
            if place is None:
                place = len(buffers)
                buffers.append(self._buffer(array))
                alike.append((array, place))
            function.places[name] = place
        return buffers

    def _buffer(self, array: Array) -> int:
        builder = self.builder
        builder.StartVector(1, array.nbytes, _ALIGNMENT)
        builder.head -= array.nbytes
        target = np.frombuffer(builder.Bytes, array.dtype, array.size, builder.head)
        _copy(target.reshape(array.shape), array)
        return self._table("Buffer", {"Data": builder.EndVector()})

    def _subgraph(self, function: _Function) -> int:
        program = function.program
        main = function is self.functions[0]
        operators = [self._operator(each, function) for each in program.operators]
        tensors = [self._tensor(each, function) for each in function.tensors]
        parts = {
            "Tensors": self._offsets(tensors),
            "Inputs": self._integers(function.indices(program.inputs)),
            "Outputs": self._integers(function.indices(program.outputs)),
            "Operators": self._offsets(operators),
            "Name": self.builder.CreateString("main" if main else program.name),
        }
        return self._table("SubGraph", parts)

    def _tensor(self, value: Value, function: _Function) -> int:
        parts = {
            "Shape": self._integers(tuple(int(dim) for dim in value.shape)),
            "Type": TENSOR_TYPES[value.dtype],
            "Buffer": function.places.get(value.name, 0),
            "Name": self.builder.CreateString(value.name),
            "HasRank": True,
        }
        if value.name in function.program.variables:
            parts["IsVariable"] = True
        return self._table("Tensor", parts)

    def _operator(self, operator: Operator, function: _Function) -> int:
        key = operator.code, version(operator)
        parts = {
            "OpcodeIndex": self.codes.setdefault(key, len(self.codes)),
            "Inputs": self._integers(function.indices(operator.inputs)),
            "Outputs": self._integers(function.indices(operator.outputs)),
        }
        if operator.options is not None:
            name = type(operator.options).__name__
            parts["BuiltinOptionsType"] = getattr(schema.BuiltinOptions, name)
            parts["BuiltinOptions"] = self._packed(name, operator.options)
        return self._table("Operator", parts)

    def _packed(self, name: str, options: Options) -> int:
        if options not in self._options:
            record = getattr(schema, f"{name}T")()
            for field in fields(options):
                setattr(record, _camel(field.name), getattr(options, field.name))
            self._options[options] = record.Pack(self.builder)
        return self._options[options]

    def _code(self, name: str, number: int) -> int:
        code = getattr(schema.BuiltinOperator, name)
        # The first field is a byte; older files have it alone.
        parts = {
            "DeprecatedBuiltinCode": min(code, _LAST_BYTE_CODE),
            "Version": number,
            "BuiltinCode": code,
        }
        return self._table("OperatorCode", parts)

    def _signature(self) -> int:
        main = self.functions[0].program
        parts = {
            "Inputs": self._offsets(self._names(main.inputs)),
            "Outputs": self._offsets(self._names(main.outputs)),
            "SignatureKey": self.builder.CreateString("serving_default"),
        }
        return self._table("SignatureDef", parts)

    def _names(self, values: Sequence[Value]) -> list[int]:
        return [
            self._table(
                "TensorMap",
                {
                    "Name": self.builder.CreateString(value.name),
                    "TensorIndex": self.functions[0].index[value.name],
                },
            )
            for value in values
        ]

    def _metadata(self, name: str, buffer: int) -> int:
        return self._table("Metadata", {"Name": self.builder.CreateString(name), "Buffer": buffer})

    def _table(self, name: str, parts: dict[str, int]) -> int:
        getattr(schema, f"{name}Start")(self.builder)
        for field, content in parts.items():
            getattr(schema, f"{name}Add{field}")(self.builder, content)
        end: int = getattr(schema, f"{name}End")(self.builder)
        return end

    def _offsets(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        end: int = self.builder.EndVector()
        return end

    def _integers(self, numbers: tuple[int, ...]) -> int:
        if numbers not in self._vectors:
            vector = np.array(numbers, np.int32)
            self._vectors[numbers] = self.builder.CreateNumpyVector(vector)
        return self._vectors[numbers]


def _tensors(program: Program) -> list[Value]:
    """Return every tensor once, in the order of its first use."""
    met: dict[str, Value] = {value.name: value for value in program.inputs}
    for operator in program.operators:
        for value in (*operator.inputs, *operator.outputs):
            met.setdefault(value.name, value)
    for value in program.outputs:
        met.setdefault(value.name, value)
    met.pop(ABSENT.name, None)
    return list(met.values())


def _copy(target: Array, source: Array) -> None:
    """Copy an array. A kernel whose last axis was moved to the front is transposed tile by tile, up
    to ten times faster than NumPy's copy."""
    turned = source if source.ndim < 2 else np.moveaxis(source, 0, -1)
    if source.flags.c_contiguous or not turned.flags.c_contiguous:
        np.copyto(target, source)
        return
    columns = turned.reshape(-1, turned.shape[-1])
    rows = target.reshape(turned.shape[-1], -1)
    for low in range(0, columns.shape[0], _TILE):
        for left in range(0, columns.shape[1], _TILE):
            tile = columns[low : low + _TILE, left : left + _TILE]
            rows[left : left + _TILE, low : low + _TILE] = tile.T


def _first_bytes(array: Array) -> bytes:
    first: bytes = array.flat[:16].tobytes()
    return first


def _camel(name: str) -> str:
    """Convert ``stride_h`` to ``strideH``, the field names of the generated classes."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
