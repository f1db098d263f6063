"""The server: TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.tf_serving.options import TfServingOptions
from kspec.targets.platforms.platform import ArtifactRequest, Platform


class ServerOptions(Model):
    """The server bundle has no options."""


class Server(Platform):
    """A versioned SavedModel with named signatures."""

    name: ClassVar[str] = "server"
    title: ClassVar[str] = "Server"
    options: ClassVar[type[Model]] = ServerOptions

    def requests(self, options: Model) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
        return (ArtifactRequest("tf_serving", TfServingOptions()),)

    def usage(self, about: Mapping[str, Any]) -> str:
        artifact = about["artifacts"][0]["path"]
        return (
            f"tensorflow_model_server --rest_api_port=8501 --model_name={artifact} "
            f'--model_base_path="$PWD/{artifact}"\n'
        )
