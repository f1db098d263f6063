"""``kspec-bundle.json``, the description of a bundle: one class writes and reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from kspec.features.signature import Signature
from kspec.schemas.base import Model, located

FILE = "kspec-bundle.json"
SEAL = f"{FILE}.sha256"
"""File beside the description with its SHA-256, in the format of ``sha256sum``."""
EVERYWHERE = "**/"
"""The start of an ignored name that may occur in any folder."""
VERSION: Literal[2] = 2

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Place = Annotated[str, Field(min_length=1)]
"""A path relative to the bundle's folder, with ``/``."""


class Tolerance(Model):
    """By how much an output may differ from the trained model's."""

    atol: float
    """The absolute part, for outputs of about 1."""
    rtol: float
    """The part relative to the trained model's value."""


class Shipped(Model):
    """An artifact in a bundle, with the results of its verification in the build."""

    format: str
    """The key of the file format: ``onnx``."""
    path: Place
    """The main file, or the folder of the artifact."""
    sha256: Sha256
    """SHA-256 of a single file; for several files, of lines of their SHA-256, two spaces, path."""
    bytes: int
    """The size of all its files."""
    files: Mapping[Place, Sha256]
    """The SHA-256 of each file by its path relative to the folder that ``path`` is in."""
    options: Mapping[str, JsonValue]
    """The format's options with which it was written, defaults included."""
    runtime: str
    """The engine that ran it at the build, with its version."""
    rows: int
    """Number of rows on which it was compared."""
    worst_error: float
    """The largest error against the trained model on these rows."""
    flips: int
    """Rows whose decision differed from the trained model's."""
    tolerances: Mapping[str, Tolerance]
    """The tolerance of a self-test for each output, by its name."""
    metrics: Mapping[str, float]
    """Metrics of the artifact itself on these rows."""

    @property
    def places(self) -> tuple[str, ...]:
        """The paths of all its files in the bundle: ``path`` first if it is a file, then the others
        in order."""
        folder = PurePosixPath(self.path).parent
        found = sorted(str(folder / name) for name in self.files)
        return tuple(sorted(found, key=lambda place: place != self.path))


class Golden(Model):
    """The rows with which a bundle proves itself."""

    file: Place
    """A safetensors file with raw inputs and the trained model's answers."""
    sha256: Sha256
    """SHA-256 of the file."""
    pictures: Mapping[str, Place]
    """The picture file of each input that takes pictures, by the input's name."""
    rows: int
    """Number of golden rows."""
    split: Annotated[str, Field(alias="from")]
    """Origin of the rows: ``test``, ``validation``, ``train`` or ``drawn``."""


class Description(Model):
    """The description of a bundle."""

    kspec_bundle: Literal[2]
    """The version of this format."""
    name: str
    """Name of the model."""
    version: str
    """Version of the model."""
    description: str = ""
    """Purpose of the model."""
    target: str
    """The platform, or the format if the bundle contains an artifact alone."""
    options: Mapping[str, JsonValue]
    """The platform's options with their defaults."""
    signature: Signature
    """Inputs and outputs of the artifacts."""
    artifacts: Annotated[tuple[Shipped, ...], Field(min_length=1)]
    """The artifacts; the first one is the one to use."""
    golden: Golden
    """The rows with which the bundle proves itself."""
    trained: Mapping[str, float]
    """Metrics of the trained model."""
    files: Mapping[Place, Sha256]
    """The SHA-256 of every file in the bundle by its path, except this description, whose SHA-256
    is in the file beside it."""
    ignored: tuple[str, ...] = ()
    """Files and folders that the platform's tools create in the bundle; self-tests and ``kspec
    verify`` ignore them. A path relative to the bundle, or ``**/`` and a name that may occur in any
    folder."""
    versions: Mapping[str, str]
    """The versions of kspec and of the packages that wrote and ran the artifacts."""

    def ignores(self, path: str) -> bool:
        """Whether the platform's tools create this file or folder."""
        return path in self.ignored or EVERYWHERE + PurePosixPath(path).name in self.ignored

    @model_validator(mode="after")
    def consistent(self) -> Description:
        """Check that every artifact has a tolerance for each output."""
        outputs = {each.name for each in self.signature.outputs}
        for place, each in enumerate(self.artifacts):
            if odd := outputs ^ each.tolerances.keys():
                where = ("artifacts", place, "tolerances")
                raise located(where, f"tolerances and outputs differ: {', '.join(sorted(odd))}")
        return self

    def inside_client(self) -> Description:
        """Return the description for a copy inside the client's files. It has only the hashes of
        artifacts and golden rows, since it cannot contain its own hash."""
        own = {self.golden.file, *self.golden.pictures.values()}
        own |= {place for each in self.artifacts for place in each.places}
        kept = {path: digest for path, digest in self.files.items() if path in own}
        return self.model_copy(update={"files": kept})

    @classmethod
    def read(cls, text: str | bytes) -> Description:
        """Return the description in the text of a file. Raises Pydantic's ValidationError with
        every problem."""
        return cls.model_validate_json(text)

    def write(self) -> str:
        """Return the text of the file, in the order of the fields; it is deterministic."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def schema() -> str:
    """Return the JSON Schema of the file, as published."""
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kspec-bundle",
        **{k: v for k, v in Description.model_json_schema().items() if k != "title"},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
