"""The signatures of a serialised `MetaGraphDef`.

They are read without TensorFlow's message classes, whose import loads all of TensorFlow. The field
numbers are from meta_graph.proto and tensor_shape.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURES, INPUTS, OUTPUTS = 5, 1, 2
KEY, VALUE = 1, 2
NAME, DTYPE, SHAPE = 1, 2, 3
DIM, SIZE, UNKNOWN_RANK = 2, 1, 3
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}
SIGN = 1 << 63

Field = tuple[int, int | memoryview]


@dataclass(frozen=True, slots=True)
class Info:
    """A `TensorInfo`: the tensor ``operation:index`` of a name of the signature."""

    tensor: str
    dtype: int
    """A `TF_DataType`."""
    shape: tuple[int | None, ...]
    """None for a symbolic dimension."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A `SignatureDef`, by the names of its inputs and outputs."""

    inputs: dict[str, Info]
    outputs: dict[str, Info]


def read_signatures(meta_graph: bytes) -> dict[str, Signature]:
    """Return all signatures by name. Raises ValueError for bytes that are not a message."""
    return {
        name: Signature(_infos(content, INPUTS), _infos(content, OUTPUTS))
        for name, content in _entries(memoryview(meta_graph), SIGNATURES)
    }


def _infos(signature: memoryview, number: int) -> dict[str, Info]:
    return {name: _info(content) for name, content in _entries(signature, number)}


def _info(message: memoryview) -> Info:
    fields = dict(_fields(message))
    shape = _message(fields.get(SHAPE, memoryview(b"")))
    if any(number == UNKNOWN_RANK for number, _ in _fields(shape)):
        raise ValueError("a tensor of a signature has no known rank")
    sizes = [_signed(dict(_fields(_message(dim))).get(SIZE, 0)) for dim in _each(shape, DIM)]
    dtype = fields.get(DTYPE, 0)
    assert isinstance(dtype, int)
    return Info(
        _text(_message(fields.get(NAME, memoryview(b"")))),
        dtype,
        tuple(None if size < 0 else size for size in sizes),
    )


def _entries(message: memoryview, number: int) -> Iterator[tuple[str, memoryview]]:
    """Yield the entries of a map from names to messages."""
    for entry in _each(message, number):
        fields = dict(_fields(_message(entry)))
        key, value = fields.get(KEY, memoryview(b"")), fields.get(VALUE, memoryview(b""))
        yield _text(_message(key)), _message(value)


def _each(message: memoryview, number: int) -> Iterator[int | memoryview]:
    return (content for found, content in _fields(message) if found == number)


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in order: numbers, or bytes for fields with a length."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == VARINT:
            number, place = _varint(message, place)
            yield tag >> 3, number
            continue
        if kind == DELIMITED:
            size, place = _varint(message, place)
        elif kind in WIDTHS:
            size = WIDTHS[kind]
        else:
            raise ValueError(f"wire type {kind} is not one of a message's")
        if place + size > len(message):
            raise ValueError("the message is cut off")
        yield tag >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(message):
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, place
    raise ValueError("the message is cut off")


def _message(content: int | memoryview) -> memoryview:
    if isinstance(content, int):
        raise ValueError("a number stands where a message belongs")
    return content


def _signed(number: int | memoryview) -> int:
    assert isinstance(number, int)
    return number - 2 * SIGN if number >= SIGN else number


def _text(content: memoryview) -> str:
    return bytes(content).decode()
