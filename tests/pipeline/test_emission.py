"""What is said when an artifact cannot be written or run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Origin, TensorType
from kspec.compiler.ops.base import OpError
from kspec.compiler.passes import Pass, pass_name
from kspec.spec.diagnostics import KspecError
from kspec.targets import emission
from kspec.targets.emission import ArtifactError, HowToRun, emit, run_artifact
from kspec.targets.formats.onnx.format import Onnx
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest
from tests.graphs import GRAPHS
from tests.graphs.builder import Builder

ROWS = {"x": np.arange(150, dtype=np.float32).reshape(50, 3)}


class Runner:
    """Takes four rows at once and gives a transposed view; an artifact's text makes it fail."""

    runtime = "fake 1.0"
    inputs: Mapping[str, TensorType] = {"x": TensorType.of(ROWS["x"][:4])}
    outputs = inputs

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        match path.read_text():
            case "refused":
                raise ValueError("operator 7 is unknown\n  to this runtime")
            case "hangs":
                time.sleep(60)
            case "dies":
                import ctypes

                ctypes.string_at(0)
            case "leaves":
                raise SystemExit(3)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        assert inputs["x"].shape == (4, 3)
        return {"y": np.asfortranarray(inputs["x"]), "z": inputs["x"].T.copy().T[:, ::-1]}


class Fake(Onnx):
    runner = "tests.pipeline.test_emission:Runner"


@pytest.fixture(autouse=True)
def from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))


def run(text: str, folder: Path, **options: Any) -> emission.Run:
    path = folder / "artifact"
    path.write_text(text)
    return run_artifact(Fake(), path, ROWS, HowToRun(**options))


def test_rows_in_chunks_of_the_batch_come_back_in_order(tmp_path: Path) -> None:
    found = run("fine", tmp_path)
    np.testing.assert_array_equal(found.outputs["y"], ROWS["x"])
    np.testing.assert_array_equal(found.outputs["z"], ROWS["x"][:, ::-1])
    assert found.runtime == "fake 1.0"
    assert found.signature["inputs"] == {"x": {"dtype": "float32", "shape": [4, 3]}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("refused", "ValueError: operator 7 is unknown to this runtime"),
        ("dies", "it was ended by SIGSEGV"),
        ("leaves", "it ended with 3"),
    ],
)
def test_the_last_words_of_a_process(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        run(text, tmp_path)
    assert str(caught.value) == words


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not ended after 3 seconds"):
        run("hangs", tmp_path, patience=3.0)


def test_a_missing_package_is_said_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(emission, "version", version)
    with pytest.raises(KspecError) as caught:
        emit(GRAPHS[0].graph, ArtifactRequest("coreml", None), tmp_path / "x.mlpackage")  # type: ignore[arg-type]
    assert {each.code for each in caught.value.diagnostics} == {"KS904"}
    assert caught.value.exit_code == 3
    assert "coreml artifacts need coremltools" in caught.value.diagnostics[0].message


def test_a_size_that_is_missing_or_wrong_is_no_bug(tmp_path: Path) -> None:
    build = Builder("sequence")
    graph = build.case(build.add("y", ops.Relu(), build.input("x", "batch", "time", 3))).graph
    request = ArtifactRequest("tflite", TFLiteOptions())
    with pytest.raises(KspecError) as caught:
        emit(graph, request, tmp_path / "x.tflite")
    assert caught.value.diagnostics[0].code == "KS710"
    assert "time" in caught.value.diagnostics[0].message


def test_a_pass_that_fails_is_named_with_those_before_it(tmp_path: Path) -> None:
    def breaks(_graph: Graph) -> Graph:
        raise failure

    def renames(graph: Graph) -> Graph:
        return replace(graph, outputs=(replace(graph.outputs[0], name="other"),))

    class Broken(Onnx):
        def passes(self, options: OnnxOptions) -> tuple[Pass, ...]:
            return (*super().passes(options)[:2], failing)

    build = Builder("plain")
    graph = build.case(build.add("y", ops.Relu(), build.input("x", "batch", 3))).graph
    request, broken = ArtifactRequest("onnx", OnnxOptions()), {"onnx": Broken()}
    failures = {
        "7 does not fit": OpError("7 does not fit"),
        "'lost'": KeyError("lost"),
        "AssertionError": AssertionError(),
        "it changed the names of inputs or outputs": None,
    }
    for reason, failure in failures.items():
        failing, code = breaks if failure else renames, "KS714"
        if isinstance(failure, OpError):
            code = "KS710"
        with (
            mock.patch.object(emission, "formats", return_value=broken),
            pytest.raises(KspecError) as caught,
        ):
            emit(graph, request, tmp_path / "x.onnx")
        (problem,) = caught.value.diagnostics
        assert problem.code == code
        *before, name = map(pass_name, broken["onnx"].passes(OnnxOptions()))
        said = f"the pass {name} failed (after {', '.join(before)}): {reason}"
        assert said in problem.message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (("x.onnx",), "wrote without declaring it: x.onnx.data"),
        (("x.onnx", "x.onnx.data", "x.json"), "declares but did not write x.json"),
    ],
)
def test_a_format_that_does_not_declare_its_files_is_named(
    declared: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    class Careless(Onnx):
        def write(self, graph: Graph, path: Path, options: OnnxOptions) -> tuple[str, ...]:
            super().write(graph, path, options)
            return declared

    build = Builder("wide")
    kernel = build.random("kernel", 64, 64)
    case = build.case(build.add("y", ops.Linear(), build.input("x", "batch", 64), kernel))
    request = ArtifactRequest("onnx", OnnxOptions())
    careless = {"onnx": Careless(largest_message=1024)}
    with (
        mock.patch.object(emission, "formats", return_value=careless),
        pytest.raises(KspecError, match=words) as caught,
    ):
        emit(case.graph, request, tmp_path / "x.onnx")
    assert caught.value.diagnostics[0].code == "KS715"


@pytest.mark.parametrize("name", formats())
def test_a_rule_that_fails_is_named_with_its_layer(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ValueError is a limit of the format; anything else is a fault of the rule."""
    build = Builder("odd")
    x = build.input("x", "batch", 3)
    graph = build.case(build.add("out", ops.Relu(), build.add("middle", ops.Sin(), x))).graph
    nodes = tuple(replace(each, origin=Origin(f"layer {each.name}")) for each in graph.nodes)
    graph = replace(graph, nodes=nodes)
    format_ = formats()[name]
    given = {"dimensions": {}} if name == "tflite" else {}
    request = ArtifactRequest(name, format_.options.model_validate(given))
    for failure, code, words in (
        (ValueError("no such angle"), "KS710", "Sin of layer 'layer middle': no such angle"),
        (
            TypeError("not\na number"),
            "KS718",
            "layer 'layer middle' as it is used here (TypeError: not",
        ),
        (KeyError("sine"), "KS718", "(KeyError: 'sine')"),
    ):

        def fails(*_: Any, failure: Exception = failure, **__: Any) -> Any:
            raise failure

        monkeypatch.setitem(format_.rules._rules, ops.Sin, fails)
        with pytest.raises(KspecError) as caught:
            emit(graph, request, tmp_path / f"{code}{format_.suffix}")
        (problem,) = caught.value.diagnostics
        assert problem.code == code
        assert words in problem.message
        assert "\n" not in problem.message
        assert problem.help
        assert not list(tmp_path.iterdir())
