"""Operations recorded in place of functions that Keras would evaluate eagerly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras.src.ops.numpy import Add


class Plus(Add):  # type: ignore[misc]
    """``x + y`` of a tensor's operator inside a layer. ``keras.ops.add`` would treat some operands
    as a bias."""


class Fill(keras.Operation):  # type: ignore[misc]
    """A tensor broadcast to a shape; None marks a size that other symbols determine."""

    def __init__(self, shape: Sequence[int | None]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def call(self, around: Any, x: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, around: Any, x: Any) -> Any:  # noqa: ARG002
        return keras.KerasTensor(self.shape, keras.backend.standardize_dtype(x.dtype))


class Positions(keras.Operation):  # type: ignore[misc]
    """The indices 0, 1, 2, … along an axis of other symbols."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.dtype = dtype

    def call(self, around: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, around: Any) -> Any:  # noqa: ARG002
        return keras.KerasTensor((None,), self.dtype)


class Band(keras.Operation):  # type: ignore[misc]
    """A band mask of shape (1, rows, columns): whether a column lies within a distance before or
    after its row, or anywhere before it. Rows and columns are symbolic axes, counted from 1."""

    def __init__(self, row_axis: int, column_axis: int, before: int | None, after: int) -> None:
        super().__init__()
        self.row_axis, self.column_axis = row_axis, column_axis
        self.before, self.after = before, after

    def call(self, rows: Any, columns: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, rows: Any, columns: Any) -> Any:
        shape = (1, rows.shape[self.row_axis], columns.shape[self.column_axis])
        return keras.KerasTensor(shape, "bool")
