"""The runner of ONNX files in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from kspec.compiler.ir import DType, TensorType

DTYPES = {
    f"tensor({name})": dtype
    for name, dtype in {
        **{each.value: each for each in DType},
        "float": DType.float32,
        "double": DType.float64,
    }.items()
}


class OnnxRunner:
    """A session on the CPU that runs operators one after the other."""

    runtime = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs: Mapping[str, TensorType] = _types(self._session.get_inputs())
        self.outputs: Mapping[str, TensorType] = _types(self._session.get_outputs())

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        results = self._session.run(list(self.outputs), dict(inputs))
        return dict(zip(self.outputs, results, strict=True))


def _types(arguments: list[onnxruntime.NodeArg]) -> dict[str, TensorType]:
    return {each.name: TensorType(DTYPES[each.type], tuple(each.shape)) for each in arguments}
