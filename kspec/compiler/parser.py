"""The parser of the text form of a graph (``kspec.compiler.text``)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kspec.compiler.fields import build
from kspec.compiler.ir import Array, Dim, DType, Graph, Node, Origin, TensorType, Value
from kspec.compiler.text import BARE
from kspec.compiler.verifier import verify


class IrTextError(ValueError):
    """A text that does not parse; the message starts with the line number."""


_WORDS: Mapping[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "inf": math.inf,
    "-inf": -math.inf,
    "nan": math.nan,
}


def parse_graph(text: str, constants: Mapping[str, Array] | None = None) -> Graph:
    """Parse and verify a graph. Constants missing from ``constants`` become zeros. Raises
    IrTextError, or IrError if the graph breaks an invariant."""
    graph = _read_graph(list(_tokenize(text)), constants or {})
    verify(graph)
    return graph


def _read_graph(lines: list[_Line], constants: Mapping[str, Array]) -> Graph:
    if not lines:
        raise IrTextError("line 1: no graph")
    name, inputs, outputs = _header(lines[0])
    known = {value.name: value for value in inputs}
    declared: dict[str, Array] = {}
    nodes = []
    for line in lines[1:]:
        if line.starts("const") and line.tokens[1] not in (":", ","):
            line.take("const")
            constant = line.value()
            known[constant.name] = constant
            declared[constant.name] = _elements(line, constant, constants)
        else:
            nodes.append(_read_node(line, known))
        line.end()
    return Graph(name, inputs, outputs, tuple(nodes), declared)


_TOKEN = re.compile(
    r"""(?P<space>\s+|\#.*) | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<number>-inf\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    | (?P<name>[A-Za-z_][\w/.-]*) | (?P<sign>->|[()\[\]:,=@{}])""",
    re.VERBOSE | re.ASCII,
)


@dataclass(slots=True)
class _Line:
    """The tokens of a line. A line that opens a brace contains all lines up to the closing brace,
    each preceded by a line-break token. A method that finds another token raises IrTextError."""

    number: int
    tokens: list[str]

    def starts(self, token: str) -> bool:
        return self.tokens[:1] == [token]

    def fail(self, problem: str) -> IrTextError:
        return IrTextError(f"line {self.number}: {problem}")

    def next(self) -> str:
        if not self.tokens:
            raise self.fail("it ends too early")
        return self.tokens.pop(0)

    def take(self, *expected: str) -> None:
        for token in expected:
            if (found := self.next()) != token:
                raise self.fail(f"expected {token}, found {found}")

    def end(self) -> None:
        if self.tokens:
            raise self.fail(f"unexpected {self.tokens[0]}")

    def name(self) -> str:
        token = self.next()
        if token.startswith('"'):
            return self.string(token)
        if not BARE.fullmatch(token):
            raise self.fail(f"expected a name, found {token}")
        return token

    def string(self, token: str) -> str:
        try:
            return str(json.loads(token))
        except ValueError as error:
            raise self.fail(f"{token} is not a string") from error

    def value(self) -> Value:
        name = self.name()
        self.take(":")
        dtype = self.next()
        if dtype not in DType.__members__.values():
            raise self.fail(f"no element type is called {dtype}")
        shape = tuple([self.dim() for _ in self.until("[", "]")])
        return Value(name, TensorType(DType(dtype), shape))

    def dim(self) -> Dim:
        """Read a number or a name: a dimension, or an item of a route."""
        return int(self.next()) if self.tokens and self.tokens[0].isdecimal() else self.name()

    def values(self, opening: str, closing: str) -> tuple[Value, ...]:
        return tuple([self.value() for _ in self.until(opening, closing)])

    def until(self, opening: str, closing: str) -> Iterable[None]:
        """Yield once per item between the brackets; the caller reads the item."""
        self.take(opening)
        while not self.starts(closing):
            yield
            if not self.starts(closing):
                self.take(",")
        self.take(closing)

    def literal(self) -> object:
        if self.starts("["):
            return [self.literal() for _ in self.until("[", "]")]
        if self.starts("{"):
            return self.body()
        token = self.next()
        if token.startswith('"'):
            return self.string(token)
        if token in _WORDS:
            return _WORDS[token]
        try:
            return float(token) if re.search(r"[.e]", token) else int(token)
        except ValueError as error:
            raise self.fail(f"{token} is not a literal") from error

    def body(self) -> Graph:
        """Read a graph between braces; its constants become zeros."""
        self.take("{", "\n")
        lines = [_Line(self.number, [])]
        depth = 1
        while depth := depth + {"{": 1, "}": -1}.get(each := self.next(), 0):
            if each == "\n" and depth == 1:
                lines.append(_Line(self.number, []))
            else:
                lines[-1].tokens.append(each)
        return _read_graph([line for line in lines if line.tokens], {})


def _tokenize(text: str) -> Iterable[_Line]:
    """Yield the non-empty lines; lines between braces belong to the line with the opening brace."""
    whole: _Line | None = None
    for line in _physical_lines(text):
        if whole is None:
            whole = line
        else:
            whole.tokens += ["\n", *line.tokens]
        if whole.tokens.count("{") == whole.tokens.count("}"):
            yield whole
            whole = None
    if whole is not None:
        yield whole


def _physical_lines(text: str) -> Iterable[_Line]:
    for number, content in enumerate(text.splitlines(), 1):
        line = _Line(number, [])
        place = 0
        while place < len(content):
            token = _TOKEN.match(content, place)
            if token is None:
                raise line.fail(f"unexpected {content[place]}")
            if token.lastgroup != "space":
                line.tokens.append(token[0])
            place = token.end()
        if line.tokens:
            yield line


def _header(line: _Line) -> tuple[str, tuple[Value, ...], tuple[Value, ...]]:
    line.take("graph")
    name = line.name()
    inputs = line.values("(", ")")
    line.take("->")
    outputs = line.values("(", ")")
    line.end()
    return name, inputs, outputs


def _elements(line: _Line, constant: Value, given: Mapping[str, Array]) -> Array:
    if any(isinstance(dim, str) for dim in constant.shape):
        raise line.fail(f"a constant of unknown size: {constant}")
    array = given.get(constant.name)
    if array is None:
        return np.zeros([int(dim) for dim in constant.shape], constant.dtype.numpy)
    if TensorType.of(array) != constant.type:
        raise line.fail(f"{constant} was given {TensorType.of(array)}")
    return array


def _read_node(line: _Line, known: dict[str, Value]) -> Node:
    outputs = [line.value()]
    while line.starts(","):
        line.take(",")
        outputs.append(line.value())
    line.take("=")
    kind = line.name()
    inputs: list[Value] = []
    fields: dict[str, object] = {}
    for _ in line.until("(", ")"):
        name = line.name()
        if line.starts("="):
            line.take("=")
            fields[name] = line.literal()
        elif name in known:
            inputs.append(known[name])
        else:
            raise line.fail(f"{name} is not defined above")
    origin = Origin()
    if line.starts("@"):
        line.take("@")
        origin = Origin(line.name(), tuple([line.dim() for _ in line.until("[", "]")]))
    try:
        op = build(kind, fields)
    except ValueError as error:
        raise line.fail(str(error)) from error
    known.update({value.name: value for value in outputs})
    return Node(op, tuple(inputs), tuple(outputs), origin)
