"""The messages of Core ML's model specification, without an import of coremltools."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

_ALIAS = "kspec_coreml_messages"


@cache
def messages() -> ModuleType:
    """Return the package `coremltools.proto`. Its generated modules need protobuf alone and load in
    0.1 s; `import coremltools` takes seconds. The folder is loaded as a package of another name,
    unless coremltools is imported already. Raises ModuleNotFoundError without coremltools."""
    if "coremltools" in sys.modules:
        return importlib.import_module("coremltools.proto")
    found = importlib.util.find_spec("coremltools")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("coremltools is not installed", name="coremltools")
    folder = Path(found.submodule_search_locations[0], "proto")
    spec = importlib.util.spec_from_file_location(
        _ALIAS, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[_ALIAS] = package
    spec.loader.exec_module(package)
    return package
