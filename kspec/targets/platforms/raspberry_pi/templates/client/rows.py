"""Rows from files and lines of JSON, and answers as JSON."""

import base64
import binascii
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .client import Decision
from .description import Spec
from .errors import InputError, listed
from .signature import Input

Row = dict[str, Any]


def dump(answer: Mapping[str, Any]) -> str:
    """Return an answer as one line of JSON. Raises InputError if the answer is not finite."""
    plain = {k: _shown(v) if isinstance(v, Decision) else v for k, v in answer.items()}
    try:
        return json.dumps(plain, allow_nan=False)
    except ValueError:
        raise InputError("the model's answer is not a finite number") from None


def _shown(decision: Decision[str]) -> dict[str, Any]:
    return {k: v for k, v in asdict(decision).items() if k != "values"}


def parse(spec: Spec, line: str | bytes) -> Row:
    """Return the row of a JSON object with a key for each input: a list, an object by columns, or,
    for an input with steps, a file in base64. Raises InputError."""
    try:
        row = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a line of JSON: {error}") from None
    if not isinstance(row, dict):
        raise InputError("not a JSON object with the inputs by name")
    files = {each.name for each in spec.inputs if each.steps}
    return {k: _file(k, v) if k in files else v for k, v in row.items()}


def read_csv(spec: Spec, path: Path) -> Iterator[Row | InputError]:
    """Yield the rows of a CSV file whose header names the columns; other columns are ignored. An
    unreadable row yields an error. Raises InputError for a file that cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            _check_columns(spec, reader.fieldnames or ())
            for row in reader:
                yield _read_row(spec, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(error)) from None


def _read_row(spec: Spec, row: Mapping[str, str]) -> Row | InputError:
    try:
        return {
            each.name: {name: _number(each, name, row[name]) for name in each.columns}
            for each in spec.inputs
        }
    except InputError as error:
        return error


def _check_columns(spec: Spec, header: Any) -> None:
    for each in spec.inputs:
        if not each.columns:
            raise InputError(f"the input {each.name!r} does not come from columns: use JSON lines")
        if missing := [name for name in each.columns if name not in header]:
            raise InputError(f"columns are missing: {listed(missing)}")


def _number(given: Input, column: str, text: str) -> float:
    try:
        return int(text) if given.dtype == "int32" else float(text)
    except ValueError:
        raise InputError(f"column {column!r}: {text!r} is not a number") from None


def _file(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"input {name!r}: not base64") from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")
