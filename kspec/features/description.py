"""``kspec-bundle.json``: what a bundle is, written and read by one class."""

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
"""Beside the description, which cannot hold it: its SHA-256, as ``sha256sum`` writes it."""
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
    """An artifact in a bundle, and what the build found when it ran it."""

    format: str
    """The key of the file format: ``onnx``."""
    path: Place
    """The main file, or the folder of the artifact."""
    sha256: Sha256
    """Of a single file; of several over a line for each: SHA-256, two spaces, path."""
    bytes: int
    """The size of all its files."""
    files: Mapping[Place, Sha256]
    """The SHA-256 of each file by its path relative to the folder that ``path`` is in."""
    options: Mapping[str, JsonValue]
    """How it was written: the format's options with their defaults."""
    runtime: str
    """The engine that ran it at the build, with its version."""
    rows: int
    """How many rows it was compared on."""
    worst_error: float
    """The largest error against the trained model on them."""
    flips: int
    """Rows whose decision differed from the trained model's."""
    tolerances: Mapping[str, Tolerance]
    """The tolerance of a self-test for each output, by its name."""
    metrics: Mapping[str, float]
    """What the artifact itself reached on these rows."""

    @property
    def places(self) -> tuple[str, ...]:
        """The paths of all files in the bundle: ``path`` first if it is a file, the others in
        order."""
        folder = PurePosixPath(self.path).parent
        found = sorted(str(folder / name) for name in self.files)
        return tuple(sorted(found, key=lambda place: place != self.path))


class Golden(Model):
    """The rows with which a bundle proves itself."""

    file: Place
    """A safetensors file with raw inputs and the trained model's answers."""
    sha256: Sha256
    """Of the file."""
    pictures: Mapping[str, Place]
    """The picture file of each input that takes pictures, by the input's name."""
    rows: int
    """How many there are."""
    split: Annotated[str, Field(alias="from")]
    """Where they are from: ``test``, ``validation``, ``train`` or ``drawn``."""


class Description(Model):
    """All that a bundle says about itself."""

    kspec_bundle: Literal[2]
    """The version of this format."""
    name: str
    """Name of the model."""
    version: str
    """Version of the model."""
    description: str = ""
    """What the model is for."""
    target: str
    """The platform, or the format of a bundle with an artifact alone."""
    options: Mapping[str, JsonValue]
    """The platform's options with their defaults."""
    signature: Signature
    """What the artifacts take and give."""
    artifacts: Annotated[tuple[Shipped, ...], Field(min_length=1)]
    """The artifacts, the first as the one to use."""
    golden: Golden
    """The rows with which the bundle proves itself."""
    trained: Mapping[str, float]
    """What the trained model reached, by metric."""
    files: Mapping[Place, Sha256]
    """The SHA-256 of every file in the bundle by its path, but for this description, whose own
    SHA-256 is in the file beside it."""
    ignored: tuple[str, ...] = ()
    """Files and folders that the platform's own tools create in the bundle; self-tests and
    ``kspec verify`` do not compare them. A path from the top of the bundle, or ``**/`` and a name
    that may occur in any folder."""
    versions: Mapping[str, str]
    """The versions of kspec and of the packages that wrote and ran the artifacts."""

    def ignores(self, path: str) -> bool:
        """Whether a file or folder is one that the platform's own tools create."""
        return path in self.ignored or EVERYWHERE + PurePosixPath(path).name in self.ignored

    @model_validator(mode="after")
    def consistent(self) -> Description:
        """Every artifact has a tolerance for each output."""
        outputs = {each.name for each in self.signature.outputs}
        for place, each in enumerate(self.artifacts):
            if odd := outputs ^ each.tolerances.keys():
                where = ("artifacts", place, "tolerances")
                raise located(where, f"tolerances and outputs differ: {', '.join(sorted(odd))}")
        return self

    def inside_client(self) -> Description:
        """The description for a copy inside of the client's own files: of all hashes it has those
        of the artifacts and the golden rows, since it cannot hold its own."""
        own = {self.golden.file, *self.golden.pictures.values()}
        own |= {place for each in self.artifacts for place in each.places}
        kept = {path: digest for path, digest in self.files.items() if path in own}
        return self.model_copy(update={"files": kept})

    @classmethod
    def read(cls, text: str | bytes) -> Description:
        """From the text of the file. Raises ValueError (of Pydantic) with every problem."""
        return cls.model_validate_json(text)

    def write(self) -> str:
        """The text of the file, in the order of the fields; equal descriptions give equal text."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"


def schema() -> str:
    """The JSON Schema of the file, as it is published."""
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kspec-bundle",
        **{k: v for k, v in Description.model_json_schema().items() if k != "title"},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
