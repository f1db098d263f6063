"""The spec and the data that `kspec init` writes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.training.files import write_whole

ROWS = 400
SPEC = """\
# Whether a point lies inside of a circle: a small spec to start from.
# kspec check model.yaml · kspec plan model.yaml · kspec build model.yaml
kspec: 1
name: circle
version: 0.1.0
params: {width: 16}

data:
  source: {csv: points.csv}
  split: {validation: 0.1, test: 0.2, seed: 1, stratify: place}

inputs:
  point: {number: 2, columns: [x1, x2], normalize: true}
outputs:
  place: {binary: {labels: [outside, inside]}, column: place}

network:
  - dense: {units: "${width}", activation: relu}
  - dense: {units: "${width}", activation: relu}
  - dense: {units: 1, activation: sigmoid}
    name: place

train:
  epochs: 30
  batch_size: 16
  optimizer: {adam: {learning_rate: 0.01}}

targets:
  ios: {}
  android: {}
  browser: {}
  server: {}

gates:
  accuracy: ">= 0.9"           # of every artifact, on the test split
  "*.flips": "<= 0 %"          # rows whose answer differs from the trained model's
"""


def write_starter(folder: Path) -> Path:
    """Write `model.yaml` and `points.csv` into the folder, and return the path of the spec. Raises
    KspecError KS910 if one of them exists, and OSError; then nothing is written."""
    files = {folder / "points.csv": _points(), folder / "model.yaml": SPEC}
    if taken := [path for path in files if path.exists()]:
        raise KspecError(
            *(Diagnostic("KS910", f"{path} is there already") for path in taken[:-1]),
            Diagnostic("KS910", f"{taken[-1]} is there already", help="kspec init ANOTHER_FOLDER"),
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for path, text in files.items():
            write_whole(path, text.encode())
    except BaseException:
        for path in files:  # none of them was there
            path.unlink(missing_ok=True)
        raise
    return folder / "model.yaml"


def _points() -> str:
    """Return points in the square from -1 to 1; half of its area is a circle of radius 0.8."""
    draw = Random(1)  # noqa: S311 - no secret: the same points for everyone
    points = [(draw.uniform(-1, 1), draw.uniform(-1, 1)) for _ in range(ROWS)]
    rows = [f"{x:.4f},{y:.4f},{'inside' if x * x + y * y < 0.64 else 'outside'}" for x, y in points]
    return "\n".join(["x1,x2,place", *rows]) + "\n"
