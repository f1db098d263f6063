"""A part of the matrix: files are what tests run side by side by."""

import pytest

from tests.conformance.cells import check, matrix

pytest.importorskip("keras")


@pytest.mark.filterwarnings("ignore")
@matrix("Convolution", "Pooling")
def test_cell(id_: str, format_: str) -> None:
    check(id_, format_)
