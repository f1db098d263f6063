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
IMPORTED = re.compile(r"^import time:.*\| +(\w[\w.]*)$", re.MULTILINE)
AFTER_CHECK = (
    "kspec.commands.failures",
    "kspec.compiler",
    "kspec.features.description",
    "kspec.targets.platforms.jvm.ports",
    "kspec.models",
    "kspec.pipeline.build",
    "kspec.pipeline.bundles",
    "kspec.pipeline.report",
    "kspec.pipeline.results",
    "kspec.pipeline.store",
    "kspec.schemas.json_schema",
    "kspec.targets.emission",
    "kspec.training.fit",
    "html",
    "jinja2",
    "rich",
)
"""What a sound spec of tabular data is checked without: the modules that plan, write, pack and
report, and what these alone import. Each takes its share of the start-up."""


def packages_loaded(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter, called with the arguments, imports."""
    return {each.partition(".")[0] for each in modules_loaded(*arguments)}


def modules_loaded(*arguments: str) -> set[str]:
    """Modules that a fresh interpreter, called with the arguments, imports."""
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


@pytest.mark.parametrize("example", ["digits", "breast-cancer"])
def test_check_loads_nothing_of_later_stages(example: str) -> None:
    code = (
        "import sys; from kspec.cli import main\n"
        f"sys.argv = ['kspec', 'check', 'examples/{example}/model.yaml']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stdout.split()
    assert "kspec.pipeline.check" in loaded
    late = [
        each
        for each in loaded
        if any(each == name or each.startswith(f"{name}.") for name in AFTER_CHECK)
    ]
    assert not late
    assert "numpy" not in loaded


@pytest.mark.parametrize("format_", ["onnx", "coreml", "tflite", "tf_serving"])
def test_the_process_that_runs_an_artifact_loads_no_writer(format_: str) -> None:
    code = (
        f"import sys, kspec.targets.formats.child, kspec.targets.formats.{format_}.run\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert f"kspec.targets.formats.{format_}.run" in loaded
    writers = {"pydantic", "kspec.schemas", "kspec.compiler.ops", "kspec.compiler.passes"}
    assert not loaded & {*writers, "onnx", "coremltools", "tensorflow", "keras"}


def test_core_ml_is_written_without_the_solvers_of_sympy() -> None:
    code = (
        "from kspec.targets.formats.coreml.toolkit import toolkit\n"
        "import sys; toolkit(); loaded = set(sys.modules)\n"
        "from coremltools.converters.mil.mil.types.symbolic import is_symbolic, sm\n"
        "size = sm.Symbol('size')\n"
        "assert is_symbolic(size + 1) and (size * 2) / 2 == size and (size + 1).evalf()\n"
        "assert 'sympy.solvers' not in loaded, 'loaded early'\n"
        "assert sm.solve(size - 2, size) == [2]\n"
        "import sympy; assert sympy.Symbol('size') == size\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
