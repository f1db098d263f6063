"""Compiles `.keras` files, or converts them to specs with weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kspec.features.signature import InputPort
from kspec.pipeline.direct import compile_keras
from kspec.pipeline.results import Artifact
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.targets.registry import formats as known_formats
from kspec.training.files import write_whole
from kspec.training.weights import pack

SUFFIXES = (".keras", ".h5", ".hdf5")
"""Suffixes of Keras models; the older forms are refused with help (KS730)."""


def emit_keras(
    path: Path, formats: Sequence[str], out: Path, rows: Path | None = None
) -> tuple[Artifact, ...]:
    """Compile the model of a `.keras` file to the named formats, by default to all. The reader
    accepts closed lists of classes and runs no code of the file. ``rows`` is a file of rows to
    compare on, with a column for each input. Raises KspecError KS730 to KS739 for a refused file,
    and the errors of ``read_rows`` and ``compile_keras``."""
    from kspec.models.keras_file.reader import read

    model = read(path)
    given = None if rows is None else _rows_of(model, rows)
    named = tuple(formats or known_formats())
    return compile_keras(model, named, out, name=path.stem, rows=given)


def rows_of_a_spec(rows: Path) -> Diagnostic:
    """Return the error KS725: rows were passed for a spec, which has its own data."""
    return Diagnostic(
        "KS725",
        f"`--rows {rows}` is for .keras files: a spec is judged on the data that it names",
        help="drop `--rows`, or name the file under `data`",
    )


def _rows_of(model: Any, path: Path) -> dict[str, Any]:
    """Read the rows of a file by input. Symbolic dimensions get their sizes from the file."""
    from kspec.models.answers import traced
    from kspec.pipeline.bundles.prediction import read_rows

    ports = [
        InputPort(
            name=value.name,
            kind="tensor",
            dtype=value.dtype.value,
            shape=value.shape,
            columns=(value.name,),
        )
        for value in traced(model).inputs
    ]
    return dict(read_rows(path, ports))


def import_keras(path: Path, out: Path) -> tuple[Path, Path]:
    """Write ``<name>.yaml`` and ``<name>.safetensors`` into ``out``: a spec that rebuilds the
    network of a `.keras` file with its weights, for every format that needs no sizes.
    Raises KspecError KS730 to KS738, and KS910 if one of the files exists."""
    from kspec.models.keras_file.export import spec_from_model
    from kspec.models.keras_file.reader import read

    spec, weights = out / f"{path.stem}.yaml", out / f"{path.stem}.safetensors"
    for each in (spec, weights):
        if each.exists():
            raise KspecError(
                Diagnostic("KS910", f"{each} is there already", help="choose another --out")
            )
    model = read(path)
    is_open = any(None in tensor.shape[1:] for tensor in model.inputs)
    text, arrays = spec_from_model(model, path.stem, _footer(weights.name, is_open=is_open))
    out.mkdir(parents=True, exist_ok=True)
    try:
        write_whole(weights, pack(arrays))
        write_whole(spec, text.encode())
    except BaseException:
        weights.unlink(missing_ok=True)  # it was not there before
        raise
    return spec, weights


def _footer(weights: str, *, is_open: bool) -> str:
    targets = "".join(
        f"  {name}: {{}}\n"
        for name, each in known_formats().items()
        if not (is_open and each.fixed_shapes)
    )
    return f"\nweights: {json.dumps(weights)}\n\ntargets:\n{targets}"
