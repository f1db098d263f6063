"""A TF-Serving folder in TensorFlow itself; the model server is a C++ program around the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from kspec.compiler.ir import DType, TensorType


class TfServingRunner:
    """The highest version's ``serving_default``, on the CPU. TensorFlow takes its number of threads
    once: a process holds runners of one number only."""

    runtime = f"tensorflow {tf.__version__}"

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        version = max(path.iterdir(), key=lambda folder: int(folder.name))
        # The function lives as long as the object that it was loaded with.
        self._model = tf.saved_model.load(str(version))
        self._signature = self._model.signatures["serving_default"]
        self.inputs: Mapping[str, TensorType] = _types(
            self._signature.structured_input_signature[1]
        )
        self.outputs: Mapping[str, TensorType] = _types(self._signature.structured_outputs)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return {name: result.numpy() for name, result in self._signature(**tensors).items()}


def _types(specs: Mapping[str, tf.TensorSpec]) -> dict[str, TensorType]:
    return {name: _type(name, spec) for name, spec in specs.items()}


def _type(name: str, spec: tf.TensorSpec) -> TensorType:
    dims = (f"{name}.{axis}" if dim is None else dim for axis, dim in enumerate(spec.shape))
    return TensorType(DType(spec.dtype.name), tuple(dims))
