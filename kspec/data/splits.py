"""The split of rows for training, validation and test, equal on all machines and versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kspec.data.faults import SPLITS, unknown_split
from kspec.data.table import Array, Table, Text
from kspec.schemas.data import Split
from kspec.spec.diagnostics import Diagnostic, KspecError

_ROUTE = ("data", "split")
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Row numbers of each split, int64, ascending; the splits are disjoint."""

    train: Array
    validation: Array
    test: Array


def shuffled(count: int, *seed: int | str) -> Array:
    """Return a permutation of `range(count)`, int64, that depends on the seed alone.

    Each row's key is 64 bits of SHAKE-256 over the seed, and the rows are sorted by key. NumPy
    does not promise equal random numbers across versions.
    """
    stream = hashlib.shake_256(repr(seed).encode()).digest(8 * count)
    return np.argsort(np.frombuffer(stream, "<u8"), kind="stable").astype(np.int64)


def split_rows(split: Split, table: Table) -> Rows:
    """Split the rows of a table that holds the texts of `split.column` and `split.stratify`.

    By shares, the counts are exact: n × share of n rows, rounded half up; strata share it by
    largest remainder. Raises KspecError KS530 if a split has no row, KS531 if a stratum has no
    row in a split, KS532 if a row does not name a split.
    """
    if split.column is not None:
        rows = _by_column(table.texts[split.column], split.column, table)
    else:
        rows = _by_shares(split, table)
    wanted = (True, split.validation > 0, split.test > 0)
    if split.column is not None:
        wanted = (True, False, True)
    empty = [
        name
        for name, needed in zip(SPLITS, wanted, strict=True)
        if needed and not len(getattr(rows, name))
    ]
    if empty:
        raise KspecError(
            Diagnostic("KS530", f"{table.rows} rows leave no row for {' and '.join(empty)}", _ROUTE)
        )
    return rows


def _by_column(text: Text, column: str, table: Table) -> Rows:
    problems = [
        unknown_split(value, column, table.where(int((text.codes == index).argmax())))
        for index, value in enumerate(text.values)
        if value not in SPLITS
    ]
    if problems:
        raise KspecError(*problems[:_SHOWN])
    spelled = np.array([SPLITS.index(value) for value in text.values])[text.codes]
    return Rows(*(np.flatnonzero(spelled == index) for index in range(3)))


def _by_shares(split: Split, table: Table) -> Rows:
    order = shuffled(table.rows, "split", split.seed)
    text = table.texts[split.stratify] if split.stratify is not None else None
    strata = [order] if text is None else list(_strata(order, text))
    sizes = np.array([len(stratum) for stratum in strata])
    tests = apportion(sizes, split.test)
    validations = apportion(sizes, split.validation)
    if text is not None:
        _check_strata(split, sorted(text.values), sizes, tests, validations)
    parts: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
    for stratum, test, validation in zip(strata, tests, validations, strict=True):
        parts[2].append(stratum[:test])
        parts[1].append(stratum[test : test + validation])
        parts[0].append(stratum[test + validation :])
    return Rows(*(np.sort(np.concatenate(part)) for part in parts))


def _strata(order: Array, text: Text) -> Iterator[Array]:
    codes = text.codes[order]
    for value in sorted(text.values):
        yield order[codes == text.values.index(value)]


def apportion(sizes: Array, share: float) -> Array:
    """Return the number of rows of each stratum for `share` of all rows, int64[strata].

    The sum is the whole number nearest to sizes.sum() × share; rows left after rounding down go to
    the largest remainders, the first strata among equals.
    """
    quotas = sizes * share
    counts = np.floor(quotas).astype(np.int64)
    left = int(np.floor(sizes.sum() * share + 0.5)) - int(counts.sum())
    largest = np.argsort(-(quotas - counts), kind="stable")[: max(left, 0)]
    counts[largest] += 1
    return counts


def _check_strata(
    split: Split, values: list[str], sizes: Array, tests: Array, validations: Array
) -> None:
    short = sizes - tests - validations < 1
    for counts, share in ((tests, split.test), (validations, split.validation)):
        short |= (counts < 1) & (share > 0)
    if short.any():
        named = [f"{values[i]!r} ({sizes[i]})" for i in np.flatnonzero(short)[:_SHOWN]]
        smallest = min(s for s in (split.test, split.validation) if s > 0)
        raise KspecError(
            Diagnostic(
                "KS531",
                f"too few rows to be in every split: {', '.join(named)}",
                (*_ROUTE, "stratify"),
                help=f"{int(np.ceil(1 / smallest))} rows of each value are enough; add rows, or"
                " leave out stratify",
            )
        )
