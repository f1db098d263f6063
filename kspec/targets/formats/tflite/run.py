"""The runner of TFLite files in LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from kspec.compiler.ir import DType, TensorType


class LiteRTRunner:
    """The signature of a ``.tflite`` file, run with the default delegate XNNPACK, as in
    applications, or on the plain kernels with ``delegate=False``.

    The state of recurrent operators, which the runtime keeps, is cleared before each call.
    """

    def __init__(self, path: Path, *, threads: int = 1, delegate: bool = True) -> None:
        resolver = (
            OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        self.runtime = f"ai-edge-litert {version('ai-edge-litert')}"
        self._interpreter = Interpreter(
            str(path), num_threads=threads, experimental_op_resolver_type=resolver
        )
        self._interpreter.allocate_tensors()
        (key,) = self._interpreter.get_signature_list()
        signature = self._interpreter.get_signature_runner(key)
        inputs, outputs = signature.get_input_details(), signature.get_output_details()
        self.inputs: Mapping[str, TensorType] = _types(inputs)
        self.outputs: Mapping[str, TensorType] = _types(outputs)
        self._places = {name: int(each["index"]) for name, each in inputs.items()}
        self._results = {name: int(each["index"]) for name, each in outputs.items()}

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        # The signature's call replans memory each time, and does not accept every name.
        self._interpreter.reset_all_variables()
        for name, place in self._places.items():
            self._interpreter.set_tensor(place, inputs[name])
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(place) for name, place in self._results.items()}


def _types(details: Mapping[str, Mapping[str, Any]]) -> dict[str, TensorType]:
    return {
        name: TensorType(DType(np.dtype(each["dtype"]).name), tuple(map(int, each["shape"])))
        for name, each in details.items()
    }
