"""Runs written packages: by Core ML itself on macOS, elsewhere by the NumPy evaluator."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from kspec.compiler.ir import Array, Dim, TensorType
from kspec.targets.formats.coreml.evaluator.program import Program
from kspec.targets.formats.coreml.evaluator.tensors import Declared
from kspec.targets.formats.coreml.metadata import SIGNATURE_KEY

Engine = Callable[[dict[str, Array]], Mapping[str, Array]]


class CoreMLRunner:
    """An opened `.mlpackage`. Booleans are int32 in Core ML's signatures."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:  # noqa: ARG002
        """Open a package. ``threads`` has no effect: Core ML chooses the number of threads itself,
        and the environment sets that of NumPy's BLAS."""
        self.program = Program(path)
        signature = json.loads(self.program.description.metadata.userDefined[SIGNATURE_KEY])
        self._public = {ours: entry["name"] for ours, entry in signature.items()}
        self.inputs = self._types(self.program.inputs, signature)
        self.outputs = self._types(self.program.outputs, signature)
        self.runtime, self._engine = _engine(path, self.program)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        given = {
            ours: np.ascontiguousarray(
                inputs[self._public[ours]], self.inputs[self._public[ours]].dtype.numpy
            )
            for ours in self.program.inputs
        }
        results = self._engine(given)
        return {self._public[ours]: np.asarray(results[ours]) for ours in self.program.outputs}

    def _types(
        self, declared: Mapping[str, Declared], signature: Mapping[str, Mapping[str, list[Dim]]]
    ) -> dict[str, TensorType]:
        """Return the declared types, with the names of symbolic dimensions."""
        types = {}
        for ours, each in declared.items():
            named = zip(each.shape, signature[ours]["shape"], strict=True)
            shape = tuple(str(name) if dim is None else dim for dim, name in named)
            types[self._public[ours]] = TensorType(each.dtype, shape)
        return types


def _engine(path: Path, program: Program) -> tuple[str, Engine]:
    if platform.system() != "Darwin":
        return f"numpy {np.__version__} evaluation of the written package", program.run
    from coremltools import ComputeUnit
    from coremltools.models import MLModel

    # Only the CPU computes in the precision that the program declares.
    model = MLModel(str(path), compute_units=ComputeUnit.CPU_ONLY)
    return f"Core ML on macOS {platform.mac_ver()[0]}", model.predict
