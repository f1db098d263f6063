"""NPZ: arrays by name, without pickle, their headers checked before memory is given out."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib import format as npy

from kspec.data.table import Array, Request, Table, Text, check_bytes, check_rows, refuse
from kspec.spec.untrusted import File

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_SUFFIX = ".npy"


@dataclass(frozen=True, slots=True)
class NpzFile:
    """A NumPy archive whose arrays all have one element a row."""

    path: File
    rows: int
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, np.dtype[Any]]

    @classmethod
    def open(cls, path: File) -> NpzFile:
        """Read the headers; raises KspecError KS503, KS504, KS505 or KS506."""
        try:
            with path.open() as stream, zipfile.ZipFile(stream) as archive:
                members = [m for m in archive.infolist() if m.filename.endswith(_SUFFIX)]
                check_bytes(sum(member.file_size for member in members), path.name)
                headers = {
                    member.filename.removesuffix(_SUFFIX): _header(archive, member)
                    for member in members
                }
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise refuse("KS503", f"{path.name} is no NumPy archive: {error}") from None
        shapes = {name: shape for name, (shape, _) in headers.items() if shape}
        if not shapes:
            raise refuse("KS505", f"{path.name} has no array with rows")
        rows = next(iter(shapes.values()))[0]
        for name, shape in shapes.items():
            if shape[0] != rows:
                raise refuse(
                    "KS506",
                    f"{path.name}: {name!r} has {shape[0]} rows, {next(iter(shapes))!r} {rows}",
                    help="keep what is no column in a file of its own",
                )
        check_rows(rows, path.name)
        return cls(path, rows, shapes, {name: headers[name][1] for name in shapes})

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays, in the order of the archive."""
        return tuple(self.shapes)

    def read(self, request: Request) -> Table:
        """Read these arrays; raises KspecError KS503, KS511 or KS520."""
        for name in request.numbers:
            if self.dtypes[name].kind not in "biuf":
                raise refuse("KS520", f"the array {name!r} holds {self.dtypes[name]}, no numbers")
        for name in sorted(request.texts):
            if math.prod(self.shapes[name]) != self.rows:
                raise refuse(
                    "KS511", f"the array {name!r} of labels has the shape {self.shapes[name]}"
                )
        try:
            with self.path.open() as stream, np.load(stream, allow_pickle=False) as archive:
                arrays: dict[str, Array] = {
                    name: archive[name] for name in sorted(request.numbers.keys() | request.texts)
                }
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise refuse("KS503", f"{self.path.name} cannot be read: {error}") from None
        return Table(
            rows=self.rows,
            numbers={name: arrays[name] for name in request.numbers},
            texts={name: Text.of(arrays[name].reshape(-1)) for name in sorted(request.texts)},
            where=lambda row: f"{self.path.name}, row {row + 1}",
        )


def _header(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype. NumPy allocates what the header asks for, so it is held to the size."""
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} is of the unknown version {version}")
        shape, _, dtype = _HEADERS[version](stream)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which can run code")
        if math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
            raise ValueError(f"{member.filename} does not have the size that it announces")
    return shape, dtype
