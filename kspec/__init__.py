"""kspec: one YAML to proven ONNX, Core ML, TF-Serving and TFLite artifacts.

``load``, ``check``, ``plan``, ``build`` and ``compile_keras`` are imported when they are first
used, so that ``import kspec`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kspec.pipeline.api import build, check, load, plan
    from kspec.pipeline.direct import compile_keras

_PUBLIC = {
    "build": "kspec.pipeline.api",
    "check": "kspec.pipeline.api",
    "compile_keras": "kspec.pipeline.direct",
    "load": "kspec.pipeline.api",
    "plan": "kspec.pipeline.api",
}

__all__ = ["__version__", "build", "check", "compile_keras", "load", "plan"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kspec' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
