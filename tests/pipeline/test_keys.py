"""Whatever decides a stage's result is in its key, and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kspec.pipeline.store import sources
from kspec.pipeline.store.keys import Keys
from kspec.spec import load
from kspec.targets.registry import target_options

SPEC = """\
kspec: 1
name: keyed
version: 1.0.0
description: A tensor to a number.
inputs: {x: {tensor: [time, 3]}}
outputs: {y: {number: 1}, z: {number: 2}}
network:
  - bidirectional: {layer: {lstm: 5}}
  - relu
  - dense: 2
    name: z
  - dense: 1
    name: y
weights: start.safetensors
targets:
  android: {dimensions: {time: 50}}
  onnx: {}
gates: {android.size: "<= 1 MB"}
"""
TRAINED = (
    SPEC.replace(
        "weights: start.safetensors\n",
        "data: {source: {csv: rows.csv}, split: {seed: 3}}\ntrain: {epochs: 2, seed: 1}\n",
    )
    .replace("[time, 3]", "[4, 3]")
    .replace("dimensions: {time: 50}", "batch: 1")
)


def keys(folder: Path, text: str, content: bytes = b"some") -> Keys:
    (folder / "start.safetensors").write_bytes(content)
    (folder / "rows.csv").write_bytes(content)
    path = folder / "model.yaml"
    path.write_text(text)
    return Keys(load(path, targets=target_options()))


def changed(folder: Path, text: str, old: str, new: str) -> set[str]:
    """The stages whose own parts a change of the text alters; the keys of the stages before them,
    which they hold too, do not count."""
    assert old in text
    before, after = keys(folder, text), keys(folder, text.replace(old, new, 1))
    assert after.report.digest != before.report.digest
    digests = {each.digest for each in (*before.all, *after.all)}

    def own(part: object) -> object:
        if isinstance(part, list):
            return [own(each) for each in part]
        return None if isinstance(part, str) and part in digests else part

    parts = {key.name: {k: own(v) for k, v in key.parts.items()} for key in before.all}
    return {
        key.name
        for key in after.all
        if {k: own(v) for k, v in key.parts.items()} != parts.get(key.name)
    }


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("lstm: 5", "lstm: 6", {"plan", "train"}),
        # Artifacts and clients keep the order of the spec.
        ("y: {number: 1}, z: {number: 2}", "z: {number: 2}, y: {number: 1}", {"plan", "train"}),
        ("- relu", "- elu", {"plan", "train"}),
        ("[time, 3]", "[time, 4]", {"plan", "train"}),
        ("number: 1", "number: {size: 1}, column: t", {"plan", "train"}),
        ("weights: start.safetensors", "", {"train"}),
        # The rows that artifacts are judged on are drawn by the sizes that targets fix.
        ("time: 50", "time: 60", {"plan", "compile", "emit·tflite", "package·android"}),
        ("android: {", "android: {batch: 2, ", {"plan", "emit·tflite", "package·android"}),
        ("name: keyed", "name: other", {"plan", "compile", "package·android", "package·onnx"}),
        ("<= 1 MB", "<= 2 MB", {"report"}),
        ("1.0.0", "1.0.1", {"emit·tflite", "package·android", "package·onnx"}),
        ("A tensor", "Tensors", {"emit·tflite", "package·android", "package·onnx"}),
    ],
)
def test_a_change_is_in_the_keys_of_just_the_stages_that_it_decides(
    old: str, new: str, stages: set[str], tmp_path: Path
) -> None:
    assert changed(tmp_path, SPEC, old, new) == stages


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("epochs: 2", "epochs: 3", {"train"}),
        ("epochs: 2, seed: 1", "epochs: 2, seed: 2", {"train"}),
        ("split: {seed: 3", "split: {seed: 4", {"data", "train"}),
        ("batch: 1", "batch: 2", {"plan", "emit·tflite", "package·android"}),
    ],
)
def test_a_target_never_trains_again(old: str, new: str, stages: set[str], tmp_path: Path) -> None:
    assert changed(tmp_path, TRAINED, old, new) == stages


@pytest.mark.parametrize("text", [SPEC, TRAINED])
def test_the_bytes_of_data_and_weights_count_and_comments_do_not(text: str, tmp_path: Path) -> None:
    before = keys(tmp_path, text)
    digests = [key.digest for key in before.all]
    assert keys(tmp_path, text, b"other").train.digest != before.train.digest
    assert keys(tmp_path, text, b"other").plan.digest == before.plan.digest
    commented = "# a comment\n" + text.replace("- relu", "-   relu  # so")
    assert [key.digest for key in keys(tmp_path, commented).all] == digests


def test_every_stage_is_made_anew_when_a_module_that_it_imports_changes(tmp_path: Path) -> None:
    for key in keys(tmp_path, TRAINED).all:
        files = sources.closure(*key.roots)
        assert len(files) > 50
        for file in filter(lambda each: each.endswith(".py"), files):
            needed = {each for name in parsed(file) for each in sources._modules(name)}
            assert needed <= set(files), (key.name, file)
    train = sources.closure(*keys(tmp_path, TRAINED).train.roots)
    assert not [file for file in train if file.startswith("kspec/targets")]
    package = sources.closure(
        *keys(tmp_path, TRAINED).package(keys(tmp_path, TRAINED).targets[0]).roots
    )
    assert [
        file for file in package if file.startswith("kspec/targets/platforms/android/templates")
    ]


def parsed(file: str) -> Iterator[str]:
    """The imports of a file by Python's own parser, without those for type checkers."""

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kspec":
            yield str(node.module)
            yield from (f"{node.module}.{each.name}" for each in node.names)
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.split(".")[0] == "kspec")
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse((sources.ROOT / file).read_text("utf-8")))


def test_imports_are_scanned_as_python_reads_them() -> None:
    for file in sources._index():
        if file.endswith(".py") and "/templates/" not in file:
            assert sources.imported(file) == set(parsed(file)), file


def test_a_root_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a module"):
        sources.closure("kspec.pipeline.nothing")
