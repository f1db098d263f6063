"""NPZ archives, read without pickle; headers are checked before memory is allocated."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib import format as npy

from kspec.data.arrays import all_unread, empty, is_numeric
from kspec.data.faults import ROUTE
from kspec.data.table import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    TABULAR,
    Array,
    Request,
    Table,
    Text,
    check_bytes,
    check_rows,
    refuse,
)
from kspec.features.kinds import Sort
from kspec.spec.diagnostics import Diagnostic
from kspec.spec.untrusted import File

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_SUFFIX = ".npy"
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, TypeError, LookupError, SyntaxError,
    OSError, EOFError, RuntimeError, OverflowError, tokenize.TokenError,
)  # fmt: skip
"""Exceptions of a damaged archive; RuntimeError means encryption. MemoryError is not among them:
sizes are compared with the file before anything is allocated."""
RATIO = 1100
"""Maximum ratio of uncompressed to compressed bytes: deflate reaches 1032."""


@dataclass(frozen=True, slots=True)
class NpzFile:
    """A NumPy archive whose arrays have the same first axis, the rows."""

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
        except DAMAGED as error:
            raise refuse("KS503", f"{path.name} is not a NumPy archive: {error}") from None
        shapes = {name: shape for name, (shape, _) in headers.items() if shape}
        if not shapes:
            raise refuse("KS505", f"{path.name} has no array with rows")
        rows = next(iter(shapes.values()))[0]
        for name, shape in shapes.items():
            if shape[0] != rows:
                raise refuse(
                    "KS506",
                    f"{path.name}: {name!r} has {shape[0]} rows, {next(iter(shapes))!r} {rows}",
                    help="keep other arrays in a file of their own",
                )
        check_rows(rows, path.name)
        return cls(path, rows, shapes, {name: headers[name][1] for name in shapes})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays, in the order of the archive."""
        return tuple(self.shapes)

    def sorts(self, column: str) -> frozenset[Sort]:  # noqa: ARG002
        """Return number and text: arrays contain either, and numbers can be labels."""
        return TABULAR

    def read(self, request: Request) -> Table:
        """Read these arrays; raises KspecError KS503."""
        return self._table(request, lambda archive, name: archive[name], self.rows)

    def sample(self, request: Request) -> Table:
        """Read the first rows of these arrays, up to SAMPLE_BYTES; raises KspecError KS503."""
        wanted = request.columns
        row = max(
            (math.prod(self.shapes[n][1:]) * self.dtypes[n].itemsize for n in wanted), default=0
        )
        count = min(self.rows, SAMPLE_ROWS, SAMPLE_BYTES // max(row, 1))
        return self._table(request, lambda archive, name: self._first(archive, name, count), count)

    def _first(self, archive: Any, name: str, count: int) -> Array:
        """Return the first rows of an array; zeros for Fortran order, where rows are scattered."""
        shape, dtype = (count, *self.shapes[name][1:]), self.dtypes[name]
        with archive.zip.open(name + _SUFFIX) as stream:
            version = npy.read_magic(stream)
            _, is_fortran, _ = _HEADERS[version](stream)
            if is_fortran:
                return np.zeros(shape, dtype)
            size = math.prod(shape) * dtype.itemsize
            return np.frombuffer(stream.read(size), dtype).reshape(shape)

    def _table(self, request: Request, read: Callable[[Any, str], Array], rows: int) -> Table:
        try:
            with self.path.open() as stream, np.load(stream, allow_pickle=False) as archive:
                arrays: dict[str, Array] = {
                    name: read(archive, name) for name in sorted(request.columns)
                }
        except DAMAGED as error:
            raise refuse("KS503", f"{self.path.name} cannot be read: {error}") from None
        numbers = {name: arrays[name] for name in request.numbers}
        problems = [
            Diagnostic("KS511", f"the array {n!r} of labels has the shape {self.shapes[n]}", ROUTE)
            for n in sorted(request.texts)
            if math.prod(self.shapes[n]) != self.rows
        ]
        return Table(
            rows=rows,
            numbers={k: v if is_numeric(v) else empty(v) for k, v in numbers.items()},
            texts={n: Text.of(arrays[n].reshape(-1)[:rows]) for n in sorted(request.texts)},
            where=lambda row: f"{self.path.name}, row {row + 1}",
            is_whole=rows == self.rows,
            unread={k: all_unread(v) for k, v in numbers.items() if rows and not is_numeric(v)},
            problems=tuple(problems),
        )


def _header(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and dtype, compared with the member's size, since NumPy trusts the header."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")
    if member.file_size > RATIO * max(member.compress_size, 1):
        raise ValueError(f"{member.filename} claims more bytes than it can hold")
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
