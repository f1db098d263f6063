"""Golden rows: raw inputs with the trained model's answers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import DESCRIPTION

_DTYPES: Mapping[str, str] = MappingProxyType({"F32": "<f4", "I32": "<i4", "U8": "|u1"})
_LENGTH = struct.Struct("<Q")


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a safetensors file by name. The file consists of the length of a JSON
    header, the header, and the bytes of the arrays. Raises ValueError or KeyError otherwise."""
    content = path.read_bytes()
    (length,) = _LENGTH.unpack_from(content)
    start = _LENGTH.size + length
    header = json.loads(content[_LENGTH.size : start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            content[start + each["data_offsets"][0] : start + each["data_offsets"][1]],
            _DTYPES[each["dtype"]],
        ).reshape(each["shape"])
        for name, each in header.items()
    }


def described_columns(folder: Path) -> dict[str, list[str]]:
    """Return the columns of each input in the bundle's description, not in the client's code."""
    about = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    return {each["name"]: each["columns"] for each in about["signature"]["inputs"]}
