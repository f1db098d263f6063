"""The models: strict, and clear about where and what."""

import copy
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from kspec.schemas import Spec
from kspec.schemas.base import Model
from kspec.schemas.gates import Gate
from kspec.schemas.layers import LAYERS
from tests.cases import CASES
from tests.schemas.digits import DIGITS

PLAIN = DIGITS | {
    "blocks": {},
    "network": [
        {"flatten": None},
        {"dense": {"units": 10, "activation": "softmax"}, "name": "digit"},
    ],
}


def evaluate(text: str) -> float:
    """Fractions only."""
    over, _, under = text.partition("/")
    return float(over) / float(under)


def errors(raw: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Where and of what type the errors of a spec are."""
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate(raw, context={"evaluate": evaluate})
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


def changed(value: Any, *route: str | int) -> dict[str, Any]:
    """The plain spec with a value somewhere in it."""
    raw = copy.deepcopy(PLAIN)
    *above, last = route
    part: Any = raw
    for step in above:
        part = part.setdefault(step, {}) if isinstance(part, dict) else part[step]
    part[last] = value
    return raw


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("raw", "loc", "kind"),
    [
        (changed(True, "kspec"), ("kspec",), "int_type"),
        (changed("a b", "name"), ("name",), "text_form"),
        (changed("1.0", "version"), ("version",), "text_form"),
        (changed(NAN, "params", "width"), ("params", "width"), "parameter"),
        (changed([1], "params", "width"), ("params", "width"), "parameter"),
        (changed({"csv": "b/../a"}, "data", "source"), ("data", "source", "csv", "paths", "one"),
         "path"),
        (changed({"csv": ["a", "/b"]}, "data", "source"),
         ("data", "source", "csv", "paths", "list", 1), "path"),
        (changed({"npz": "C:/a"}, "data", "source"), ("data", "source", "npz", "path"),
         "path"),
        (changed({"npz": "a\\b"}, "data", "source"), ("data", "source", "npz", "path"),
         "path"),
        (changed({"cvs": "a"}, "data", "source"), ("data", "source", "cvs"), "choice_unknown"),
        (changed({"csv": "a", "npz": "b"}, "data", "source"), ("data", "source", "npz"),
         "choice_many"),
        (changed({}, "data", "source"), ("data", "source"), "choice_missing"),
        (changed(5, "data", "source"), ("data", "source"), "choice_form"),
        (changed("split", "data", "split", "column"), ("data", "split", "seed"), "invalid"),
        (changed({"validation": 0.5, "test": 0.5}, "data", "split"), ("data", "split", "test"),
         "invalid"),
        (changed(1.0, "data", "split", "test"), ("data", "split", "test"), "less_than"),
        (changed("1/0x", "inputs", "pixels", "rescale"), ("inputs", "pixels", "rescale"),
         "value_error"),
        (changed(INFINITY, "inputs", "pixels", "rescale"), ("inputs", "pixels", "rescale"),
         "finite_number"),
        (changed(8.0, "inputs", "pixels", "image", "height"),
         ("inputs", "pixels", "kind", "image", "height"), "int_type"),
        (changed("a", "inputs", "pixels", "colums"), ("inputs", "pixels", "kind", "colums"),
         "choice_unknown"),
        (changed({"tensor": {"shape": [4], "dtype": "int32"}, "rescale": 2}, "inputs", "pixels"),
         ("inputs", "pixels", "rescale"), "invalid"),
        (changed({"category": ["a", "b", "a"]}, "outputs", "digit"),
         ("outputs", "digit", "kind", "category", "labels", 2), "invalid"),
        (changed({"category": ["a", "b", 1]}, "outputs", "digit"),
         ("outputs", "digit", "kind", "category", "labels", 2), "string_type"),
        (changed({"binary": None, "columns": "a"}, "outputs", "digit"),
         ("outputs", "digit", "columns"), "invalid"),
        (changed({"number": 1}, "outputs", "pixels"), ("outputs", "pixels"), "invalid"),
        (changed([], "network"), ("network",), "too_short"),
        (changed("dens", "network", 0), ("network", 0, "layer", "dens"), "choice_unknown"),
        (changed({"dense": {"units": True}}, "network", 0),
         ("network", 0, "layer", "dense", "units"), "int_type"),
        (changed({"dense": {"units": 2**31}}, "network", 0),
         ("network", 0, "layer", "dense", "units"), "less_than_equal"),
        (changed({"dense": None}, "network", 0), ("network", 0, "layer", "dense", "units"),
         "missing"),
        (changed({"dense": {"units": 3, "kernel_initializer": "identiti"}}, "network", 0),
         ("network", 0, "layer", "dense", "kernel_initializer", "identiti"), "choice_unknown"),
        (changed({"conv2d": {"filters": 1, "kernel_size": 3, "kernel_initializer": "identity"}},
                 "network", 0),
         ("network", 0, "layer", "conv2d", "kernel_initializer", "identity"), "choice_unknown"),
        (changed({"conv2d": {"filters": 1, "kernel_size": [3, 0]}}, "network", 0),
         ("network", 0, "layer", "conv2d", "kernel_size", "list", 1), "greater_than_equal"),
        (changed({"conv2d": {"filters": 1, "kernel_size": [3, 3, 3]}}, "network", 0),
         ("network", 0, "layer", "conv2d", "kernel_size", "list"), "too_long"),
        (changed({"dense": {"units": 3, "bias_constraint": {"unit_norm": 1}}}, "network", 0),
         ("network", 0, "layer", "dense", "bias_constraint", "axis"), "invalid"),
        (changed({"conv1d": {"filters": 1, "kernel_size": 3, "kernel_constraint":
                             {"max_norm": {"axis": [0, 3]}}}}, "network", 0),
         ("network", 0, "layer", "conv1d", "kernel_constraint", "axis"), "invalid"),
        (changed({"dropout": 1}, "network", 0), ("network", 0, "layer", "dropout", "rate"),
         "less_than"),
        (changed({"dropout": 0.5, "repeat": 0}, "network", 0), ("network", 0, "repeat"),
         "greater_than_equal"),
        (changed({"reshape": [0]}, "network", 0),
         ("network", 0, "layer", "reshape", "target_shape", 0), "value_error"),
        (changed({"normalization": {"mean": 1}}, "network", 0),
         ("network", 0, "layer", "normalization", "mean"), "invalid"),
        (changed(0, "train", "epochs"), ("train", "epochs"), "greater_than_equal"),
        (changed({"adam": {"learning_rate": True}}, "train", "optimizer"),
         ("train", "optimizer", "adam", "learning_rate"), "form"),
        (changed({"adam": {"learning_rate": {"cosine": {}}}}, "train", "optimizer"),
         ("train", "optimizer", "adam", "learning_rate", "mapping", "cosine"), "choice_unknown"),
        (changed({"adam": {"clipnorm": 1, "clipvalue": 1}}, "train", "optimizer"),
         ("train", "optimizer", "adam", "clipvalue"), "invalid"),
        (changed({"digt": "huber"}, "train", "loss"), ("train", "loss", "digt"), "invalid"),
        (changed({"10": 2}, "train", "class_weight"), ("train", "class_weight", "10"), "invalid"),
        (changed("balancd", "train", "class_weight"), ("train", "class_weight", "text"),
         "literal_error"),
        (changed(0.97, "gates", "accuracy"), ("gates", "accuracy"), "gate"),
        (changed("about 5", "gates", "accuracy"), ("gates", "accuracy"), "gate"),
        (changed(">= 1", "gates", "a.b.c"), ("gates", "a.b.c", "[key]"),
         "text_form"),
        (changed(["a"], "targets", "ios"), ("targets", "ios"), "dict_type"),
    ],
)  # fmt: skip
def test_refused(raw: Any, loc: tuple[str | int, ...], kind: str) -> None:
    assert errors(raw) == [(loc, kind)]


def test_all_errors_at_once_with_known_keys() -> None:
    raw = changed({"dens": 5}, "network", 0) | {
        "nam": 1,
        "train": {"epochs": 0, "optimizer": "adm"},
    }
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate(raw, context={"evaluate": evaluate})
    found = {error["loc"]: error.get("ctx", {}) for error in caught.value.errors()}
    assert len(found) == 4
    assert found["train", "optimizer", "adm"]["known"] == ["adam", "adamw", "sgd", "rmsprop"]
    known = found["network", 0, "layer", "dens"]["known"]
    assert set(known) == {*LAYERS, "use", "name", "from", "repeat"}


def test_valid_forms() -> None:
    spec = Spec.model_validate(PLAIN, context={"evaluate": evaluate})
    assert spec.inputs["pixels"].rescale == 1 / 16
    assert spec.network[1].name == "digit"
    assert Spec.model_validate(spec.model_dump(by_alias=True)) == spec
    assert Spec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
    with pytest.raises(ValidationError):
        Spec.model_validate(PLAIN)  # nobody evaluates


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_layers_survive_their_written_form(case: Any) -> None:
    written = case.layer().written()
    key, body = (written, None) if isinstance(written, str) else next(iter(written.items()))
    cls = LAYERS[key]
    assert cls.model_validate(cls.open(body)) == case.layer()


def test_every_field_has_a_text() -> None:
    from kspec.schemas.descriptions import descriptions

    models: list[type[Model]] = [Model]
    for cls in models:
        models.extend(cls.__subclasses__())
    ours = [cls for cls in models if cls.__module__.startswith("kspec.schemas")]
    missing = [
        f"{cls.__name__}.{name}"
        for cls in ours
        for name in set(cls.model_fields) - set(descriptions(cls))
    ]
    assert not missing


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        (">= 0.97", 0.97, True),
        ("> 0.97", 0.97, False),
        ("<= 200 KB", 200_000, True),
        ("< 1 MB", 1_000_000, False),
        ("<=0.5 %", 0.005, True),
        ("<= 5 ms", 0.0051, False),
        ("<= 1e-4", 1e-5, True),
        ("<= 1", NAN, False),
        (">= 0", NAN, False),
    ],
)
def test_gates(text: str, value: float, holds: bool) -> None:
    assert Gate.model_validate(text).holds(value) is holds


def test_schemas_import_nothing_heavy() -> None:
    code = (
        "import sys, kspec.schemas, kspec.schemas.json_schema, kspec.schemas.reference;"
        "print({'numpy', 'keras', 'tensorflow', 'onnx', 'yaml'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
