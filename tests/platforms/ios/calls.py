"""What Swift code declares and what it uses, as tree-sitter reads it: names, and calls with their
labels. It knows no types: `Calls.unknown` are misspelled, the others exist somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import tree_sitter_swift
from tree_sitter import Language, Node, Parser

Labels = tuple[str, ...]
"""The label of each argument, `_` where it has none."""


@dataclass(frozen=True, slots=True)
class Callable:
    """A function, an initializer by its type's name, or a case with values."""

    name: str
    parameters: tuple[tuple[str, bool], ...]
    """Label, and whether it may be left out."""

    def takes(self, labels: Labels, closures: int) -> bool:
        """Whether a call with these labels and so many closures behind it may be meant."""
        left = list(self.parameters)
        for label in labels:
            while left and left[0][0] != label:
                if not left.pop(0)[1]:
                    return False
            if not left:
                return False
            left.pop(0)
        needed = sum(not optional for _, optional in left)
        return needed <= closures <= len(left)


@dataclass(frozen=True, slots=True)
class Swift:
    """Declarations and uses of source files."""

    names: frozenset[str]
    callables: frozenset[Callable]
    used: frozenset[str]
    calls: frozenset[tuple[str, Labels, int]]

    @classmethod
    def read(cls, sources: Iterable[bytes]) -> Swift:
        nodes = [node for source in sources for node in _walk(parse(source))]
        callables = frozenset(found for node in nodes for found in _callables(node))
        names = frozenset(name for node in nodes for name in _names(node))
        return cls(
            names | {each.name for each in callables},
            callables,
            frozenset(name for node in nodes for name in _used(node)),
            frozenset(call for node in nodes for call in _calls(node)),
        )

    def unknown(self, api: Swift) -> tuple[list[str], list[tuple[str, Labels, int]]]:
        """Names and calls that neither this code nor the API declares."""
        callables = self.callables | api.callables
        closures = self.names | api.names
        calls = [
            (name, labels, behind)
            for name, labels, behind in self.calls
            if not any(each.name == name and each.takes(labels, behind) for each in callables)
            # A value that is a closure is called without labels.
            and not (name[:1].islower() and name in closures and set(labels) <= {"_"})
        ]
        return sorted(self.used - self.names - api.names - {"self"}), sorted(calls)


def parse(source: bytes) -> Node:
    """The root. Raises SyntaxError."""
    root = Parser(Language(tree_sitter_swift.language())).parse(source).root_node
    if root.has_error:
        bad = next(each for each in _walk(root) if each.type == "ERROR" or each.is_missing)
        raise SyntaxError(f"line {bad.start_point[0] + 1}: {bad.text!r}")
    return root


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _of(node: Node, *kinds: str) -> list[Node]:
    return [child for child in node.children if child.type in kinds]


def _callables(node: Node) -> Iterator[Callable]:
    if node.type in ("function_declaration", "protocol_function_declaration"):
        (name, *_) = _of(node, "simple_identifier")
        yield Callable(_text(name), _parameters(node))
    elif node.type == "init_declaration":
        yield Callable(_owner(node), _parameters(node))
        yield Callable("init", _parameters(node))
    elif node.type == "enum_entry":
        for name, values in pairwise(node.children):
            if values.type == "enum_type_parameters":
                count = len(_of(values, "user_type", "array_type"))
                yield Callable(_text(name), (("_", False),) * count)
    elif node.type == "class_declaration" and _of(node, "struct"):
        (body,) = _of(node, "class_body")
        stored = [each for each in _of(body, "property_declaration") if _is_stored(each)]
        yield Callable(
            _owner(body),
            tuple((_property(each), "=" in map(_text, each.children)) for each in stored),
        )


def _parameters(node: Node) -> tuple[tuple[str, bool], ...]:
    found = []
    for child, after in pairwise(node.children):
        if child.type == "parameter":
            (label, *_) = _of(child, "simple_identifier")
            found.append((_text(label), after.type == "="))
    return tuple(found)


def _is_stored(node: Node) -> bool:
    modifiers = " ".join(map(_text, _of(node, "modifiers")))
    return (
        not _of(node, "computed_property")
        and "static" not in modifiers
        and "private var" not in modifiers
    )


def _property(node: Node) -> str:
    (pattern, *_) = _of(node, "pattern")
    return _text(pattern)


def _owner(node: Node) -> str:
    """The type around a node, without those around that."""
    around = node.parent
    while around is not None and around.type not in ("class_declaration", "protocol_declaration"):
        around = around.parent
    assert around is not None
    (name, *_) = _of(around, "type_identifier", "user_type")
    return _text(name).rpartition(".")[2]


def _names(node: Node) -> Iterator[str]:
    if node.type in ("class_declaration", "protocol_declaration", "typealias_declaration"):
        yield from (_text(each).rpartition(".")[2] for each in _of(node, "type_identifier"))
    elif node.type in ("enum_entry", "type_parameter"):
        yield from map(_text, _of(node, "simple_identifier", "type_identifier"))
    elif node.type == "pattern" and not node.text.startswith(b"."):
        yield from (
            _text(each).strip("`") for each in _walk(node) if each.type == "simple_identifier"
        )
    elif node.type == "import_declaration":
        yield from map(_text, _of(node, "identifier"))
    elif node.type == "tuple_type_item":
        yield from map(_text, _of(node, "simple_identifier"))
    elif node.type == "parameter":
        yield _text(_of(node, "simple_identifier")[-1])


def _used(node: Node) -> Iterator[str]:
    if node.type == "type_identifier":
        if (
            node.parent is None
            or node.parent.parent is None
            or node.parent.parent.type != "attribute"
        ):
            yield _text(node)
    elif node.type in ("navigation_suffix", "prefix_expression"):
        yield from (_text(each).strip("`") for each in _of(node, "simple_identifier"))


def _calls(node: Node) -> Iterator[tuple[str, Labels, int]]:
    if node.type not in ("call_expression", "constructor_expression"):
        return
    callee, suffixes = node.children[0], node.children[-1:]
    if callee.type == "call_expression":  # f(x) { … }
        callee, suffixes = callee.children[0], [callee.children[-1], *suffixes]
    arguments = [found for each in suffixes for found in _of(each, "value_arguments")]
    name = _called(callee)
    if name in _NO_CALLS or any(_text(each).startswith("[") for each in arguments):
        return
    labels = [
        next((_text(label) for label in _of(each, "value_argument_label")), "_")
        for found in arguments
        for each in _of(found, "value_argument")
    ]
    closures = [found for each in suffixes for found in _of(each, "lambda_literal")]
    yield name, tuple(labels), len(closures)


def _called(callee: Node) -> str:
    """The last name of what is called; the grammar takes operators before it for parts of it."""
    if callee.type == "array_literal":
        return "Array"
    text = _text(callee)
    if callee.type == "user_type":
        text = text.partition("<")[0]
    found = _LAST_NAME.search(text)
    return found[1] if found else ""


_LAST_NAME = re.compile(r"(\w+)\W*$")
_NO_CALLS = frozenset({"", "defer"})
