"""The generated pages: fresh, and the JSON Schema of one mind with the models."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kspec.features import description, page
from kspec.schemas import Spec, json_schema, reference
from kspec.schemas.base import Model
from tests.cases import CASES
from tests.schemas.digits import DIGITS

ROOT = Path(__file__).parents[2]
SCHEMA = json_schema.json_schema({})


@pytest.mark.parametrize(
    ("path", "render", "module"),
    [
        ("docs/spec.md", reference.render, "schemas.reference"),
        ("kspec/schemas/kspec-v1.json", lambda: json_schema.render({}), "schemas.json_schema"),
        ("docs/host-steps.md", page.render, "features.page"),
        ("kspec/schemas/kspec-bundle-v2.json", description.schema, "features.description"),
    ],
)
def test_committed_pages_are_fresh(path: str, render: Callable[[], str], module: str) -> None:
    fresh = (ROOT / path).read_text(encoding="utf-8") == render()
    assert fresh, f"python -m kspec.{module} > {path}"


def accepts(schema: Any, value: Any) -> bool:
    """Whether a value satisfies a schema, as far as the keywords that ours uses."""
    if "$ref" in schema:
        return accepts(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], value)
    if "anyOf" in schema and not any(accepts(part, value) for part in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    types = schema.get("type", [])
    if types and not any(
        has_type(kind, value) for kind in [types] * isinstance(types, str) or types
    ):
        return False
    if isinstance(value, dict):
        return accepts_mapping(schema, value)
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        rest = [schema.get("items", {})] * (len(value) - len(first))
        count = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return count and all(map(accepts, [*first, *rest][: len(value)], value))
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, int | float):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        return low <= value <= high and value > schema.get("exclusiveMinimum", value - 1)
    return True


def has_type(kind: str, value: Any) -> bool:
    """Whether a value is of a type of JSON Schema."""
    types = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
        "integer": int, "number": (int, float),
    }  # fmt: skip
    return isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool))


def accepts_mapping(schema: Any, value: dict[str, Any]) -> bool:
    """The keywords of objects."""
    named, other = schema.get("properties", {}), schema.get("additionalProperties", True)
    patterns = schema.get("patternProperties", {})
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    if not set(schema.get("required", ())) <= set(value):
        return False
    for key, item in value.items():
        parts = [part for pattern, part in patterns.items() if re.search(pattern, key)]
        parts += [named[key]] if key in named else []
        if not parts and other is False:
            return False
        if not parts and isinstance(other, dict):
            parts = [other]
        if not all(accepts(part, item) for part in parts):
            return False
    return True


def test_json_schema_takes_the_example() -> None:
    assert accepts(SCHEMA, DIGITS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_json_schema_takes_every_layer(case: Any) -> None:
    assert accepts(SCHEMA["properties"]["network"], [{case.key: case.arguments}])


@pytest.mark.parametrize(
    "change",
    [
        {"kspec": 2},
        {"nmae": "digits"},
        {"data": {"source": {"csv": "a.csv", "npz": "b.npz"}}},
        {"inputs": {}},
        {"inputs": {"pixels": {"image": {"height": 8}, "columns": "p*"}}},
        {"network": [{"dense": {"units": 0}}]},
        {"network": [{"dense": {"units": 4, "activaton": "relu"}}]},
        {"network": [{"dense": {"units": 4, "activation": "rely"}}]},
        {"train": {"epochs": True}},
        {"train": {"epochs": 1, "optimizer": "adamm"}},
    ],
    ids=str,
)
def test_json_schema_refuses(change: dict[str, Any]) -> None:
    assert not accepts(SCHEMA, DIGITS | change)


def test_json_schema_takes_expressions_where_numbers_stand() -> None:
    train = {"epochs": "${2 * rounds}", "deterministic": "${exact}"}
    assert accepts(SCHEMA, DIGITS | {"train": train})
    assert not accepts(SCHEMA, DIGITS | {"train": {"epochs": "many"}})


class Options(Model):
    """Options of a target."""

    bits: int = 8
    """Bits of a weight."""


def test_json_schema_knows_the_options_of_targets() -> None:
    closed = json_schema.json_schema({"phone": Options})
    phone = closed["properties"]["targets"]["properties"]["phone"]
    assert accepts(phone, {"bits": 4})
    assert accepts(phone, None)
    assert not accepts(phone, {"bytes": 4})
    assert "Bits of a weight." in json.dumps(closed)


def test_example_is_valid() -> None:
    without_blocks = {key: part for key, part in DIGITS.items() if key != "blocks"}
    steps = [step for step in DIGITS["network"] if "conv_block" not in step]
    spec = Spec.model_validate(
        without_blocks | {"network": steps}, context={"evaluate": lambda text: 1 / 16}
    )
    assert spec.inputs["pixels"].rescale == 1 / 16
    assert (
        Spec.model_validate_json(
            json.dumps(without_blocks | {"network": steps}),
            context={"evaluate": lambda text: 1 / 16},
        )
        == spec
    )
