"""The server: TensorFlow Serving, and a web service of its own over ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from kspec.schemas.base import Model
from kspec.schemas.features import Image, Input, Tensor
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.formats.tf_serving.options import Picture, TfServingOptions
from kspec.targets.platforms.platform import ArtifactRequest, Layout, Platform


class ServerOptions(Model):
    """Options of the server bundle."""

    version: Annotated[int, Field(ge=1)] = 1
    """The number under which both servers serve the model; TensorFlow Serving takes the highest
    that it finds."""


class Server(Platform):
    """A versioned SavedModel for TensorFlow Serving, and a Python service for the ONNX file."""

    name: ClassVar[str] = "server"
    title: ClassVar[str] = "Server"
    options: ClassVar[type[Model]] = ServerOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:
        return self.requests_for(options, {})

    def requests_for(
        self, options: Model, inputs: Mapping[str, Input]
    ) -> tuple[ArtifactRequest, ...]:
        assert isinstance(options, ServerOptions)
        pictures = {
            name: Picture(maximum=each.kind.maximum, resize=each.kind.resize)
            for name, each in inputs.items()
            if isinstance(each.kind, Image)
        }
        serving = TfServingOptions(
            version=options.version, pictures=pictures, warm_up=not _open(inputs)
        )
        return (ArtifactRequest("onnx", OnnxOptions()), ArtifactRequest("tf_serving", serving))

    def layout(self, name: str) -> Layout:  # noqa: ARG002
        return Layout(artifacts="models/")

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return (
            f"tensorflow_model_server --rest_api_port=8501 --model_name={artifact} "
            f'--model_base_path="$PWD/{artifact}"\n'
        )


def _open(inputs: Mapping[str, Input]) -> bool:
    """Whether a size beside the batch is known at run time only."""
    kinds = (each.kind for each in inputs.values())
    return any(
        isinstance(size, str) for kind in kinds if isinstance(kind, Tensor) for size in kind.shape
    )
