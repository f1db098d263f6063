"""The parts of coremltools that writing needs, imported late and quietly."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from kspec.compiler.ir import DType

_FRONT_ENDS = ("tensorflow", "torch", "sklearn")
_MIL_NAMES = {
    DType.float32: "fp32",
    DType.float16: "fp16",
    DType.int32: "int32",
    DType.boolean: "bool",
}


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The MIL builder and what surrounds it. Its classes are untyped: coremltools has no stubs."""

    builder: Any
    """`mb`: one function an operation, which checks and infers the types."""
    mil: ModuleType
    """Program, Function and the types of MIL."""
    target: Any
    """The enumeration of deployment targets."""
    load: Any
    """Turns a Program into the Model message, and writes its weights file."""
    proto: Any
    """The messages of the model specification."""
    version: str

    @property
    def mil_names(self) -> Mapping[DType, str]:
        """What MIL calls each element type that Core ML has."""
        return _MIL_NAMES

    def element_types(self) -> dict[DType, Any]:
        """The builder's class for each element type that Core ML has."""
        return {dtype: getattr(self.mil.types, name) for dtype, name in _MIL_NAMES.items()}


@cache
def toolkit() -> Toolkit:
    with _without_front_ends(), _quiet():
        import coremltools
        from coremltools import proto
        from coremltools.converters.mil import mil
        from coremltools.converters.mil.backend.mil.load import load

    return Toolkit(mil.Builder, mil, coremltools.target, load, proto, coremltools.__version__)


@contextlib.contextmanager
def _without_front_ends() -> Iterator[None]:
    """coremltools imports every framework that it could convert from, TensorFlow's seconds among
    them, and skips the frameworks that it does not find."""
    absent = [name for name in _FRONT_ENDS if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its import warns of untested versions of frameworks, and of Core ML's absence off macOS."""
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
