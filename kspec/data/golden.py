"""Rows of a split that represent its classes and its range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.data.dataset import Split
from kspec.data.table import Array


def covering_rows(split: Split) -> list[int]:
    """Return the first golden rows: for every output the first row of each class, or the rows with
    the least and the greatest number. In the order of the split, each once."""
    return sorted(set(_covering(split)))


def _covering(split: Split) -> Iterator[int]:
    for target in split.targets.values():
        if len(split) == 0:
            continue
        values = target.reshape(len(split), -1)[:, 0]
        if _discrete(values):
            yield from np.unique(values, return_index=True)[1].tolist()
        else:
            yield from (int(values.argmin()), int(values.argmax()))


def _discrete(values: Array) -> bool:
    return values.dtype.kind in "iu" or set(np.unique(values).tolist()) <= {0.0, 1.0}
