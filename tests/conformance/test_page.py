"""The tables of the matrix: each row means something, and the page says what they say."""

import pytest

from tests.conformance.artifacts import FORMATS
from tests.conformance.cells import BY_ID
from tests.conformance.expected import IN_FLOAT64, REFUSED, WRONG, Cells, refusal
from tests.conformance.page import PATH, render


def test_the_page_is_fresh() -> None:
    fresh = PATH.read_text(encoding="utf-8") == render()
    assert fresh, "python -m tests.conformance.page"


@pytest.mark.parametrize("cells", [*REFUSED, *WRONG], ids=lambda cells: cells.cases)
def test_every_row_covers_a_case(cells: Cells) -> None:
    assert any(cells.covers(id_, name) for id_ in BY_ID for name in cells.formats)


def test_no_cell_is_decided_twice() -> None:
    for id_ in BY_ID:
        for name in FORMATS:
            refusal(id_, name)
    assert set(IN_FLOAT64) <= set(BY_ID)
