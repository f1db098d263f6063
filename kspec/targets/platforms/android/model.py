"""What the generated Kotlin holds of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kspec.targets.platforms.identifiers import numbered
from kspec.targets.platforms.templates import Verbatim, package_name, type_name

MAIN = "src/main/assets/kspec"
LITERT = "2.3.0"
"""The runtime's version in the app; the artifact was proven by the same."""
_BLOCK = 500
"""Texts in one list: a method of the virtual machine holds 64 KB of code."""
_KEYWORDS = frozenset({
    "abstract", "as", "assert", "boolean", "break", "byte", "case", "catch", "char", "class",
    "const", "continue", "default", "do", "double", "else", "enum", "extends", "false", "final",
    "finally", "float", "for", "fun", "goto", "if", "implements", "import", "in", "instanceof",
    "int", "interface", "is", "long", "native", "new", "null", "object", "package", "private",
    "protected", "public", "return", "short", "static", "strictfp", "super", "switch",
    "synchronized", "this", "throw", "throws", "transient", "true", "try", "typealias", "typeof",
    "val", "var", "void", "volatile", "when", "while",
})  # fmt: skip
"""Words that cannot name a package in Kotlin, or not in Java."""
_VECTORS = 2
"""The rank of outputs that hold one decision a row."""


def package_of(name: str) -> str:
    """The last part of the model's package."""
    package = package_name(name)
    return f"{package}_" if package in _KEYWORDS else package


def type_of(name: str) -> str:
    """The model's class."""
    return f"{type_name(name)}Model"


def describe(about: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the templates, of what ``kspec-bundle.json`` says."""
    artifact, options = about["artifacts"][0], about["options"]
    package = package_of(about["name"])
    sizes = {"batch": options["batch"], **options["dimensions"]}
    return {
        "package": Verbatim(package),
        "type": Verbatim(type_of(about["name"])),
        "namespace": f"kspec.{package}",
        "module": package.rstrip("_").replace("_", "-"),
        "name": about["name"],
        "version": about["version"],
        "litert": Verbatim(LITERT),
        "accelerator": Verbatim(options["accelerator"].upper()),
        "gpu": options["accelerator"] == "gpu",
        "batch": options["batch"],
        "inputs": numbered(
            _input(name, of, sizes) for name, of in about["signature"]["inputs"].items()
        ),
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


def _input(name: str, of: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    whole, is_image = of["dtype"] == "int32", of["kind"] == "image"
    named = of["columns"] if of["kind"] == "number" else []
    picture = of.get("picture", {})
    resize = picture.get("resize")
    return {
        "name": name,
        "shape": [sizes.get(size, size) for size in of["shape"][1:]],
        "columns": _blocks(named),
        "type": Verbatim("Pixels" if is_image else "IntArray" if whole else "FloatArray"),
        "identifier": "image" if is_image else "values",
        "picture": is_image
        and {
            "maximum": float(picture["maximum"]),
            "resize": Verbatim(f"Resize.{resize.upper()}" if resize else "null"),
        },
    }


def _output(name: str, of: Mapping[str, Any]) -> dict[str, Any]:
    decides = "labels" in of and len(of["shape"]) == _VECTORS
    meaning = of["kind"] if decides else "number"
    return {
        "name": name,
        "meaning": Verbatim(meaning.upper()),
        "labels": _blocks(of["labels"]) if decides else [],
        "identifier": meaning,
    }


def _blocks(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + _BLOCK] for start in range(0, len(texts), _BLOCK)]
