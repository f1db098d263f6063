"""Operations that are recorded in the place of those that Keras would compute at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras.src.ops.numpy import Add


class Plus(Add):  # type: ignore[misc]
    """``x + y`` inside a layer, which is a tensor's own and not ``keras.ops.add``: that one takes
    some tensors for a bias."""


class Fill(keras.Operation):  # type: ignore[misc]
    """A tensor broadcast to a shape, with None for sizes that the symbols around it have."""

    def __init__(self, shape: Sequence[int | None]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def call(self, around: Any, x: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, around: Any, x: Any) -> Any:  # noqa: ARG002
        return keras.KerasTensor(self.shape, keras.backend.standardize_dtype(x.dtype))


class Positions(keras.Operation):  # type: ignore[misc]
    """0, 1, 2, … for as long as an axis of the symbols around it is."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.dtype = dtype

    def call(self, around: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, around: Any) -> Any:  # noqa: ARG002
        return keras.KerasTensor((None,), self.dtype)


class Band(keras.Operation):  # type: ignore[misc]
    """Whether a column lies at most so many places before or after a row, or anywhere before it;
    rows and columns are axes of symbols, counted from 1 on. Of shape (1, rows, columns)."""

    def __init__(self, row_axis: int, column_axis: int, before: int | None, after: int) -> None:
        super().__init__()
        self.row_axis, self.column_axis = row_axis, column_axis
        self.before, self.after = before, after

    def call(self, rows: Any, columns: Any) -> Any:
        raise NotImplementedError("it is recorded only")

    def compute_output_spec(self, rows: Any, columns: Any) -> Any:
        shape = (1, rows.shape[self.row_axis], columns.shape[self.column_axis])
        return keras.KerasTensor(shape, "bool")
