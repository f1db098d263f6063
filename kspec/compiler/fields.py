"""Conversion of operation fields to plain data and back, shared by the text and file forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from kspec.compiler.ir import DType, Op
from kspec.compiler.ops import OPS

_NOT_FINITE = ("inf", "-inf", "nan")
"""Spellings of non-finite floats in formats without a literal for them."""


def describe(op: Op) -> dict[str, Any]:
    """Return the fields that differ from their defaults, in declaration order; tuples are kept."""
    given = ((field, getattr(op, field.name)) for field in fields(op))
    return {field.name: value for field, value in given if value != field.default}


def build(name: str, given: Mapping[str, object]) -> Op:
    """Build the operation of that name and check its fields against their types. A list is accepted
    for a tuple, a string for a non-finite float. Raises ValueError that names the field."""
    kind = OPS.get(name)
    if kind is None:
        raise ValueError(f"no operation is called {name!r}")
    declared = {field.name: field for field in fields(kind)}
    if unknown := given.keys() - declared.keys():
        raise ValueError(f"{name} has no field {', '.join(sorted(unknown))}")
    missing = {key for key, field in declared.items() if field.default is MISSING} - given.keys()
    if missing:
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}")
    hints = _hints(kind)
    values = {}
    for key, value in given.items():
        try:
            values[key] = _read(value, hints[key])
        except ValueError as error:
            raise ValueError(f"{name}.{key}: {error}") from error
    return kind(**values)


@cache
def _hints(kind: type[Op]) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(value: object, hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _read_union(value, get_args(hint))
    if get_origin(hint) is tuple:
        return _read_tuple(value, get_args(hint))
    if get_origin(hint) is Literal:
        accepted = isinstance(value, str) and value in get_args(hint)
    elif hint is DType:
        return DType(_expect(value, str))
    elif hint is float:
        return float(value if value in _NOT_FINITE else _expect(value, int, float))
    else:
        accepted = type(value) is hint
    if not accepted:
        raise ValueError(f"{value!r} is not allowed")
    return value


def _read_union(value: object, hints: tuple[Any, ...]) -> Any:
    for hint in hints:
        if value is None and hint is NoneType:
            return None
        try:
            return _read(value, hint)
        except ValueError:
            continue
    raise ValueError(f"{value!r} is not allowed")


def _read_tuple(value: object, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    items = _expect(value, list, tuple)
    if hints[-1] is Ellipsis:
        return tuple(_read(item, hints[0]) for item in items)
    if len(items) != len(hints):
        raise ValueError(f"{len(hints)} items are needed, found {len(items)}")
    return tuple(_read(item, hint) for item, hint in zip(items, hints, strict=True))


def _expect(value: object, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise ValueError(f"{value!r} is not allowed")
    return value
