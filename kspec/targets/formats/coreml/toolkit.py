"""The parts of coremltools that the writer needs, imported on first use and without warnings."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
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
    """The MIL builder and related classes, which are untyped: coremltools has no stubs."""

    builder: Any
    """`mb`, with one function per operation that checks and infers types."""
    mil: ModuleType
    """The module with Program, Function and the types of MIL."""
    target: Any
    """The enumeration of deployment targets."""
    load: Any
    """The function that converts a Program to a Model message and writes its weights file."""
    proto: Any
    """The messages of the model specification."""
    version: str

    @property
    def mil_names(self) -> Mapping[DType, str]:
        """The MIL name of each element type that Core ML supports."""
        return _MIL_NAMES

    def element_types(self) -> dict[DType, Any]:
        """The builder's class of each element type that Core ML supports."""
        return {dtype: getattr(self.mil.types, name) for dtype, name in _MIL_NAMES.items()}


@cache
def toolkit() -> Toolkit:
    with _without_front_ends(), _without_solvers(), _quiet():
        import coremltools
        from coremltools import proto
        from coremltools.converters.mil import mil
        from coremltools.converters.mil.backend.mil.load import load

    return Toolkit(mil.Builder, mil, coremltools.target, load, proto, coremltools.__version__)


@contextlib.contextmanager
def _without_front_ends() -> Iterator[None]:
    """Hide the frameworks that coremltools converts from. It imports each of them that it finds,
    and TensorFlow alone takes seconds."""
    absent = [name for name in _FRONT_ENDS if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


class _Symbols(ModuleType):
    """Stands for SymPy in coremltools: its names come from `sympy.core`, which has the symbols and
    their arithmetic, and a name that is not there from the whole package."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        core = import_module("sympy.core")
        return getattr(core if hasattr(core, name) else import_module("sympy"), name)


@contextlib.contextmanager
def _without_solvers() -> Iterator[None]:
    """coremltools takes symbolic dimensions from SymPy, whose import loads solvers, integrals and
    matrices as well: most of the time that coremltools takes. Whatever imports SymPy afterwards,
    a function of `sympy.core` included, finds the whole package."""
    found = find_spec("sympy") if "sympy" not in sys.modules else None
    if found is None or found.submodule_search_locations is None:
        yield
        return
    symbols = _Symbols("sympy")
    symbols.__path__ = list(found.submodule_search_locations)
    sys.modules["sympy"] = symbols
    try:
        yield
    finally:
        del sys.modules["sympy"]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the warnings of the import: untested frameworks, and no Core ML outside macOS."""
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
