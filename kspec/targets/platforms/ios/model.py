"""The values of a model for the Swift templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.features.steps import DecodeImage, Step
from kspec.features.steps.decode_image import MAX_PIXELS
from kspec.targets.platforms.copies import golden_hashes
from kspec.targets.platforms.identifiers import SWIFT, named
from kspec.targets.platforms.ios.options import IOSOptions
from kspec.targets.platforms.steps import camel_case, client_steps
from kspec.targets.platforms.templates import Verbatim, package_name, type_name

if TYPE_CHECKING:
    from kspec.features.description import Description, Tolerance
    from kspec.features.signature import InputPort, OutputPort

MACOS = MappingProxyType({"iOS16": "13.0", "iOS17": "14.0", "iOS18": "15.0"})
"""The macOS version released with each iOS version."""
_TYPES: Mapping[type[Step], str] = MappingProxyType({DecodeImage: "Pixels"})
"""The Swift type of a value that an app passes, by the step that takes the value."""
_MEANINGS = MappingProxyType(
    {"category": "Classification", "binary": "BinaryClassification", "number": "[Float]"}
)


@dataclass(frozen=True, slots=True)
class Modules:
    """The names of a model's modules; SwiftPM requires unique target names within an app."""

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
    """Return the values for the templates, from the content of ``kspec-bundle.json``."""
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
        "max_pixels": MAX_PIXELS,
        "inputs": named((_input(each) for each in about.signature.inputs), SWIFT),
        "outputs": named(
            (_output(each, artifact.tolerances) for each in about.signature.outputs), SWIFT
        ),
        "artifact": artifact.path.rpartition("/")[2],
        "artifact_sha256": artifact.sha256,
        "hashes": sorted(golden_hashes(about).items()),
        "pictures": [
            (name, path.rpartition("/")[2]) for name, path in about.golden.pictures.items()
        ],
    }


def _input(of: InputPort) -> dict[str, Any]:
    number = "Int32" if of.dtype == "int32" else "Float"
    return {
        "name": of.name,
        "shape": [None if isinstance(size, str) else size for size in of.row],
        "columns": of.columns if of.columns_by_name else (),
        "type": Verbatim(f"[{number}]" if of.entry is None else _TYPES[of.entry]),
        "steps": client_steps(of, camel_case),
    }


def _output(of: OutputPort, tolerances: Mapping[str, Tolerance]) -> dict[str, Any]:
    decision = of.decision
    return {
        "name": of.name,
        "meaning": Verbatim(of.meaning),
        "type": Verbatim(_MEANINGS[of.meaning]),
        "labels": of.labels if of.decides else (),
        "threshold": decision and decision.threshold,
        "logits": Verbatim("true" if decision and decision.scores == "logits" else "false"),
        "tolerance": tolerances[of.name],
    }
