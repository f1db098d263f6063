"""Opening of the source that a spec names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kspec.data.delimited import CsvFiles
from kspec.data.files import find_file, find_folder
from kspec.data.table import Source
from kspec.schemas.data import Csv, ImageFolder, Npz, Parquet
from kspec.schemas.data import Source as SourceSpec
from kspec.spec.roots import Roots


def _csv(roots: Roots, source: Csv) -> Source:
    return CsvFiles.open([find_file(roots, name) for name in source.paths])


def _parquet(roots: Roots, source: Parquet) -> Source:
    from kspec.data.columnar import ParquetFiles

    return ParquetFiles.open([find_file(roots, name) for name in source.paths])


def _npz(roots: Roots, source: Npz) -> Source:
    from kspec.data.archive import NpzFile

    return NpzFile.open(find_file(roots, source.path))


def _image_folder(roots: Roots, source: ImageFolder) -> Source:
    from kspec.data.pictures import PictureFolder

    return PictureFolder.open(find_folder(roots, source.path))


_OPEN: Mapping[type, Callable[..., Source]] = MappingProxyType(
    {Csv: _csv, Parquet: _parquet, Npz: _npz, ImageFolder: _image_folder}
)


def open_source(roots: Roots, source: SourceSpec) -> Source:
    """Find the files below the spec's roots and read the names of the columns.

    Raises KspecError (KS501 to KS506).
    """
    return _OPEN[type(source)](roots, source)
