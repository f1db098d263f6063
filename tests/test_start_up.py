"""Start-up is quick: TensorFlow, converters and runtimes are loaded where they are used alone."""

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


@pytest.mark.parametrize(
    "arguments", [("--help",), ("build", "--help"), ("--version",)], ids=" ".join
)
def test_help_loads_no_reader_of_specs(arguments: tuple[str, ...]) -> None:
    loaded = packages_loaded("-m", "kspec", *arguments)
    assert {"kspec", "typer"} <= loaded
    assert not loaded & {*HEAVY, "rich", "yaml"}


@pytest.mark.parametrize(
    "arguments",
    [("check", "examples/digits/model.yaml"), ("schema",), ("rule",), ("rule", "KS101")],
    ids=" ".join,
)
def test_light_commands_load_numpy_at_most(arguments: tuple[str, ...]) -> None:
    assert packages_loaded("-m", "kspec", *arguments) & HEAVY <= {"numpy"}
