"""One process of the benchmark: a network, built and written by kspec or by the peers.

    python -m benchmarks.convert kspec|peer ARCHITECTURE SIZE FOLDER FORMAT...

Each converter first writes a tiny network, so that nothing is imported while it is timed.
The last line of the output is JSON: for each format the CPU seconds, or the error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from benchmarks.peers import PEERS
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.trace import trace
from kspec.targets.emission import emit
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest
from tests.architectures.networks import ARCHITECTURES

Converter = Callable[[Any, Path], None]
LONGEST = 160
"""Characters of an error that go into a table."""


def ours(name: str) -> Converter:
    """From a built model: trace, passes, and the file."""
    format_ = formats()[name]

    def convert(model: Any, path: Path) -> None:
        folded = run_passes(trace(model), COMMON)
        emit(folded, ArtifactRequest(name, format_.options()), path)

    return convert


def artifact(folder: Path, side: str, name: str) -> Path:
    return folder / f"{side}-{name}{formats()[name].suffix}"


def main(side: str, architecture: str, size: str, folder: str, *names: str) -> None:
    where = Path(folder)
    converters = {name: ours(name) if side == "kspec" else PEERS[name] for name in names}
    warm_up(where, side, converters)
    chosen = ARCHITECTURES[architecture]
    model = chosen.model(int(size))
    found: dict[str, Any] = {
        "weights": sum(int(np.asarray(each).nbytes) for each in model.weights),
        "parameters": int(model.count_params()),
    }
    rows = chosen.rows(model, 1)
    given = [rows[tensor.name] for tensor in model.inputs]
    (expected,) = keras.tree.flatten(model(given if len(given) > 1 else given[0], training=False))
    save_file(rows, where / "rows.safetensors")
    save_file({"expected": np.asarray(expected)}, where / "expected.safetensors")
    for name, convert in converters.items():
        found[name] = timed(convert, model, artifact(where, side, name))
    print(json.dumps(found))


def warm_up(folder: Path, side: str, converters: dict[str, Converter]) -> None:
    """Flattening is among it: coremltools loads parts of sympy when it meets a reshape."""
    layers = [keras.Input((2, 3), name="x"), keras.layers.Flatten(), keras.layers.Dense(2)]
    tiny = keras.Sequential(layers, name="tiny")
    for name, convert in converters.items():
        convert(tiny, artifact(folder, f"tiny-{side}", name))


def timed(convert: Converter, model: Any, path: Path) -> dict[str, Any]:
    started = time.process_time()
    try:
        convert(model, path)
    except Exception as error:  # noqa: BLE001 - whatever a converter dies of is its result
        words = " ".join(str(error).split())[:LONGEST]
        return {"error": f"{type(error).__name__}: {words}"}
    return {"seconds": time.process_time() - started}


if __name__ == "__main__":
    main(*sys.argv[1:])
