"""Runs an artifact on the rows of a file and returns values and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler.ir import Array
from kspec.data.archive import NpzFile
from kspec.data.columnar import ParquetFiles
from kspec.data.columns import bind_columns
from kspec.data.delimited import CsvFiles
from kspec.data.features import tensor_array
from kspec.data.table import MAX_BYTES, Request, Source
from kspec.features.decision import Decision, Decisions
from kspec.features.signature import InputPort
from kspec.pipeline.bundles.rows import JsonRows, TensorRows, unreadable
from kspec.pipeline.results import Artifact
from kspec.schemas import Spec
from kspec.schemas.features import Input
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File, PlaceError, located
from kspec.targets.emission import ArtifactError, HowToRun, run_artifact
from kspec.targets.registry import formats

Prediction = dict[str, dict[str, Any]]
"""The predictions by output: `values`, and the `label` if the output decides between labels."""


def _file(path: Path) -> File:
    file = located(path, limit=MAX_BYTES)
    try:
        file.open().close()
    except PlaceError as error:
        raise unreadable(error.message) from None
    return file


def _delimited(file: File) -> Source:
    return CsvFiles.open([file])


_SOURCES: Mapping[str, Callable[[File], Source]] = {
    ".json": JsonRows.open,
    ".npz": NpzFile.open,
    ".safetensors": TensorRows.open,
    ".parquet": lambda file: ParquetFiles.open([file]),
}


def read_rows(path: Path, inputs: Sequence[InputPort]) -> dict[str, Array]:
    """Read the raw values (rows, …) of each input from a `.csv`, `.json`, `.npz`, `.parquet`
    or `.safetensors` file. Its columns are the inputs' names, or the columns of the training data.

    Raises KspecError KS913, or KS503 to KS521 for unsuitable columns and values.
    """
    file = _file(path)
    source = _SOURCES.get(path.suffix, _delimited)(file)
    named = {
        each.name: Input.model_construct(
            columns=(each.name,) if each.name in source.names else each.columns
        )
        for each in inputs
    }
    # The truth is not asked for, nor a split: a spec of inputs alone.
    spec = Spec.model_construct(inputs=named, outputs={}, data=None)
    columns = bind_columns(spec, source.names).inputs
    wanted = (column for each in columns.values() for column in each)
    table = source.read(Request.of((column, "number") for column in wanted))
    if table.problems:
        raise KspecError(*table.problems)
    return {
        each.name: tensor_array(each.name, each.row, each.dtype, columns[each.name], table)
        for each in inputs
    }


def predict(
    artifact: Artifact, rows: Mapping[str, Array], outputs: Decisions
) -> tuple[Prediction, ...]:
    """Return one prediction per row by the artifact in its own runtime. Raises KspecError KS721 if
    it does not run."""
    try:
        found = run_artifact(
            formats()[artifact.format], artifact.path, rows, HowToRun(latency=False)
        ).outputs
    except ArtifactError as error:
        message = f"{artifact.path.name} does not run: {error}"
        raise KspecError(Diagnostic("KS721", message)) from None
    count = len(next(iter(found.values())))
    return tuple(
        {name: _read(found[name][row], outputs[name]) for name in outputs} for row in range(count)
    )


def _read(values: Array, decision: Decision | None) -> dict[str, Any]:
    """Return one row as plain data, labels first: `label` for one label, `labels` for several."""
    numbers = {"values": np.atleast_1d(values).tolist()}
    if decision is None:
        return numbers
    labels = decision.decide(values)
    return {"label": labels[0] if len(labels) == 1 else labels, **numbers}
