"""Identifiers of a programming language for the names of inputs and outputs in a spec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import count
from types import MappingProxyType
from typing import Any

from kspec.targets.platforms.templates import Verbatim

_OTHER = re.compile(r"[^A-Za-z0-9_]")
_C_LIKE = frozenset({
    "break", "case", "catch", "class", "const", "continue", "default", "do", "double", "else",
    "enum", "extends", "false", "final", "finally", "float", "for", "if", "implements", "import",
    "in", "int", "interface", "is", "long", "new", "null", "package", "private", "protected",
    "public", "return", "short", "static", "super", "switch", "this", "throw", "throws", "true",
    "try", "var", "void", "while",
})  # fmt: skip
SWIFT = _C_LIKE | frozenset({
    "Any", "BinaryClassification", "Classification", "Float", "Int32", "Pixels", "Prediction",
    "Protocol", "Self", "String", "Type", "as", "associatedtype", "async", "await", "defer",
    "deinit", "didSet", "dynamic", "extension", "fallthrough", "fileprivate", "func", "get",
    "guard", "init", "inout", "internal", "lazy", "let", "mutating", "nil", "open", "operator",
    "precedencegroup", "protocol", "repeat", "rethrows", "self", "set", "some", "struct",
    "subscript", "throws", "typealias", "unowned", "weak", "where", "willSet",
})  # fmt: skip
KOTLIN = _C_LIKE | frozenset({
    "Accelerator", "Binary", "Bitmap", "Category", "FloatArray", "IntArray", "List", "Map",
    "Pixels", "Prediction", "SIGNATURE", "String", "abstract", "as", "by", "constructor", "field",
    "fun", "get", "init", "internal", "object", "open", "operator", "out", "override", "set",
    "suspend", "typealias", "typeof", "val", "values", "vararg", "when", "where",
})  # fmt: skip
JAVA = _C_LIKE | frozenset({
    "abstract", "assert", "boolean", "byte", "char", "clone", "equals", "finalize", "getClass",
    "goto", "hashCode", "instanceof", "native", "notify", "notifyAll", "permits", "record",
    "sealed", "strictfp", "synchronized", "toString", "transient", "volatile", "wait", "yield",
})  # fmt: skip
LANGUAGES: Mapping[str, Set[str]] = MappingProxyType(
    {".swift": SWIFT, ".kt": KOTLIN, ".java": JAVA}
)
"""Words that cannot name a parameter or a property, or would shadow another name."""


def identifiers(names: Sequence[str], reserved: Set[str]) -> tuple[str, ...]:
    """Return an identifier for each of several different names, in their order.

    A name of ASCII letters, digits and ``_`` is unchanged. Other characters become ``_``; a
    reserved word gets ``_`` as a suffix, a name with a leading digit ``_`` as a prefix. Of two
    identifiers that are equal, or differ in case only, the second gets a number: getters and file
    systems would confuse them.
    """
    found: dict[int, str] = {}
    taken = set[str]()
    for place, name in enumerate(names):
        if name == _plain(name) and name not in reserved and name.casefold() not in taken:
            found[place] = name
            taken.add(name.casefold())
    taken |= {each.casefold() for each in reserved}
    for place, name in enumerate(names):
        if place not in found:
            found[place] = next(each for each in _tries(name) if each.casefold() not in taken)
            taken.add(found[place].casefold())
    return tuple(found[place] for place in range(len(names)))


def _plain(name: str) -> str:
    """Return the name with characters that all languages accept in identifiers."""
    text = _OTHER.sub("_", name)
    if not text.strip("_"):
        return f"value{text}"
    return f"_{text}" if text[0].isdigit() else text


def _tries(name: str) -> Iterator[str]:
    plain = _plain(name)
    yield plain
    yield f"{plain}_"
    for number in count(2):
        yield f"{plain}_{number}"


def named(found: Iterable[dict[str, Any]], reserved: Set[str]) -> list[dict[str, Any]]:
    """Return named descriptions, each with its position as ``index`` and an ``identifier``."""
    all_ = list(found)
    own = identifiers([each["name"] for each in all_], reserved)
    return [
        {**each, "index": index, "identifier": Verbatim(name)}
        for index, (each, name) in enumerate(zip(all_, own, strict=True))
    ]
