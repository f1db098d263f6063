"""The file form of a graph: a folder with ``graph.json`` and ``constants.safetensors``.

Reading it needs no TensorFlow and creates only numbers, strings and operations of the table. Equal
graphs have equal bytes, independent of the order of their constants.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from kspec.compiler import fields
from kspec.compiler.ir import Array, DType, Graph, Node, Origin, TensorType, Value
from kspec.compiler.verifier import IrError, verify

GRAPH = "graph.json"
CONSTANTS = "constants.safetensors"


class IrFileError(Exception):
    """A folder that does not contain a valid graph."""


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class _Value(_Record):
    name: str
    dtype: DType
    shape: tuple[Annotated[int, Field(ge=0)] | str, ...]


class _Node(_Record):
    op: str
    fields: dict[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[_Value, ...]
    layer: str
    route: tuple[int | str, ...]


class _File(_Record):
    version: Literal[1]
    name: str
    inputs: tuple[_Value, ...]
    outputs: tuple[str, ...]
    constants: tuple[_Value, ...]
    nodes: tuple[_Node, ...]


def save(graph: Graph, folder: Path) -> None:
    """Write a graph to ``folder``, which must be missing or empty. The folder appears complete or
    not at all. Raises OSError."""
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    beside.mkdir()
    try:
        for name, content in _contents(graph).items():
            with (beside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load(folder: Path) -> Graph:
    """Read and verify the graph in ``folder``. Raises IrFileError; OSError if files are missing."""
    try:
        file = _File.model_validate_json((folder / GRAPH).read_bytes())
        constants = safetensors.load((folder / CONSTANTS).read_bytes())
        graph = _graph(file, constants)
        verify(graph)
    except (ValidationError, SafetensorError, IrError, ValueError, KeyError) as error:
        raise IrFileError(f"{folder} holds no graph: {error}") from error
    return graph


def digest(graph: Graph) -> str:
    """Return the SHA-256, in hex, of the two files that ``save`` would write."""
    state = hashlib.sha256()
    for content in _contents(graph).values():
        state.update(hashlib.sha256(content).digest())
    return state.hexdigest()


def _contents(graph: Graph) -> dict[str, bytes]:
    constants = {
        name: np.asarray(array, order="C") for name, array in sorted(graph.constants.items())
    }
    file = _record(graph)
    return {GRAPH: file.model_dump_json().encode(), CONSTANTS: safetensors.save(constants)}


def _record(graph: Graph) -> _File:
    constants = (
        Value(name, TensorType.of(array)) for name, array in sorted(graph.constants.items())
    )
    return _File(
        version=1,
        name=graph.name,
        inputs=_values(graph.inputs),
        outputs=tuple(value.name for value in graph.outputs),
        constants=_values(constants),
        nodes=tuple(map(_node, graph.nodes)),
    )


def _values(values: Iterable[Value]) -> tuple[_Value, ...]:
    return tuple(_Value(name=each.name, dtype=each.dtype, shape=each.shape) for each in values)


def _node(node: Node) -> _Node:
    return _Node(
        op=type(node.op).__name__,
        fields={key: _plain(value) for key, value in fields.describe(node.op).items()},
        inputs=tuple(value.name for value in node.inputs),
        outputs=_values(node.outputs),
        layer=node.origin.layer,
        route=node.origin.route,
    )


def _plain(value: object) -> object:
    """Return a JSON value: infinities become strings, a graph in a field becomes a record."""
    if isinstance(value, Graph):
        return _record(value).model_dump(mode="json")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _field(value: object) -> object:
    """Return the value of a field as written, with a record converted to a graph."""
    if isinstance(value, dict):
        return _graph(_File.model_validate_json(json.dumps(value)), {})
    return value


def _graph(file: _File, arrays: dict[str, Array]) -> Graph:
    constants = {each.name: arrays[each.name] for each in file.constants}
    if unknown := arrays.keys() - constants.keys():
        raise ValueError(f"constants that {GRAPH} does not declare: {', '.join(sorted(unknown))}")
    for each in file.constants:
        if TensorType.of(arrays[each.name]) != _type(each):
            found = TensorType.of(arrays[each.name])
            raise ValueError(f"constant {each.name} is {found}, declared {_type(each)}")
    known = {each.name: Value(each.name, _type(each)) for each in (*file.inputs, *file.constants)}
    nodes = []
    for record in file.nodes:
        op = fields.build(record.op, {key: _field(each) for key, each in record.fields.items()})
        inputs = tuple(known[name] for name in record.inputs)
        outputs = tuple(Value(each.name, _type(each)) for each in record.outputs)
        nodes.append(Node(op, inputs, outputs, Origin(record.layer, record.route)))
        known |= {output.name: output for output in outputs}
    return Graph(
        file.name,
        tuple(known[each.name] for each in file.inputs),
        tuple(known[name] for name in file.outputs),
        tuple(nodes),
        constants,
    )


def _type(value: _Value) -> TensorType:
    return TensorType(value.dtype, value.shape)
