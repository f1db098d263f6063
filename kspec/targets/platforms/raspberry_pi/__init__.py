"""Raspberry Pi: LiteRT or ONNX Runtime on a 64-bit system, from Python."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from kspec.features.steps import DecodeImage, Step
from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tflite.options import Size, TFLiteOptions
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.steps import client_steps
from kspec.targets.platforms.templates import (
    SHARED_PYTHON,
    Verbatim,
    package_name,
    render_tree,
    spell_python,
)
from kspec.targets.request import ArtifactRequest, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description
    from kspec.features.signature import InputPort, OutputPort

TEMPLATES = Path(__file__).parent / "templates"
ENGINES: Mapping[str, str] = MappingProxyType({"tflite": "litert", "onnx": "onnxruntime"})
"""The engine that runs an artifact, by format."""
_BASE_MEMORY = 384
_MEMORY_OF_WEIGHTS = 4


class RaspberryPiOptions(Model):
    """Options of the Raspberry Pi bundle."""

    batch: Size = 1
    """How many rows LiteRT takes at once; ONNX Runtime takes any number."""
    dimensions: Mapping[str, Size] = {}
    """LiteRT's size of each other dimension that the spec leaves open: `{time: 100}`."""
    engine: Literal["litert", "onnxruntime"] = "litert"
    """The engine unless the caller names one; the bundle contains an artifact for each."""
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """How many threads an engine may use; a Raspberry Pi has four cores."""


class RaspberryPi(Platform):
    """A Python package with a command line and a systemd service, a ``.tflite`` and an ``.onnx``
    file, and pinned wheels for arm64."""

    name: ClassVar[str] = "raspberry_pi"
    title: ClassVar[str] = "Raspberry Pi"
    options: ClassVar[type[Model]] = RaspberryPiOptions
    ignored: ClassVar[tuple[str, ...]] = ("**/__pycache__", ".venv")

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
        assert isinstance(options, RaspberryPiOptions)
        tflite = TFLiteOptions(batch=options.batch, dimensions=options.dimensions)
        found = (ArtifactRequest("tflite", tflite), ArtifactRequest("onnx", OnnxOptions()))
        return found if options.engine == ENGINES["tflite"] else found[::-1]

    def files(self, about: Description) -> Mapping[str, bytes]:
        package, unit = package_of(about.name), unit_of(about.name)
        client = {
            **render_tree(TEMPLATES / "client", _constants(about)),
            **render_tree(SHARED_PYTHON, {}),
        }
        units = {
            "name": about.name,
            "package": package,
            "unit": unit,
            "memory": _memory(about),
        }
        return {
            **{f"{package}/{path}": content for path, content in client.items()},
            **render_tree(TEMPLATES / "bundle", units, {"unit": unit}),
        }

    def usage(self, about: Description) -> str:
        package, unit = package_of(about.name), unit_of(about.name)
        pictures = len(about.signature.inputs) == len(about.golden.pictures) == 1
        source = "golden-*.png" if pictures else "rows.csv"
        row = ", ".join(
            f"{spell_python(each.name)}: {_example(each)}" for each in about.signature.inputs
        )
        return f"""\
# On the Raspberry Pi: the 64-bit system, bookworm or trixie
sudo cp -r . /opt/{unit} && cd /opt/{unit} && sudo python3 -m venv .venv
sudo .venv/bin/pip install -r requirements.txt
.venv/bin/python -m {package} predict {source}

# The self-test prints one line of JSON; its exit status is 0 if it passes
.venv/bin/python -m {package} self-test

# As a service on /run/{unit}.sock: one row in JSON per line, one answer per line
sudo cp systemd/{unit}.* /etc/systemd/system/ && sudo systemctl enable --now {unit}.socket

# From Python
from {package} import Model

answer = Model().predict({{{row}}})
"""


def package_of(name: str) -> str:
    """Return the Python package of a model: not a keyword, and not in the standard library."""
    return f"{package_name(name)}_model"


def unit_of(name: str) -> str:
    """Return the name of a model's service and its folder; no Debian service has such a name."""
    return package_of(name).replace("_", "-")


def _example(given: InputPort) -> str:
    """Return code for a value of the input; sizes that vary are 1."""
    if given.entry is not None:
        return _EXAMPLES[given.entry]
    sizes = [size if isinstance(size, int) else 1 for size in given.row]
    return f"[0.0] * {sizes[0]}" if given.is_vector else f"numpy.zeros({sizes})"


def _memory(about: Description) -> int:
    """Return the service's memory limit in MiB: Python with an engine, and packed weights."""
    largest = max(each.bytes for each in about.artifacts)
    return _BASE_MEMORY + _MEMORY_OF_WEIGHTS * ceil(largest / (1 << 20))


def _constants(about: Description) -> dict[str, Any]:
    options = RaspberryPiOptions.model_validate(about.options)
    return {
        "name": about.name,
        "version": about.version,
        "inputs": [_input(each) for each in about.signature.inputs],
        "outputs": [_output(*each) for each in enumerate(about.signature.outputs)],
        "artifacts": [
            {
                "engine": ENGINES[each.format],
                "file": each.path,
                "files": each.places,
                "tolerances": [*each.tolerances.items()],
                "sizes": {"batch": options.batch, **options.dimensions}
                if each.format == "tflite"
                else {},
            }
            for each in about.artifacts
        ],
        "golden": about.golden,
        "engine": options.engine,
        "threads": options.threads,
    }


def _input(each: InputPort) -> dict[str, Any]:
    raw = "Numbers" if each.is_vector else "Nested"
    return {
        "name": each.name,
        "dtype": each.dtype,
        "shape": each.row,
        "columns": each.columns_of_numbers,
        "steps": client_steps(each),
        "type": Verbatim(raw if each.entry is None else _TYPES[each.entry]),
    }


def _output(place: int, each: OutputPort) -> dict[str, Any]:
    numbers = "float" if each.row == (1,) else "tuple[float, ...]"
    raw = numbers if len(each.row) == 1 else "Nested"
    return {
        "name": each.name,
        "dtype": each.dtype,
        "shape": each.row,
        "labels": each.labels,
        "threshold": each.decision and each.decision.threshold,
        "logits": each.decision is not None and each.decision.scores == "logits",
        "type_of_labels": Verbatim(f"Labels{place}"),
        "type": Verbatim(f"Decision[Labels{place}]" if each.decides else raw),
    }


_TYPES: Mapping[type[Step], str] = MappingProxyType({DecodeImage: "PictureLike"})
"""The type of a value that an application passes, by the step that takes the value."""
_EXAMPLES: Mapping[type[Step], str] = MappingProxyType({DecodeImage: '"picture.png"'})
"""Example code for the value, by the step that takes it."""
