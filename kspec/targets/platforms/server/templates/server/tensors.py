"""Conversion of a request's values to the model's input tensors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from .bodies import Body
from .description import Model
from .engine import Rows
from .errors import RequestError
from .settings import Settings
from .signature import Input

RANGES: Final = MappingProxyType(
    {
        "float32": (float(np.finfo("float32").min), float(np.finfo("float32").max)),
        "int32": (int(np.iinfo("int32").min), int(np.iinfo("int32").max)),
    }
)
"""The smallest and the largest number of a type."""
B64: Final = "b64"
"""The key for bytes in TensorFlow Serving's JSON."""


def from_rows(rows: Any, key: str, body: Body, model: Model, settings: Settings) -> Rows:
    """Return the tensors of a list of rows: each row is an object by inputs or by columns, or the
    bare value of a single input."""
    if type(rows) is not list or not rows:
        raise RequestError(400, f"{key} is not a list with a row in it")
    only = model.inputs[0] if len(model.inputs) == 1 else None
    if only is not None and (type(rows[0]) is not dict or _is_file(rows[0], only)):
        return from_columns({only.name: rows}, body, model, settings)
    columns: dict[str, list[Any]] = {each.name: [] for each in model.inputs}
    for row in rows:
        if type(row) is not dict:
            raise RequestError(400, f"a row of {key} is not an object of inputs")
        used = 0
        for each in model.inputs:
            cell, keys = _cell(row, each)
            columns[each.name].append(cell)
            used += keys
        if used != len(row):
            raise RequestError(400, f"a row of {key} has a key that is not an input or a column")
    return from_columns(columns, body, model, settings)


def from_columns(columns: Mapping[str, Any], body: Body, model: Model, settings: Settings) -> Rows:
    """Return the tensors of an object that contains all rows of each input."""
    if unknown := next((name for name in columns if name not in _names(model)), None):
        raise RequestError(400, f"there is no input {unknown!r}")
    arrays: dict[str, np.ndarray] = {}
    files: dict[str, list[bytes]] = {}
    for each in model.inputs:
        if each.name not in columns:
            raise RequestError(400, f"the input {each.name!r} is missing")
        values = columns[each.name]
        if type(values) is list and values and _is_file(values[0], each):
            files[each.name] = [_file(value, each) for value in values]
        else:
            arrays[each.name] = array_of(values, each, body)
    return checked(arrays, files, model, settings)


def array_of(values: Any, wanted: Input, body: Body) -> np.ndarray:
    """Return nested lists of numbers as an array of the input's type, in any shape."""
    if body.truths and _has_truths(values):
        raise RequestError(400, f"{wanted.name} contains true or false, not only numbers")
    try:
        found = np.array(values)
    except (ValueError, OverflowError):
        raise RequestError(400, f"the lists of {wanted.name} differ in length") from None
    return cast(found, wanted)


def cast(found: np.ndarray, wanted: Input) -> np.ndarray:
    """Return numbers in the input's type. Raises RequestError 400 for values that are not numbers,
    and for numbers outside the type's range."""
    if found.dtype.kind not in ("iuf" if wanted.dtype == "float32" else "iu"):
        raise RequestError(400, f"{wanted.name} takes {wanted.dtype} only")
    least, most = RANGES[wanted.dtype]
    # The minimum and maximum of an array with a NaN are NaN: this condition refuses it too.
    if found.size and not (found.min() >= least and found.max() <= most):
        raise RequestError(400, f"{wanted.name} has a number outside the range of {wanted.dtype}")
    return found.astype(wanted.dtype, copy=False)


def checked(
    arrays: dict[str, np.ndarray], files: dict[str, list[bytes]], model: Model, settings: Settings
) -> Rows:
    """Return the rows. Raises RequestError 400 if shapes or numbers of rows do not agree, 413 for
    too many rows."""
    counts = {len(each) for each in files.values()}
    varying: dict[int | str, int] = {}
    for each in model.inputs:
        if each.name in files:
            continue
        shape = arrays[each.name].shape
        fits = len(shape) == len(each.shape) + 1 and 0 not in shape
        if not fits or any(shape[axis] != size for axis, size in each.sizes):
            wanted = ", ".join(map(str, ("rows", *each.shape)))
            raise RequestError(400, f"{each.name} has the shape {shape}, not ({wanted})")
        for name, size in zip(each.shape, shape[1:], strict=True):
            if varying.setdefault(name, size) != size:
                raise RequestError(400, f"the inputs differ in their size {name!r}")
        counts.add(shape[0])
    count = counts.pop()
    if counts:
        raise RequestError(400, "the inputs differ in their number of rows")
    if count > settings.rows:
        raise RequestError(413, f"{count} rows are more than {settings.rows}")
    return Rows(count, arrays, files)


def file_of(text: Any, wanted: Input) -> bytes:
    """Return the bytes of a file in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise RequestError(400, f"a file of {wanted.name} is not base64") from None


def _names(model: Model) -> list[str]:
    return [each.name for each in model.inputs]


def _cell(row: dict[str, Any], wanted: Input) -> tuple[Any, int]:
    """Return the value of an input in a row, and the number of the row's keys that it uses."""
    if wanted.name in row:
        cell = row[wanted.name]
        alone = wanted.shape == (1,) and type(cell) is not list
        return [cell] if alone else cell, 1
    if wanted.columns and all(name in row for name in wanted.columns):
        return [row[name] for name in wanted.columns], len(wanted.columns)
    raise RequestError(400, f"a row lacks the input {wanted.name!r}")


def _is_file(value: Any, wanted: Input) -> bool:
    return bool(wanted.steps) and type(value) is dict and list(value) == [B64]


def _file(value: Any, wanted: Input) -> bytes:
    if not _is_file(value, wanted):
        raise RequestError(400, f"not every row of {wanted.name} is a file")
    return file_of(value[B64], wanted)


def _has_truths(values: Any) -> bool:
    pending = [values]
    while pending:
        each = pending.pop()
        if each is True or each is False:
            return True
        if type(each) is list:
            pending += each
    return False
