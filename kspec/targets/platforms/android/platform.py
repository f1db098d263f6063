"""Android: a Kotlin library module around a TFLite file that LiteRT runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.tflite.options import TFLiteOptions
from kspec.targets.platforms.android.model import MAIN, describe, package_of, type_of
from kspec.targets.platforms.android.options import AndroidOptions
from kspec.targets.platforms.copies import copy_in
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.templates import render_tree
from kspec.targets.request import ArtifactRequest, Layout, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description

TEMPLATES = Path(__file__).parent / "templates"
DEBUG = "src/debug/assets/kspec"


class Android(Platform):
    """A Gradle module in Kotlin over LiteRT's ``CompiledModel``, ready to copy into a project.
    Golden rows are assets of debug builds only."""

    name: ClassVar[str] = "android"
    title: ClassVar[str] = "Android"
    options: ClassVar[type[Model]] = AndroidOptions
    ignored: ClassVar[tuple[str, ...]] = (
        ".cxx", ".gradle", ".idea", ".kotlin", "build", "gradle", "gradlew", "gradlew.bat",
        "local.properties",
    )  # fmt: skip

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        assert isinstance(options, TFLiteOptions)
        chosen = {name: getattr(options, name) for name in TFLiteOptions.model_fields}
        chosen["card"] = options.card or subject.card
        return (ArtifactRequest("tflite", TFLiteOptions(**chosen)),)

    def layout(self, name: str) -> Layout:
        package = package_of(name)
        return Layout(artifacts=f"{MAIN}/{package}/", golden=f"{DEBUG}/{package}/")

    def files(self, about: Description) -> Mapping[str, bytes]:
        package = package_of(about.name)
        names = {"package": package, "type": type_of(about.name)}
        return {
            **render_tree(TEMPLATES, describe(about), names),
            **copy_in(f"{DEBUG}/{package}/", about),
        }

    def usage(self, about: Description) -> str:
        values = describe(about)
        given = ", ".join(_GIVEN[each["type"].text] for each in values["inputs"])
        answer = values["outputs"][0]["identifier"].text
        type_, package, module = type_of(about.name), package_of(about.name), values["module"]
        return f"""\
implementation(project(":{module}"))  // after include(":{module}") in settings.gradle.kts

import kspec.{package}.*
val model = {type_}.open(context)     // not on the main thread
val answer = model.predict({given}).{answer}

# The self-test: everything except the engine on the JVM, then all of it on a device, on CPU and
# GPU; or {type_}.selfTest(context) in a debug build, which logs its line:  adb logcat -s kspec
gradle test
gradle connectedDebugAndroidTest
# Only a device can test LiteRT's build for Android, its GPU and NPU, Android's picture decoder,
# and the speed.
"""


_GIVEN = {
    "Pixels": "decodePixels(file)",
    "FloatArray": "floatArrayOf(…)",
    "IntArray": "intArrayOf(…)",
}
"""The placeholder for an argument in the README, by its type."""
