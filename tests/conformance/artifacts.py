"""A graph as an artifact of each format, opened and run in this process."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest import mock

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.targets.formats.format import Format
from kspec.targets.registry import formats

Rows = Mapping[str, Array]
FORMATS = tuple(formats())
TOLERANCE = 1e-5
"""Of each element, relative to max(1, |reference|)."""


class RefusedError(Exception):
    """A format says beforehand that it cannot express the graph, and why."""


def run(name: str, folded: Graph, batches: Sequence[Rows]) -> list[dict[str, Array]]:
    """The outputs of each batch from an artifact that was written for it, or for all of them.

    ``folded`` has been through the common passes. Raises RefusedError with all reasons.
    """
    apart = formats()[name].fixed_shapes
    with tempfile.TemporaryDirectory(prefix="artifact-") as folder:
        if apart:
            return [
                _run(name, folded, Path(folder, str(place)), [rows], _sizes(folded, rows))[0]
                for place, rows in enumerate(batches)
            ]
        return _run(name, folded, Path(folder, "model"), batches, {})


def lower(name: str, folded: Graph, sizes: Mapping[str, int] = MappingProxyType({})) -> Graph:
    """What the format writes for dimensions of these sizes. Raises RefusedError."""
    format_, options = formats()[name], _options(name, sizes)
    lowered = format_.lower(folded, options)
    if refusals := format_.refusals(lowered, options):
        raise RefusedError("; ".join(sorted({each.reason for each in refusals})))
    return lowered


def worst_error(found: Array, expected: Array) -> float:
    """The greatest |found - expected| / max(1, |expected|). Equal NaNs and infinities are not an
    error; another shape or kind of element is an infinite one."""
    if found.shape != expected.shape:
        return float("inf")
    wide, reference = found.astype(np.float64), expected.astype(np.float64)
    same = (wide == reference) | (np.isnan(wide) & np.isnan(reference))
    with np.errstate(invalid="ignore"):
        errors = np.abs(wide - reference) / np.maximum(1, np.abs(reference))
    return float(np.max(np.where(same, 0, np.nan_to_num(errors, nan=np.inf)), initial=0))


def _run(
    name: str, folded: Graph, path: Path, batches: Sequence[Rows], sizes: Mapping[str, int]
) -> list[dict[str, Array]]:
    format_ = formats()[name]
    format_.write(lower(name, folded, sizes), path, _options(name, sizes))
    runner = _open(format_, path)
    return [runner(rows) for rows in batches]


def _options(name: str, sizes: Mapping[str, int]) -> Any:
    format_ = formats()[name]
    return format_.sized(format_.options(), sizes)


def _sizes(graph: Graph, rows: Rows) -> dict[str, int]:
    """The size of every dimension that has a name."""
    return {
        dim: size
        for value in graph.inputs
        for dim, size in zip(value.shape, rows[value.name].shape, strict=True)
        if isinstance(dim, str)
    }


def _open(format_: Format[Any], path: Path) -> Any:
    with ExitStack() as stack:
        if format_.name == "tf_serving":
            import tensorflow as tf

            # TensorFlow takes its threads once, and Keras runs in this process already.
            threading = tf.config.threading
            for kind in ("inter", "intra"):
                setter = f"set_{kind}_op_parallelism_threads"
                stack.enter_context(mock.patch.object(threading, setter))
        return _runner(format_.runner)(path)


@cache
def _runner(name: str) -> Any:
    module, cls = name.split(":")
    return getattr(importlib.import_module(module), cls)
