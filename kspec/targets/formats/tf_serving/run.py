"""The runner of TF-Serving folders in TensorFlow's C library, which the model server uses too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kspec.compiler.ir import TensorType
from kspec.targets.formats.tf_serving.library import DATA_TYPES, SavedSession
from kspec.targets.formats.tf_serving.signatures import Info, read_signatures

SIGNATURE = "serving_default"


class TfServingRunner:
    """The ``serving_default`` signature of the highest version, on the CPU."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        version = max(path.iterdir(), key=lambda folder: int(folder.name))
        self._session = SavedSession(version, threads=threads)
        self.runtime = f"tensorflow {self._session.version}"
        self._signature = read_signatures(self._session.meta_graph)[SIGNATURE]
        self.inputs: Mapping[str, TensorType] = _types(self._signature.inputs)
        self.outputs: Mapping[str, TensorType] = _types(self._signature.outputs)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        feeds = {self._signature.inputs[name].tensor: array for name, array in inputs.items()}
        outputs = self._signature.outputs
        found = self._session.run(feeds, [info.tensor for info in outputs.values()])
        return dict(zip(outputs, found, strict=True))


def _types(infos: Mapping[str, Info]) -> dict[str, TensorType]:
    return {name: _type(name, info) for name, info in infos.items()}


def _type(name: str, info: Info) -> TensorType:
    dims = (f"{name}.{axis}" if dim is None else dim for axis, dim in enumerate(info.shape))
    return TensorType(DATA_TYPES[info.dtype], tuple(dims))
