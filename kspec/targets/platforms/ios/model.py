"""What the generated Swift holds of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.targets.platforms.copies import golden_hashes
from kspec.targets.platforms.identifiers import SWIFT, named
from kspec.targets.platforms.ios.options import IOSOptions
from kspec.targets.platforms.templates import Verbatim, package_name, type_name

if TYPE_CHECKING:
    from kspec.features.description import Description
    from kspec.features.signature import InputPort, OutputPort

MACOS = MappingProxyType({"iOS16": "13.0", "iOS17": "14.0", "iOS18": "15.0"})
"""The macOS that came with each iOS."""
_MEANINGS = MappingProxyType(
    {"category": "Classification", "binary": "BinaryClassification", "number": "[Float]"}
)


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


def describe(about: Description) -> dict[str, Any]:
    """The values of the templates, of what ``kspec-bundle.json`` says."""
    artifact, options = about.artifacts[0], IOSOptions.model_validate(about.options)
    return {
        **{key: Verbatim(name) for key, name in Modules(about.name).names.items()},
        "package": Verbatim(artifact.path.rpartition("/")[2]),
        "ios": Verbatim(f"{options.minimum.removeprefix('iOS')}.0"),
        "macos": Verbatim(MACOS[options.minimum]),
        "name": about.name,
        "version": about.version,
        "batch": {
            "kind": Verbatim("fixed" if options.batch is not None else "upTo"),
            "rows": options.batch or options.largest_dimension,
        },
        "inputs": named((_input(each) for each in about.signature.inputs), SWIFT),
        "outputs": named((_output(each) for each in about.signature.outputs), SWIFT),
        "artifact": artifact.path.rpartition("/")[2],
        "artifact_sha256": artifact.sha256,
        "hashes": sorted(golden_hashes(about).items()),
        "atol": artifact.tolerance.atol,
        "rtol": artifact.tolerance.rtol,
        "pictures": [
            (name, path.rpartition("/")[2]) for name, path in about.golden.pictures.items()
        ],
    }


def _input(of: InputPort) -> dict[str, Any]:
    picture = of.picture
    is_image = picture is not None
    number = "Int32" if of.dtype == "int32" else "Float"
    return {
        "name": of.name,
        "shape": [Verbatim("nil") if isinstance(size, str) else size for size in of.row],
        "columns": of.columns if of.columns_by_name else (),
        "type": Verbatim("Pixels" if is_image else f"[{number}]"),
        "picture": picture
        and {
            "maximum": picture.maximum,
            "resize": Verbatim(f".{picture.resize}" if picture.resize else "nil"),
        },
    }


def _output(of: OutputPort) -> dict[str, Any]:
    decision = of.decision
    meaning = of.kind if of.decides else "number"
    return {
        "name": of.name,
        "meaning": Verbatim(meaning),
        "type": Verbatim(_MEANINGS[meaning]),
        "labels": of.labels if of.decides else (),
        "threshold": decision.threshold
        if decision and decision.threshold is not None
        else Verbatim("nil"),
        "logits": Verbatim("true" if decision and decision.scores == "logits" else "false"),
    }
