"""What a bundle says about itself: one class writes and reads it, for every kind and layout."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from kspec.compiler.ir import DType, TensorType
from kspec.features.description import Description
from kspec.features.kinds import input_kind
from kspec.features.signature import Signature, signature_of
from kspec.features.steps import DecodeImage
from kspec.schemas.features import Input, Output
from kspec.schemas.spec import Spec
from kspec.schemas.train import Train
from kspec.targets.formats.card import Card
from kspec.targets.platforms.platform import Platform
from kspec.targets.registry import platforms
from kspec.targets.request import Subject
from tests.platforms.descriptions import described, description

INPUTS: dict[str, dict[str, Any]] = {
    "grey": {"image": {"height": 2, "width": 3, "channels": 1}, "rescale": 0.5},
    "colour": {"image": {"height": 2, "width": 3, "maximum": 16.0, "resize": "bilinear"}},
    "number": {"number": {"size": 1}},
    "vector": {"number": {"size": 4}, "normalize": True},
    "flat": {"tensor": {"shape": [4]}},
    "steps": {"tensor": {"shape": ["time", 2]}},
    "ids": {"tensor": {"shape": [5], "dtype": "int32"}},
}
OUTPUTS: dict[str, dict[str, Any]] = {
    "kind": {"category": {"labels": ["b", "a", "ü"]}},
    "each": {"category": {"labels": ["x", "y"]}},
    "sure": {"binary": {"labels": ["no", "yes"]}},
    "price": {"number": {"size": 1}},
    "place": {"number": {"size": 2}},
    "state": {"tensor": {"shape": ["time", 3]}},
}
LAYOUTS = ("one", "several")


def shape(name: str) -> tuple[int | str, ...]:
    kind = Input.model_validate(INPUTS[name]).kind
    return input_kind(kind).shape(kind)


def columns(name: str, layout: str) -> tuple[str, ...]:
    sizes = shape(name)
    if layout == "one" or not all(isinstance(size, int) for size in sizes):
        return (name,)
    count = 1
    for size in sizes:
        count *= int(size)
    return tuple(f"{name}_{place}" for place in range(count))


def signature(inputs: dict[str, str], outputs: tuple[str, ...], logits: bool = False) -> Signature:
    """Of inputs with their layouts, and of outputs, in that order."""
    loss = {"sure": {"binary_crossentropy": {"from_logits": logits}}}
    spec = Spec.model_construct(
        inputs={name: Input.model_validate(INPUTS[name]) for name in inputs},
        outputs={name: Output.model_validate(OUTPUTS[name]) for name in outputs},
        train=Train.model_validate({"epochs": 1, "loss": loss}),
    )
    sizes: dict[str, tuple[int | str, ...]] = {
        "kind": (3,), "each": ("time", 2), "sure": (1,), "price": (1,), "place": (2,),
        "state": ("time", 3),
    }  # fmt: skip
    types = {
        name: TensorType(DType.int32 if name == "ids" else DType.float32, ("batch", *shape(name)))
        for name in inputs
    }
    types |= {name: TensorType(DType.float32, ("batch", *sizes[name])) for name in outputs}
    read = {name: columns(name, layout) for name, layout in inputs.items()}
    return signature_of(spec, types, read)


def about(platform: Platform, made: Signature) -> Description:
    """A bundle of that platform with the signature."""
    sizes = {"time": 7}
    fields = platform.options.model_fields
    options = platform.options.model_validate(
        {"dimensions": sizes} if "dimensions" in fields else {}
    )
    requests = platform.requests(options, Subject({}, Card()))
    layout = platform.layout("Model-1")
    golden = {
        "file": f"{layout.golden}golden.safetensors",
        "pictures": {each.name: f"{each.name}.png" for each in made.inputs if each.entry},
    }
    plain = described(
        description(
            "Model-1",
            [each.model_dump(mode="json") for each in made.inputs],
            [each.model_dump(mode="json") for each in made.outputs],
            [
                {
                    "format": each.format,
                    "path": f"{layout.artifacts}model.{each.format}",
                    "options": each.options.model_dump(mode="json"),
                }
                for each in requests
            ],
            golden,
            target=platform.name,
            options=options.model_dump(mode="json"),
        )
    )
    placed = (plain.golden.file, *plain.golden.pictures.values())
    return plain.model_copy(update={"files": dict.fromkeys(placed, "0" * 64)})


@pytest.mark.parametrize(("name", "layout"), [*product(INPUTS, LAYOUTS)])
@pytest.mark.parametrize("logits", [False, True])
def test_json_and_back_is_the_same(name: str, layout: str, logits: bool) -> None:
    made = signature({name: layout, "number": "one"}, tuple(OUTPUTS), logits)
    assert Signature.model_validate_json(made.model_dump_json()) == made
    whole = about(platforms()["onnx"], made)
    assert whole.signature == made
    again = Description.read(whole.write())
    assert again == whole
    assert again.write() == whole.write()


@pytest.mark.parametrize("name", ["ios", "android", "browser", "server", "jvm", "raspberry_pi"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_platform_renders_every_kind(name: str, layout: str) -> None:
    """Each input alone and all together; names and columns arrive in the generated code."""
    platform = platforms()[name]
    every = dict.fromkeys(INPUTS, layout)
    for inputs in (every, *({each: layout} for each in INPUTS)):
        made = about(platform, signature(inputs, tuple(OUTPUTS)))
        files = platform.files(made)
        assert platform.usage(made)
        code = b"".join(content for path, content in files.items() if "kspec-bundle" not in path)
        for each in made.signature.inputs:
            assert each.name.encode() in code, each.name
            named = [column.encode() in code for column in each.columns if column != each.name]
            # The command line of Raspberry Pi reads rows of tables, whatever the kind.
            wanted = each.columns_of_numbers if name == "raspberry_pi" else each.columns_by_name
            assert all(named) if wanted else not any(named), (each.name, layout)


def test_columns_have_names_where_each_holds_one_number_of_a_vector() -> None:
    made = signature(dict.fromkeys(INPUTS, "several"), ("price",))
    assert [each.name for each in made.inputs if each.columns_by_name] == ["number", "vector"]
    assert [each.name for each in made.inputs if not each.columns_of_numbers] == ["steps"]
    made = signature(dict.fromkeys(INPUTS, "one"), ("price",))
    assert [each.name for each in made.inputs if each.columns_by_name] == ["number"]
    assert [each.name for each in made.inputs if each.columns_of_numbers] == ["number"]


def test_the_order_is_the_specs() -> None:
    inputs, outputs = dict.fromkeys(("vector", "grey", "ids"), "one"), ("sure", "each", "kind")
    made = signature(inputs, outputs)
    read = Signature.model_validate_json(made.model_dump_json())
    assert [each.name for each in read.inputs] == list(inputs)
    assert [each.name for each in read.outputs] == list(outputs)
    assert [each.decides for each in read.outputs] == [True, False, True]


def test_steps_say_where_they_run() -> None:
    made = signature(dict.fromkeys(INPUTS, "one"), ("price",))
    steps = {each.name: [(step.step, step.place) for step in each.steps] for each in made.inputs}
    assert steps == {
        "grey": [("decode_image", "host"), ("rescale", "graph")],
        "colour": [("decode_image", "host"), ("resample", "host"), ("scale_pixels", "host")],
        "number": [],
        "vector": [("normalize", "graph")],
        "flat": [],
        "steps": [],
        "ids": [],
    }
    assert made.input("colour").entry is DecodeImage
    assert made.input("vector").entry is None


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kspec_bundle": 1}, "kspec_bundle"),
        ({"extra": 1}, "extra"),
        ({"artifacts": []}, "artifacts"),
        ({"signature": {}}, "signature.inputs"),
        ({"files": {"a": "0"}}, "files.a"),
        ({"name": 7}, "name"),
    ],
)
def test_another_file_is_refused(change: dict[str, Any], where: str) -> None:
    made = about(platforms()["onnx"], signature({"number": "one"}, ("price",)))
    changed = made.model_dump(mode="json", by_alias=True) | change
    with pytest.raises(ValueError, match=where):
        described(changed)
