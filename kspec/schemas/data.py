"""The source of the rows, and their split."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from kspec.schemas.base import Choice, Keyed, Model, located
from kspec.schemas.values import Evaluated, Seed, Spread, fault


def inside(path: str) -> str:
    """Return the path if it is relative and stays inside the spec's folder; raise an error
    otherwise."""
    if "\\" in path:
        raise fault("path", "a path has forward slashes on every system")
    if path.startswith(("/", "~")) or path[1:2] == ":":
        raise fault("path", "a path is relative to the spec's folder")
    if ".." in path.split("/"):
        raise fault("path", "a path stays inside the spec's folder")
    if not path.isprintable():
        raise fault("path", "a path has no control characters")
    return path


def reachable(path: str) -> str:
    """Return the path if it is relative and leads upward, if at all, at its beginning only; raise
    an error otherwise."""
    parts = path.split("/")
    upward = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    if ".." in parts[upward:]:
        raise fault("path", "a path leads upward at its beginning only: ../data/rows.csv")
    inside("/".join(parts[upward:]))
    return path


Path = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(inside)]
"""A path inside the spec's folder, with forward slashes."""
DataPath = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(reachable)]
"""A path from the spec's folder, with forward slashes. It may lead upward, into a folder that the
command line grants."""
DataPaths = Annotated[tuple[DataPath, ...], Spread(), Field(min_length=1)]
"""One path or several."""
Column = Annotated[str, Field(min_length=1, max_length=256)]
"""The name of a column, as it stands in the data."""
Columns = Annotated[tuple[Column, ...], Spread(), Field(min_length=1)]
"""A column's name, a glob (`pixel_*`), or a list of both; columns that match a glob are in natural
order."""
Share = Annotated[float, Field(ge=0, lt=1), Evaluated]
"""A share of the rows, from 0 to below 1."""


class Csv(Choice):
    """Comma-separated text in UTF-8 with a header line."""

    key: ClassVar[str] = "csv"
    shorthand: ClassVar[str | None] = "paths"

    paths: Annotated[DataPaths, Field(examples=["rows.csv"])]
    """The file, or several with the same header, read in the order written."""


class Parquet(Choice):
    """Parquet files."""

    key: ClassVar[str] = "parquet"
    shorthand: ClassVar[str | None] = "paths"

    paths: Annotated[DataPaths, Field(examples=["rows.parquet"])]
    """The file, or several with the same schema, read in the order written."""


class Npz(Choice):
    """A NumPy archive: each array is a column, and its first axis is the rows."""

    key: ClassVar[str] = "npz"
    shorthand: ClassVar[str | None] = "path"

    path: Annotated[DataPath, Field(examples=["rows.npz"])]
    """The file. Arrays of Python objects are refused."""


class ImageFolder(Choice):
    """A folder of pictures with one subfolder per label."""

    key: ClassVar[str] = "image_folder"
    shorthand: ClassVar[str | None] = "path"

    path: Annotated[DataPath, Field(examples=["images"])]
    """The folder; its columns are `image` and `label`, the name of the subfolder."""


Source = Annotated[Csv | Parquet | Npz | ImageFolder, Keyed()]


class Split(Model):
    """Which rows train, validate and test: by shares, or by a column of the data."""

    validation: Share = 0.1
    """Share of the rows for validation."""
    test: Share = 0.2
    """Share of the rows for the test."""
    seed: Seed = 0
    """Seed of the shuffle; the split depends on it and on the rows alone."""
    stratify: Column | None = None
    """Column whose values have equal shares in every split."""
    column: Column | None = None
    """Column with `train`, `validation` or `test`; replaces all other keys."""

    @model_validator(mode="after")
    def consistent(self) -> "Split":
        """Check that a column or shares are given, and that rows are left for training."""
        others = sorted(self.model_fields_set - {"column"})
        if self.column is not None and others:
            raise located((others[0],), "column already assigns every row to a split")
        if self.validation + self.test >= 1:
            raise located(("test",), "validation and test leave no row to train with")
        return self


class Data(Model):
    """The rows to learn from and to test on."""

    source: Source
    """Where the rows come from."""
    split: Split = Split()
    """Split of the rows."""
