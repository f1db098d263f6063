"""Kinds are looked at in one place; a kind made of known steps is a class and a row."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import numpy as np
import pytest
from PIL import Image as Pillow
from pydantic import Field

import kspec
from kspec.compiler.reference import evaluate
from kspec.data.dataset import load_dataset
from kspec.data.sampling import check_data
from kspec.features import kinds
from kspec.features.kinds import InputKind, decisions_of, steps_of
from kspec.features.signature import signature_of
from kspec.features.steps import DecodeImage, Resample, ScalePixels
from kspec.models.keras_model import build_model, finalize, trace_document
from kspec.schemas import Spec
from kspec.schemas.base import Keyed
from kspec.schemas.features import Binary, Category, Image, Input, Kind, Quantity, Tensor
from kspec.spec.diagnostics import KspecError
from kspec.spec.load import load

PACKAGE = Path(kspec.__file__).parent
KINDS = frozenset(each.__name__ for each in (Image, Quantity, Tensor, Category, Binary))
OWNERS = ("features", "schemas/features.py")
"""Where a kind may be looked at."""


def sources() -> Iterator[Path]:
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).as_posix()
        if "templates" not in path.parts and not place.startswith(OWNERS):
            yield path


def looks_at_kinds(text: str) -> list[int]:
    """The lines of ``isinstance(x, Kind)`` and ``case Kind(...)`` for a kind that is imported."""
    tree = ast.parse(text)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "kspec.schemas.features"
        for alias in node.names
        if alias.name in KINDS
    }
    found = []
    for node in ast.walk(tree):
        asked: list[ast.AST] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "type"):
            asked = [*node.args[1:]]
        if isinstance(node, ast.Compare) and any(_is_type_call(each) for each in ast.walk(node)):
            asked = [node]
        if isinstance(node, ast.MatchClass):
            asked = [node.cls]
        names = {each.id for one in asked for each in ast.walk(one) if isinstance(each, ast.Name)}
        if names & imported:
            found.append(getattr(node, "lineno", 0))
    return found


def _is_type_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "type"


def test_only_features_look_at_kinds() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): lines
        for path in sources()
        if (lines := looks_at_kinds(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "isinstance(kind, Image)",
        "isinstance(kind, Image | Tensor)",
        "isinstance(kind, (int, Tensor))",
        "type(kind) is Image",
        "match kind:\n    case Image(height=height): pass",
    ],
)
def test_looking_at_a_kind_is_found(line: str) -> None:
    assert looks_at_kinds(f"from kspec.schemas.features import Image, Tensor\n{line}\n")
    assert not looks_at_kinds(f"from elsewhere import Image, Tensor\n{line}\n")


class Thumbnail(Kind):
    """A small square picture in grey, whatever the size of the file."""

    key: ClassVar[str] = "thumbnail"
    shorthand: ClassVar[str | None] = "side"

    side: Annotated[int, Field(ge=1)]
    method: Literal["nearest", "bilinear"] = "bilinear"


ROW = InputKind(
    lambda kind: (kind.side, kind.side, 1),
    lambda _: "float32",
    cell=("bytes", "number"),
    steps=lambda kind: (
        DecodeImage(channels=1),
        Resample(height=kind.side, width=kind.side, method=kind.method),
        ScalePixels(maximum=1.0),
    ),
)


class MoreInput(Input):
    """An input that may be a thumbnail too."""

    kind: Annotated[Image | Quantity | Tensor | Thumbnail, Keyed()]


class MoreSpec(Spec):
    inputs: Annotated[dict[str, MoreInput], Field(min_length=1)]


SPEC = """\
kspec: 1
name: thumbs
data: {source: {image_folder: pictures}, split: {validation: 0, test: 0.25, stratify: label}}
inputs:
  face: {thumbnail: 4, columns: image, rescale: 2, normalize: true}
outputs:
  side: {binary: [left, right], column: label}
network:
  - flatten:
  - dense: 1
    name: side
train: {epochs: 1, loss: {side: {binary_crossentropy: {from_logits: true}}}}
"""


def add_thumbnail(patch: pytest.MonkeyPatch) -> None:
    """Add the kind: its row of the table, and its class to the inputs of a spec."""
    patch.setattr(kinds, "INPUTS", MappingProxyType({**kinds.INPUTS, Thumbnail: ROW}))
    patch.setattr(sys.modules["kspec.spec.inference"], "Input", MoreInput)
    patch.setattr(sys.modules["kspec.spec.load"], "Spec", MoreSpec)


def draw_thumbnails(folder: Path) -> None:
    """Pictures of many sizes, in a folder for each label."""
    drawn = np.random.default_rng(3)
    for label in ("left", "right"):
        (folder / "pictures" / label).mkdir(parents=True)
        for place in range(8):
            pixels = drawn.integers(0, 256, (7 + place, 9, 3), np.uint8)
            Pillow.fromarray(pixels).save(folder / "pictures" / label / f"{place}.png")


@pytest.fixture
def thumbnails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A spec with an input of a kind that kspec does not have: one class, one row of the table."""
    add_thumbnail(monkeypatch)
    draw_thumbnails(tmp_path)
    (tmp_path / "model.yaml").write_text(SPEC)
    return tmp_path / "model.yaml"


def test_a_kind_of_known_steps_is_a_class_and_a_row(thumbnails: Path) -> None:
    """Checked, read, decoded, built, traced and described without another line."""
    document = load(thumbnails)
    assert check_data(document) == ()
    data = load_dataset(document)
    assert data.train.inputs["face"].shape == (12, 4, 4, 1)
    assert 0 <= data.train.inputs["face"].min() < data.train.inputs["face"].max() <= 1
    assert [each.step for each in steps_of(document.spec.inputs["face"])] == [
        "decode_image", "resample", "scale_pixels", "rescale", "normalize"
    ]  # fmt: skip
    model = build_model(document)
    finalize(model)
    graph = trace_document(model, document)
    assert {node.origin.layer for node in graph.nodes} == {"face", "flatten", "side"}
    types = {each.name: each.type for each in (*graph.inputs, *graph.outputs)}
    made = signature_of(document.spec, types, data.columns)
    assert made.input("face").shape == ("batch", 4, 4, 1)
    assert made.input("face").entry is DecodeImage
    assert [each.step for each in made.input("face").in_graph] == ["rescale", "normalize"]
    decision = decisions_of(document.spec)["side"]
    assert decision == made.output("side").decision
    assert decision is not None
    assert (decision.threshold, decision.scores) == (0.0, "logits")
    rows = data.test.inputs["face"]
    found = evaluate(graph, {"face": rows})["side"]
    scale, normalize = made.input("face").in_graph
    prepared = normalize.apply(scale.apply(rows), np.zeros(1, "f"), np.ones(1, "f"))
    kernel, bias = (np.asarray(each) for each in model.get_layer("side").weights)
    np.testing.assert_allclose(found, prepared.reshape(4, -1) @ kernel + bias, 1e-4, 1e-5)


def test_a_damaged_cell_is_named(thumbnails: Path) -> None:
    (thumbnails.parent / "pictures/left/3.png").write_bytes(b"\x89PNG, and then nothing")
    document = load(thumbnails)
    (problem,) = check_data(document)
    assert problem.code == "KS540"
    assert problem.message.startswith("left/3.png: ")
    with pytest.raises(KspecError) as caught:
        load_dataset(document)
    assert [each.code for each in caught.value.diagnostics] == ["KS540"]
