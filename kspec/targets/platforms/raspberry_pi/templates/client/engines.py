"""The engines that run the artifacts: ai-edge-litert and ONNX Runtime."""

import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .description import Engine
from .errors import EngineError
from .signature import Artifact

Arrays = Mapping[str, NDArray[Any]]
FOLDER = Path(__file__).resolve().parents[1]
"""The folder of the bundle."""


class Session(Protocol):
    """A loaded model, for one thread at a time."""

    engine: str
    """The engine's name and version."""

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs by name for inputs of shape (rows, …), with any number of rows."""


def open_session(engine: Engine, artifact: Artifact, threads: int) -> Session:
    """Load the model. Raises EngineError if the engine is not installed or refuses the file."""
    try:
        return _SESSIONS[engine](artifact, threads)
    except ImportError as error:
        raise EngineError(f"the engine {engine} is not installed: {error}") from None


class LiteRTSession:
    """LiteRT with its delegate XNNPACK. The file takes a fixed number of rows at once: rows are
    split into batches of this size, and the last batch is padded with the last row."""

    def __init__(self, artifact: Artifact, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped]

        self.engine = f"ai-edge-litert {version('ai-edge-litert')}"
        self._batch = artifact.sizes["batch"]
        try:
            self._interpreter = Interpreter(str(FOLDER / artifact.file), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"LiteRT refuses {artifact.file}: {error}") from None
        (key,) = self._interpreter.get_signature_list()
        signature = self._interpreter.get_signature_runner(key)
        self._inputs = _places(signature.get_input_details())
        self._outputs = _places(signature.get_output_details())

    def run(self, inputs: Arrays) -> Arrays:
        rows = len(next(iter(inputs.values())))
        parts = [self._run(inputs, start) for start in range(0, rows, self._batch)]
        return {
            name: np.concatenate([part[name] for part in parts])[:rows] for name in self._outputs
        }

    def _run(self, inputs: Arrays, start: int) -> Arrays:
        # Recurrent operators would continue from the state of the last call.
        self._interpreter.reset_all_variables()
        for name, place in self._inputs.items():
            part = inputs[name][start : start + self._batch]
            missing = self._batch - len(part)
            full = np.concatenate([part, np.repeat(part[-1:], missing, 0)]) if missing else part
            self._interpreter.set_tensor(place, full)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(place) for name, place in self._outputs.items()}


def _places(details: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    return {name: int(each["index"]) for name, each in details.items()}


class OnnxSession:
    """ONNX Runtime on the CPU. Idle threads sleep: spinning would waste the board's power."""

    def __init__(self, artifact: Artifact, threads: int) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # versions from 1.29 on send telemetry
        import onnxruntime  # type: ignore[import-untyped]
        from onnxruntime.capi import (  # type: ignore[import-untyped]
            onnxruntime_pybind11_state as state,
        )

        self.engine = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(FOLDER / artifact.file), options, providers=["CPUExecutionProvider"]
            )
        except (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile) as error:
            raise EngineError(f"ONNX Runtime refuses {artifact.file}: {error}") from None
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, inputs: Arrays) -> Arrays:
        results = self._session.run(self._outputs, dict(inputs))
        return dict(zip(self._outputs, results, strict=True))


_SESSIONS: Mapping[Engine, Callable[[Artifact, int], Session]] = MappingProxyType(
    {"litert": LiteRTSession, "onnxruntime": OnnxSession}
)
