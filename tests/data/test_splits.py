from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kspec.data.dataset import Split as Rows
from kspec.data.golden import covering_rows
from kspec.data.moments import moments
from kspec.data.splits import shuffled, split_rows
from kspec.data.table import Table, Text
from kspec.schemas.data import Split
from kspec.spec.diagnostics import KspecError


def table(rows: int, **texts: list[str]) -> Table:
    return Table(rows, {}, {k: Text.of(np.array(v)) for k, v in texts.items()}, "row {}".format)


def test_the_order_of_rows_never_changes():
    # Written down once: a later version that splits otherwise would mix test into training rows.
    assert shuffled(10, "split", 7).tolist() == [3, 8, 6, 2, 5, 4, 7, 1, 0, 9]
    assert sorted(shuffled(1000, 1).tolist()) == list(range(1000))


@given(
    rows=st.integers(4, 300),
    test=st.floats(0, 0.6),
    validation=st.floats(0, 0.39),
    seed=st.integers(0, 99),
)
def test_shares_are_exact_and_no_row_is_in_two_splits(rows, test, validation, seed):
    split = Split(test=test, validation=validation, seed=seed)
    counts = [rows, int(rows * test + 0.5), int(rows * validation + 0.5)]
    empty = [
        share > 0 and not count for share, count in zip((test, validation), counts[1:], strict=True)
    ]
    if any(empty) or sum(counts[1:]) >= rows:
        with pytest.raises(KspecError, match="KS530"):
            split_rows(split, table(rows))
        return
    found = split_rows(split, table(rows))
    assert [len(found.test), len(found.validation)] == counts[1:]
    assert sorted(np.concatenate([found.train, found.validation, found.test])) == list(range(rows))


@given(sizes=st.lists(st.integers(10, 60), min_size=2, max_size=6), seed=st.integers(0, 9))
def test_strata_keep_their_shares(sizes, seed):
    values = np.repeat([f"v{i}" for i in range(len(sizes))], sizes)
    values = values[np.random.default_rng(seed).permutation(len(values))]
    split = Split(test=0.2, validation=0.1, seed=seed, stratify="s")
    found = split_rows(split, table(len(values), s=values.tolist()))
    assert len(found.test) == int(len(values) * 0.2 + 0.5)
    for rows, share in ((found.test, 0.2), (found.validation, 0.1)):
        for index, size in enumerate(sizes):
            assert abs((values[rows] == f"v{index}").sum() - size * share) < 1
    together = np.concatenate([found.train, found.validation, found.test])
    assert sorted(together) == list(range(len(values)))


def test_a_stratum_that_cannot_be_split_is_named():
    values = ["a"] * 30 + ["b"] * 2
    with pytest.raises(KspecError, match=r"KS531.*'b' \(2\)$"):
        split_rows(Split(stratify="s"), table(32, s=values))


def test_a_column_can_say_the_split():
    values = ["train", "test", "train", "validation"]
    found = split_rows(Split(column="s"), table(4, s=values))
    assert (found.train.tolist(), found.validation.tolist(), found.test.tolist()) == (
        [0, 2],
        [3],
        [1],
    )
    with pytest.raises(KspecError, match="KS532 row 1: 'Test'"):
        split_rows(Split(column="s"), table(2, s=["train", "Test"]))


def test_rows_that_cover_every_class_and_the_range():
    rng = np.random.default_rng(0)
    digit = np.sort(rng.integers(0, 9, 100)).astype(np.int32)
    digit[57] = 9
    number = rng.normal(size=(100, 1)).astype(np.float32)
    split = Rows({"x": number * 2}, {"digit": digit, "number": number}, np.arange(100) * 2)
    found = covering_rows(split)
    assert found == sorted(set(found))
    assert len(found) <= 12
    assert set(digit[found].tolist()) == set(range(10))
    assert {number.max(), number.min()} <= set(number[found].ravel().tolist())


def test_moments_are_those_of_the_population_and_do_not_cancel():
    values = np.random.default_rng(0).normal(1e4, 0.01, (5000, 3)).astype(np.float32)
    found = moments(values)
    np.testing.assert_allclose(found.mean, values.astype(np.float64).mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, values.astype(np.float64).var(0), rtol=1e-9)
    assert moments(values.reshape(50, 10, 10, 3)).mean.shape == (3,)
