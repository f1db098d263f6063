"""Checkpoints that survive `kill -9` at any moment: one per epoch, the newest two are kept.

A checkpoint is one safetensors file, so that a single rename makes it valid. It contains the
tensors; its metadata contains a JSON with everything else, and the HMAC-SHA256 of the JSON and the
tensors. A file that is truncated, altered, or from another run or secret is skipped in favour of
the one before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kspec.spec.paths import MAX_BYTES
from kspec.spec.untrusted import File, PlaceError
from kspec.training.callbacks import Patience
from kspec.training.files import PARTIAL, write_whole
from kspec.training.weights import Weights, pack

if TYPE_CHECKING:
    import keras

KEPT = 2
"""The number of checkpoints on the disk: if the newest is damaged, one epoch is lost."""

_PATTERN = "epoch-*.checkpoint"
_STATE = "kspec"

Epoch = dict[str, float]
"""The measures of one epoch by Keras' names: loss, accuracy, val_loss, ..."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run after an epoch, without the tensors."""

    history: tuple[Epoch, ...] = ()
    stopping: Patience = field(default_factory=Patience)
    plateau: Patience = field(default_factory=Patience)
    stopped: bool = False
    """Whether early stopping has ended the run."""
    seconds: float = 0.0
    """The time spent so far, in all processes of the run."""

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.history)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state of a run that can be resumed."""

    progress: Progress
    state: Weights
    """Variables of the model (including seeds of dropout) and of the optimizer, by position."""
    best: Weights
    """The weights of the best epoch, by position; empty if none will be restored."""


def state_of(model: keras.Model) -> Weights:
    """Return copies of all variables that a training step reads and writes.

    They are named by position: the paths of seed generators contain a counter of the process.
    """
    return _numbered("model", _variables(model)) | _numbered("optimizer", model.optimizer.variables)


def restore(model: keras.Model, state: Weights) -> None:
    """Restore what `state_of` returned."""
    for index, variable in enumerate(_variables(model)):
        variable.assign(state[f"model/{index:05d}"])
    for index, variable in enumerate(model.optimizer.variables):
        variable.assign(state[f"optimizer/{index:05d}"])


def write_checkpoint(folder: Path, checkpoint: Checkpoint, run: str, secret: bytes = b"") -> None:
    """Write a checkpoint of the run `run` atomically, then delete all but the newest two."""
    best = {f"best/{name}": tensor for name, tensor in checkpoint.best.items()}
    tensors = checkpoint.state | best
    state = json.dumps({"run": run, "progress": asdict(checkpoint.progress)})
    name = f"epoch-{checkpoint.progress.epochs:06d}.checkpoint"
    write_whole(
        folder / name, pack(tensors, {_STATE: f"{_digest(secret, state, tensors)} {state}"})
    )
    for path in _newest_first(folder)[KEPT:]:
        path.unlink(missing_ok=True)
    for path in folder.glob(_PATTERN + PARTIAL):
        path.unlink(missing_ok=True)


def read_newest(folder: Path, run: str, secret: bytes = b"") -> Checkpoint | None:
    """Return the newest valid checkpoint of the run `run` in `folder`."""
    found = (_read(path, run, secret) for path in _newest_first(folder))
    return next((checkpoint for checkpoint in found if checkpoint is not None), None)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)


def _read(path: Path, run: str, secret: bytes) -> Checkpoint | None:
    from safetensors import SafetensorError, safe_open

    try:
        File(path.parent, path.name, MAX_BYTES).open().close()
        with safe_open(path, framework="numpy") as file:
            digest, _, text = (file.metadata() or {})[_STATE].partition(" ")
            tensors: Weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (PlaceError, OSError, SafetensorError, KeyError):
        return None
    if not hmac.compare_digest(digest.encode(), _digest(secret, text, tensors).encode()):
        return None
    state = json.loads(text)
    if state["run"] != run:
        return None
    raw = state["progress"]
    progress = Progress(
        history=tuple(raw["history"]),
        stopping=Patience(**raw["stopping"]),
        plateau=Patience(**raw["plateau"]),
        stopped=raw["stopped"],
        seconds=raw["seconds"],
    )
    best = {n.removeprefix("best/"): t for n, t in tensors.items() if n.startswith("best/")}
    rest = {n: t for n, t in tensors.items() if not n.startswith("best/")}
    return Checkpoint(progress, rest, best)


def _digest(secret: bytes, state: str, tensors: Weights) -> str:
    digest = hmac.new(secret, state.encode(), hashlib.sha256)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def _variables(model: keras.Model) -> list[Any]:
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics]


def _numbered(prefix: str, variables: list[Any]) -> Weights:
    return {f"{prefix}/{i:05d}": variable.numpy().copy() for i, variable in enumerate(variables)}
