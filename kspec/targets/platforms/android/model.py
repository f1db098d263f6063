"""The values of a model for the Kotlin templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.features.steps import DecodeImage, Step
from kspec.features.steps.decode_image import MAX_PIXELS
from kspec.targets.platforms.android.options import AndroidOptions
from kspec.targets.platforms.copies import golden_hashes
from kspec.targets.platforms.identifiers import KOTLIN, named
from kspec.targets.platforms.steps import camel_case, client_steps
from kspec.targets.platforms.templates import Verbatim, package_name, type_name

if TYPE_CHECKING:
    from kspec.features.description import Description, Tolerance
    from kspec.features.signature import InputPort, OutputPort

_TYPES: Mapping[type[Step], str] = MappingProxyType({DecodeImage: "Pixels"})
"""The Kotlin type of a value that an app passes, by the step that takes the value."""
MAIN = "src/main/assets/kspec"
LITERT = "2.3.0"
"""The version of LiteRT in the app; the artifact was verified with the same version."""
_BLOCK = 500
"""The largest number of texts in one list: a JVM method has at most 64 KB of code."""
_KEYWORDS = frozenset({
    "abstract", "as", "assert", "boolean", "break", "byte", "case", "catch", "char", "class",
    "const", "continue", "default", "do", "double", "else", "enum", "extends", "false", "final",
    "finally", "float", "for", "fun", "goto", "if", "implements", "import", "in", "instanceof",
    "int", "interface", "is", "long", "native", "new", "null", "object", "package", "private",
    "protected", "public", "return", "short", "static", "strictfp", "super", "switch",
    "synchronized", "this", "throw", "throws", "transient", "true", "try", "typealias", "typeof",
    "val", "var", "void", "volatile", "when", "while",
})  # fmt: skip
"""Words that cannot be part of a package name in Kotlin or in Java."""


def package_of(name: str) -> str:
    """Return the last part of the name of the model's package."""
    package = package_name(name)
    return f"{package}_" if package in _KEYWORDS else package


def type_of(name: str) -> str:
    """Return the name of the model's class."""
    return f"{type_name(name)}Model"


def sizes_of(about: Description) -> dict[str, int]:
    """Return the artifact's size of each named dimension."""
    options = AndroidOptions.model_validate(about.options)
    return {"batch": options.batch, **options.dimensions}


def describe(about: Description) -> dict[str, Any]:
    """Return the values for the templates, from the content of ``kspec-bundle.json``."""
    artifact, options = about.artifacts[0], AndroidOptions.model_validate(about.options)
    package, file = package_of(about.name), artifact.path.rpartition("/")[2]
    sizes = sizes_of(about)
    return {
        "package": Verbatim(package),
        "type": Verbatim(type_of(about.name)),
        "namespace": f"kspec.{package}",
        "module": package.rstrip("_").replace("_", "-"),
        "name": about.name,
        "version": about.version,
        "litert": Verbatim(LITERT),
        "accelerator": Verbatim(options.accelerator.upper()),
        "gpu": options.accelerator == "gpu",
        "batch": options.batch,
        "max_pixels": MAX_PIXELS,
        "inputs": named((_input(each, sizes) for each in about.signature.inputs), KOTLIN),
        "outputs": named(
            (_output(each, artifact.tolerances) for each in about.signature.outputs), KOTLIN
        ),
        "artifact": file,
        "hashes": sorted({**artifact.files, **golden_hashes(about)}.items()),
        "pictures": [
            (name, path.rpartition("/")[2]) for name, path in about.golden.pictures.items()
        ],
    }


def _input(of: InputPort, sizes: Mapping[str, int]) -> dict[str, Any]:
    numbers = "IntArray" if of.dtype == "int32" else "FloatArray"
    return {
        "name": of.name,
        "shape": [sizes[size] if isinstance(size, str) else size for size in of.row],
        "columns": _blocks(of.columns if of.columns_by_name else ()),
        "type": Verbatim(numbers if of.entry is None else _TYPES[of.entry]),
        "steps": client_steps(of, camel_case),
    }


def _output(of: OutputPort, tolerances: Mapping[str, Tolerance]) -> dict[str, Any]:
    return {
        "name": of.name,
        "meaning": Verbatim(of.meaning.upper()),
        "labels": _blocks(of.labels if of.decides else ()),
        "threshold": None if of.decision is None else of.decision.threshold,
        "logits": of.decision is not None and of.decision.scores == "logits",
        "tolerance": tolerances[of.name],
    }


def _blocks(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + _BLOCK] for start in range(0, len(texts), _BLOCK)]
