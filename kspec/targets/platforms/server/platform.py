"""The server: TensorFlow Serving, and a web service of its own over ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from kspec.features.kinds import host_steps, input_kind
from kspec.features.signature import InputPort, OutputPort
from kspec.schemas.base import Model
from kspec.schemas.features import Input
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tf_serving.options import TfServingOptions, picture_of
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.steps import client_steps
from kspec.targets.platforms.templates import SHARED_PYTHON, render_tree
from kspec.targets.request import ArtifactRequest, Layout, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description

TEMPLATES = Path(__file__).parent / "templates"


class ServerOptions(Model):
    """Options of the server bundle."""

    version: Annotated[int, Field(ge=1)] = 1
    """The model's version number in both servers; TensorFlow Serving serves the highest version
    that it finds."""


class Server(Platform):
    """A versioned SavedModel for TensorFlow Serving, and a Python service for the ONNX file."""

    name: ClassVar[str] = "server"
    title: ClassVar[str] = "Server"
    options: ClassVar[type[Model]] = ServerOptions
    ignored: ClassVar[tuple[str, ...]] = ("**/__pycache__", ".venv")

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        assert isinstance(options, ServerOptions)
        pictures = {
            name: picture
            for name, each in subject.inputs.items()
            if (picture := picture_of(host_steps(each.kind))) is not None
        }
        serving = TfServingOptions(
            version=options.version, pictures=pictures, warm_up=not _open(subject.inputs)
        )
        return (ArtifactRequest("onnx", OnnxOptions()), ArtifactRequest("tf_serving", serving))

    def layout(self, name: str) -> Layout:  # noqa: ARG002
        return Layout(artifacts="models/", golden="golden/")

    def files(self, about: Description) -> Mapping[str, bytes]:
        return {
            **render_tree(TEMPLATES, _constants(about)),
            **{f"server/{path}": code for path, code in render_tree(SHARED_PYTHON, {}).items()},
        }

    def usage(self, about: Description) -> str:
        name = about.name
        pictures = about.golden.pictures
        signature = "; its signature serving_bytes takes JPEG and PNG" if pictures else ""
        return f"""\
# The web service, on port 8080
pip install --require-hashes -r requirements.txt
python -m server
curl -d '{_example(about)}' 'localhost:8080/v1/models/{name}:predict?labels=true'

# The self-test prints one line of JSON; its exit status is 0 if it passes
python -m server --self-test

# In a container; or TensorFlow Serving on ports 8500 (gRPC) and 8501{signature}
docker compose up --build web
docker compose up tensorflow-serving

# Protocols of the web service: /v1 as TensorFlow Serving, /v2 as KServe and Triton; see
# /openapi.json, /metrics, /v2/health/live and /v2/health/ready, and python -m server --help
"""


def _constants(about: Description) -> dict[str, Any]:
    """Return the values for the templates."""
    artifact, serving = about.artifacts
    return {
        "name": about.name,
        "release": about.version,
        "version": str(serving.options["version"]),
        "description": about.description,
        "inputs": [_input(each) for each in about.signature.inputs],
        "outputs": [_output(each) for each in about.signature.outputs],
        "artifact": {
            "file": artifact.path,
            "files": artifact.places,
            "tolerances": [*artifact.tolerances.items()],
        },
        "golden": about.golden,
    }


def _input(given: InputPort) -> dict[str, Any]:
    return {
        "name": given.name,
        "dtype": given.dtype,
        "shape": given.row,
        "columns": given.columns if given.columns_by_name else (),
        "steps": client_steps(given),
    }


def _output(given: OutputPort) -> dict[str, Any]:
    return {
        "name": given.name,
        "dtype": given.dtype,
        "shape": given.row,
        "labels": given.labels,
        "threshold": given.decision and given.decision.threshold,
        "logits": given.decision is not None and given.decision.scores == "logits",
    }


def _example(about: Description) -> str:
    """Return the body of a request. Input names are words; column names may be any text."""
    names = [each.name for each in about.signature.inputs]
    if len(names) > 1:
        return '{"instances": [{' + ", ".join(f'"{name}": …' for name in names) + "}]}"
    if about.golden.pictures:
        return '{"instances": [{"b64": "…"}]}'
    return '{"instances": [[…]]}'


def _open(inputs: Mapping[str, Input]) -> bool:
    """Return whether a size other than the batch is known at run time only."""
    return any(
        isinstance(size, str)
        for each in inputs.values()
        for size in input_kind(each.kind).shape(each.kind)
    )
