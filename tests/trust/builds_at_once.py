"""`python -m tests.trust.builds_at_once --rounds N`: eight builds at once on one store.

Each round starts with an empty store. A build passes if it ends with 0, ships the same bytes as all
earlier builds of all rounds, and every result in its round's store is sound.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from kspec.pipeline.store.content import Store
from kspec.pipeline.store.digests import hashes, sha256_of_list

BUILDS = 8
STORE = "store"
STAGES = frozenset(
    {"plan", "train", "compile", "emit-onnx", "verify-onnx", "package-onnx", "report"}
)
SPEC = """\
kspec: 1
name: small
inputs: {x: {number: 3}}
outputs: {y: {number: 2}}
network:
  - dense: {units: 4, activation: tanh}
    name: hidden
  - dense: 2
    name: y
weights: start.safetensors
targets: {onnx: {}}
"""
SHAPES: Mapping[str, tuple[int, ...]] = {
    "hidden/kernel": (3, 4),
    "hidden/bias": (4,),
    "y/kernel": (4, 2),
    "y/bias": (2,),
}


def write_spec(folder: Path) -> Path:
    """Write a spec that starts from weights instead of training, so that a build is cheap."""
    drawn = np.random.default_rng(4)
    weights = {
        name: drawn.standard_normal(shape, dtype=np.float32) for name, shape in SHAPES.items()
    }
    save_file(weights, folder / "start.safetensors")
    path = folder / "model.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def build_at_once(spec: Path, folder: Path) -> list[tuple[Path, int]]:
    """Start all builds on a new store in `folder`; return the out folder and the exit code of each.
    The log of a build lies in a file beside its out folder."""
    command = [sys.executable, "-m", "kspec", "build", str(spec), "--quiet"]
    command += ["--store", str(folder / STORE)]
    started = []
    for number in range(BUILDS):
        out = folder / f"out{number}"
        with out.with_suffix(".log").open("wb") as log:
            process = subprocess.Popen([*command, "--out", str(out)], stdout=log, stderr=log)
        started.append((out, process))
    return [(out, process.wait()) for out, process in started]


def digest(out: Path) -> str:
    """Return the SHA-256 over the names and bytes of everything that ships, except the report,
    which contains the durations of stages."""
    parts = sorted(each for each in out.iterdir() if each.name != "report.html")
    return "\n".join(f"{each.name} {sha256_of_list(hashes(out, each.name))}" for each in parts)


def unsound(root: Path) -> list[str]:
    """Return the faults of a store: results that are damaged, incomplete or missing."""
    store = Store.at(root)
    found = [str(each.relative_to(root)) for each in root.rglob("*.partial")]
    found += [str(each.relative_to(root)) for each in root.glob("running/*/result")]
    for index in root.glob("*/*.json"):
        look = store.look(index.parent.name, index.stem)
        found += [] if look.sound else [f"{index.relative_to(root)}: {look.damage}"]
    made = {each.parent.name for each in root.glob("*/*.json")}
    return [*found, *(f"no result of {stage}" for stage in STAGES - made)]


def judge(spec: Path, folder: Path, shipped: set[str]) -> int:
    """Return how many builds of one round pass; add the digests of what they ship to `shipped`."""
    good = 0
    for out, code in build_at_once(spec, folder):
        if code:
            tell(f"{out.name} ended with {code}: {out.with_suffix('.log').read_text()}")
            continue
        shipped.add(digest(out))
        if len(shipped) > 1:
            tell(f"{out.name} ships other bytes than the builds before it")
            continue
        good += 1
    if problems := unsound(folder / STORE):
        tell("\n".join(problems))
        return 0
    return good


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust.builds_at_once")
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {BUILDS} builds")
    rounds, good = parser.parse_args().rounds, 0
    shipped: set[str] = set()
    with tempfile.TemporaryDirectory() as root:
        spec = write_spec(Path(root))
        for number in range(rounds):
            folder = Path(root, f"round{number}")
            folder.mkdir()
            good += judge(spec, folder, shipped)
    tell(
        f"{good} of {rounds * BUILDS} builds, {BUILDS} at once on one store, shipped the same bytes"
    )
    return 0 if good == rounds * BUILDS else 1


if __name__ == "__main__":
    sys.exit(main())
