"""Reading a spec is quick: nothing on its way loads TensorFlow, a converter or NumPy."""

import re
import subprocess
import sys

import pytest

HEAVY = {
    "PIL",
    "ai_edge_litert",
    "coremltools",
    "jinja2",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "tensorflow",
}
IMPORTED = re.compile(r"^import time:.*\| +(\w+)[\w.]*$", re.MULTILINE)


def packages_loaded(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter, called with the arguments, imports."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(IMPORTED.findall(done.stderr))


@pytest.mark.parametrize("module", ["kspec", "kspec.schemas", "kspec.spec"])
def test_import_is_light(module: str) -> None:
    loaded = packages_loaded("-c", f"import {module}")
    assert "kspec" in loaded
    assert not loaded & HEAVY
