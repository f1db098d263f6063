"""A small model with all that a checkpoint can forget; as a script, a run that can be killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kspec.data.dataset import Dataset, Split
from kspec.schemas import Spec
from kspec.training import files
from kspec.training.monitors import Silent

COSINE = {"cosine_decay": {"initial_learning_rate": 0.02, "decay_steps": 40}}
TRAIN: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 16,
    "seed": 3,
    "optimizer": {"adam": {"learning_rate": COSINE}},
    "early_stopping": {"patience": 4},
}


def spec(outputs: dict[str, Any] | None = None, **train: Any) -> Spec:
    return Spec.model_validate(
        {
            "kspec": 1,
            "name": "small",
            "inputs": {"x": {"number": 6}},
            "outputs": outputs or {"kind": {"category": {"labels": ["a", "b", "c"]}}},
            "network": ["flatten"],
            "train": TRAIN | train,
        }
    )


def split(rows: int, offset: int = 0) -> Split:
    rng = np.random.default_rng(offset)
    x = rng.normal(size=(rows, 6)).astype(np.float32)
    kind = (x[:, :3] + rng.normal(size=(rows, 3)) / 2).argmax(axis=1).astype(np.int32)
    targets = {
        "kind": kind,
        "yes": (kind == 1).astype(np.float32)[:, None],
        "size": x.sum(axis=1, keepdims=True).astype(np.float32),
    }
    return Split({"x": x * 3 + 40}, targets, np.arange(rows) + offset)


def dataset(outputs: tuple[str, ...] = ("kind",), validation: int = 40) -> Dataset:
    def only(part: Split) -> Split:
        return Split(part.inputs, {name: part.targets[name] for name in outputs}, part.rows)

    parts = (split(90, 1), split(validation, 1000), split(20, 2000))
    return Dataset(*map(only, parts), columns={}, digest="small")


def build(outputs: tuple[str, ...] = ("kind",)) -> Any:
    import keras

    keras.utils.set_random_seed(11)
    layers = keras.layers
    heads = {
        "kind": layers.Dense(3, activation="softmax", name="kind"),
        "yes": layers.Dense(1, activation="sigmoid", name="yes"),
        "size": layers.Dense(1, name="size"),
    }
    x = keras.Input((6,), name="x")
    h = layers.Normalization(name="x.normalize")(x)
    h = layers.Dense(16, use_bias=False, name="hidden")(h)
    h = layers.BatchNormalization(name="norm")(h)
    h = layers.Dropout(0.3, name="drop")(layers.ReLU(name="relu")(h))
    return keras.Model({"x": x}, {name: heads[name](h) for name in outputs})


class Killed(Silent):
    """Kills the process with SIGKILL in a step: `step:3:2` is the second of epoch 3."""

    def __init__(self, epoch: int, step: int) -> None:
        self._place = (epoch, step)

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        if (epoch, step) == self._place:
            os.kill(os.getpid(), signal.SIGKILL)


def kill_while_writing(count: int, moment: str) -> None:
    """Kill the process at its file number `count`: `half` of it written, or `whole` and renamed."""
    write, written = files.write_whole, 0

    def killing(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written == count and moment == "half":
            path.parent.mkdir(exist_ok=True)
            path.with_name(path.name + files.PARTIAL).write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write(path, content)
        if written == count:
            os.kill(os.getpid(), signal.SIGKILL)

    from kspec.training import checkpoints, weights

    checkpoints.write_whole = killing
    weights.write_whole = killing


def train(run_dir: Path, plan: str) -> None:
    monitor: Silent = Silent()
    match plan.split(":"):
        case "step", epoch, step:
            monitor = Killed(int(epoch), int(step))
        case "write", count, moment:
            kill_while_writing(int(count), moment)
    from kspec.training.fit import fit

    fit(build(), dataset(), spec(), run_dir, monitor=monitor)


def main() -> None:
    """For each `folder plan` train in a process of its own, and write how it ended.

    The processes are forked after the import of TensorFlow, which takes longer than all of them,
    and before it starts a thread.
    """
    import tensorflow as tf  # noqa: F401

    import kspec.models.keras_model
    import kspec.training.fit  # noqa: F401

    for folder, plan in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        process = os.fork()
        if process == 0:
            train(Path(folder), plan)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    main()
