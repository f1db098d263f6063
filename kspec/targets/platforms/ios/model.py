"""What the generated Swift holds of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kspec.targets.platforms.identifiers import numbered
from kspec.targets.platforms.templates import Verbatim, package_name, type_name

MACOS = MappingProxyType({"iOS16": "13.0", "iOS17": "14.0", "iOS18": "15.0"})
"""The macOS that came with each iOS."""
_MEANINGS = MappingProxyType(
    {"category": "Classification", "binary": "BinaryClassification", "number": "[Float]"}
)
_VECTORS = 2
"""The rank of outputs that hold one decision a row."""


@dataclass(frozen=True, slots=True)
class Modules:
    """What a model's modules are called; names of targets are unique over all that an app uses."""

    model: str

    @property
    def module(self) -> str:
        return f"{type_name(self.model)}Kit"

    @property
    def golden(self) -> str:
        return f"{type_name(self.model)}Golden"

    @property
    def type(self) -> str:
        return f"{type_name(self.model)}Model"

    @property
    def tool(self) -> str:
        return f"{package_name(self.model).replace('_', '-')}-selftest"

    @property
    def names(self) -> Mapping[str, str]:
        return {key: getattr(self, key) for key in ("module", "golden", "type", "tool")}


def describe(about: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the templates, of what ``kspec-bundle.json`` says."""
    artifact, options = about["artifacts"][0], about["options"]
    fixed = options["batch"] is not None
    return {
        **{key: Verbatim(name) for key, name in Modules(about["name"]).names.items()},
        "package": Verbatim(artifact["path"].rpartition("/")[2]),
        "ios": Verbatim(f"{options['minimum'].removeprefix('iOS')}.0"),
        "macos": Verbatim(MACOS[options["minimum"]]),
        "name": about["name"],
        "version": about["version"],
        "batch": {
            "kind": Verbatim("fixed" if fixed else "upTo"),
            "rows": options["batch"] if fixed else options["largest_dimension"],
        },
        "inputs": numbered(_input(*each) for each in about["signature"]["inputs"].items()),
        "outputs": numbered(_output(*each) for each in about["signature"]["outputs"].items()),
        "artifact": artifact["path"].rpartition("/")[2],
        "artifact_sha256": artifact["sha256"],
        "golden_sha256": about["golden"]["sha256"],
        "atol": float(artifact["tolerance"]["atol"]),
        "rtol": float(artifact["tolerance"]["rtol"]),
        "pictures": [
            (name, path.rpartition("/")[2]) for name, path in about["golden"]["pictures"].items()
        ],
    }


def _input(name: str, of: Mapping[str, Any]) -> dict[str, Any]:
    is_image, picture = of["kind"] == "image", of.get("picture", {})
    number = "Int32" if of["dtype"] == "int32" else "Float"
    return {
        "name": name,
        "shape": [Verbatim("nil") if isinstance(size, str) else size for size in of["shape"][1:]],
        "columns": of["columns"] if of["kind"] == "number" else [],
        "type": Verbatim("Pixels" if is_image else f"[{number}]"),
        "identifier": "image" if is_image else "values",
        "picture": is_image
        and {
            "maximum": float(picture["maximum"]),
            "resize": Verbatim(f".{picture['resize']}" if picture["resize"] else "nil"),
        },
    }


def _output(name: str, of: Mapping[str, Any]) -> dict[str, Any]:
    decides = "labels" in of and len(of["shape"]) == _VECTORS
    meaning = of["kind"] if decides else "number"
    return {
        "name": name,
        "meaning": Verbatim(meaning),
        "type": Verbatim(_MEANINGS[meaning]),
        "labels": of["labels"] if decides else [],
        "identifier": meaning,
    }
