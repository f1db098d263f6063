"""Golden rows: raw inputs with what the trained model answered."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES: Mapping[str, str] = MappingProxyType({"F32": "<f4", "I32": "<i4", "U8": "|u1"})
_LENGTH = struct.Struct("<Q")


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file by name: a length, a JSON header, and the bytes that it points into.
    Raises ValueError for what is no such file."""
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
