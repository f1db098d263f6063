"""A few rows that stand for all: what every artifact is first run on, and ships with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.data.dataset import Split
from kspec.data.table import Array


def golden_rows(split: Split, count: int = 32) -> Split:
    """At most `count` rows, always the same of the same split.

    First of every output the first row of each class, or the least and the greatest number; then
    rows at even distances. In the order of the split.
    """
    covering = list(dict.fromkeys(_covering(split)))[:count]
    others = np.setdiff1d(np.arange(len(split)), covering)
    left = min(count - len(covering), len(others))
    even = others[np.linspace(0, len(others) - 1, left).round().astype(np.int64)]
    return split.take(np.sort(np.concatenate([np.array(covering, np.int64), even])))


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
