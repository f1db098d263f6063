"""What a spec asks of its data: the columns of its inputs, outputs and split."""

from __future__ import annotations

from collections.abc import Mapping

from kspec.data.columns import Columns
from kspec.data.table import Request
from kspec.schemas import Spec
from kspec.schemas.features import Image, Input, Numbers


def request_of(spec: Spec, columns: Columns) -> Request:
    """The columns to read, as far as the data has them."""
    numbers = requested(spec.inputs, columns.inputs)
    texts = set(columns.split)
    for name, output in spec.outputs.items():
        if isinstance(output.kind, Numbers):
            numbers |= {column: numbers.get(column) for column in columns.outputs[name]}
        else:
            texts.update(columns.outputs[name])
    return Request(numbers, frozenset(texts))


def requested(
    inputs: Mapping[str, Input], columns: Mapping[str, tuple[str, ...]]
) -> dict[str, Image | None]:
    """The columns of numbers that inputs ask for, as a Request has them."""
    found: dict[str, Image | None] = {}
    for name, item in inputs.items():
        # Only a picture that stands in a single column has to be decoded.
        alone = len(columns[name]) == 1
        picture = item.kind if alone and isinstance(item.kind, Image) else None
        found |= dict.fromkeys(columns[name], picture)
    return found
