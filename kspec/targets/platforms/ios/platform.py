"""iOS: a Swift package around an ML Program that Core ML runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.coreml.options import CoreMLOptions
from kspec.targets.platforms.copies import copy_in
from kspec.targets.platforms.ios.model import Modules, describe
from kspec.targets.platforms.ios.options import IOSOptions
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.templates import render_tree
from kspec.targets.request import ArtifactRequest, Layout, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description

TEMPLATES = Path(__file__).parent / "templates"


class IOS(Platform):
    """A Swift package over Core ML; golden rows are a separate library in it, which apps need not
    link."""

    name: ClassVar[str] = "ios"
    title: ClassVar[str] = "iOS"
    options: ClassVar[type[Model]] = IOSOptions
    ignored: ClassVar[tuple[str, ...]] = (
        ".build", ".swiftpm", "DerivedData", "Package.resolved", "**/.DS_Store",
    )  # fmt: skip

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        assert isinstance(options, CoreMLOptions)
        chosen = {name: getattr(options, name) for name in CoreMLOptions.model_fields}
        chosen["card"] = options.card or subject.card
        return (ArtifactRequest("coreml", CoreMLOptions(**chosen)),)

    def layout(self, name: str) -> Layout:
        modules = Modules(name)
        return Layout(
            artifacts=f"Sources/{modules.module}/Resources/",
            golden=f"Sources/{modules.golden}/Golden/",
        )

    def files(self, about: Description) -> Mapping[str, bytes]:
        modules = Modules(about.name)
        return {
            **render_tree(TEMPLATES, describe(about), modules.names),
            **copy_in(f"Sources/{modules.golden}/Golden/", about),
        }

    def usage(self, about: Description) -> str:
        modules, values = Modules(about.name), describe(about)
        given = ", ".join(
            f"{each['identifier'].text}: {_GIVEN[each['type'].text]}" for each in values["inputs"]
        )
        answer = values["outputs"][0]["identifier"].text
        return f"""\
.package(path: "ios")                    // the folder of this file, in the app's Package.swift
.product(name: "{modules.module}", package: "ios")

import {modules.module}
let model = try await {modules.type}()
let answer = try await model.predict({given}).{answer}

# On a Mac, in this folder. Core ML runs on Apple's systems only, so the build could not test
# that the Swift code compiles; that Core ML opens the package and returns what its evaluation
# in NumPy returns; how fast it is; that ImageIO decodes the golden picture exactly; and, on a
# device, the results of the GPU and the Neural Engine.
swift run {modules.tool}                  # the self-test on the CPU; `all` on every unit
swift test
xcodebuild test -scheme {modules.module}-Package -destination 'platform=iOS,name=YOUR IPHONE'
"""


_GIVEN = {
    "Pixels": "Pixels(file: data)",
    "[Float]": "[…]",
    "[Int32]": "[…]",
}
"""The placeholder for an argument in the README, by its type."""
