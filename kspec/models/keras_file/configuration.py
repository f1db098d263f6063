"""The JSON of a `.keras` file, checked for depth, numbers and Python objects."""

from __future__ import annotations

import json
import math
from typing import Any

from kspec.models.keras_file.refusal import refused

DEPTH = 200
LARGEST = 2**31 - 1
LONGEST = 4096
"""Maximum characters of a text."""

Json = Any
"""A result of `json.loads`; each use checks the types of its values."""


def parse(text: bytes) -> dict[str, Json]:
    """Parse the configuration; raises KspecError KS731."""
    _check_depth(text)
    try:
        parsed = json.loads(
            text, object_pairs_hook=_once, parse_constant=_finite, parse_int=_short_int
        )
    except (ValueError, RecursionError) as error:
        raise refused("KS731", f"config.json is not valid JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise refused("KS731", "config.json holds no model")
    return parsed


def _check_depth(text: bytes) -> None:
    """Check the nesting depth before a recursive parser reads the text."""
    depth, in_text, escaped = 0, False, False
    for byte in text:
        if in_text:
            in_text = escaped or byte != 0x22
            escaped = not escaped and byte == 0x5C
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > DEPTH:
                raise refused("KS731", f"config.json is nested more than {DEPTH} deep")
        elif byte in b"]}":
            depth -= 1


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _finite(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _short_int(text: str) -> int:
    if len(text) > 24:
        raise ValueError("a number has too many digits")
    return int(text)


def member(given: Json, key: str, kind: type | tuple[type, ...], where: str) -> Json:
    """Return a value of an object; raise KspecError if it does not have the expected type."""
    value = given.get(key) if isinstance(given, dict) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise refused("KS731", f"{where} has no {key} that is read")
    return value


def check_plain(value: Json, where: str, key: str = "") -> None:
    """Refuse values that are not plain data within bounds: KS732 and KS733."""
    match value:
        case list():
            for item in value:
                check_plain(item, where, key)
        case dict():
            if foreign := value.keys() & {"class_name", "module", "registered_name"}:
                shown = str(value.get("class_name", value[foreign.pop()]))[:80]
                raise refused("KS732", f"{where}: {key} holds a Python object, {shown}")
            for name, item in value.items():
                check_plain(item, where, name)
        case str() if len(value) > LONGEST:
            raise refused("KS733", f"{where}: {key} is a text of {len(value)} characters")
        case int() | float() if not _fits(value, key):
            raise refused("KS733", f"{where}: {key} is {value}, which no layer can hold")


def _fits(value: float, key: str) -> bool:
    if isinstance(value, int):
        return abs(value) <= (2**64 if key.endswith("seed") else LARGEST)
    return math.isfinite(value)
