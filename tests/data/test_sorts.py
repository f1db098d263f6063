"""Columns are asked for by sort, and a column of another sort is named."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from kspec.data.dataset import load_dataset
from kspec.data.sampling import check_data
from kspec.data.table import Request
from kspec.features.cells import read_cell
from kspec.schemas.features import Image
from kspec.spec.diagnostics import KspecError
from tests.data.conftest import Build

SPLIT = {"validation": 0, "test": 0.5}
LABEL = {"y": {"category": {"labels": ["0", "1"]}}}


def pngs(count: int) -> list[bytes]:
    drawn = np.random.default_rng(7)
    found = []
    for _ in range(count):
        stream = io.BytesIO()
        Pillow.fromarray(drawn.integers(0, 256, (5, 6, 3), np.uint8)).save(stream, "PNG")
        found.append(stream.getvalue())
    return found


def problems(work: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(KspecError) as caught:
        work()
    return [(each.code, each.message) for each in caught.value.diagnostics]


def both(document: Any) -> list[tuple[str, str]]:
    """What a build finds, which `check` finds too."""
    found = problems(lambda: load_dataset(document))
    assert [(each.code, each.message) for each in check_data(document)] == found
    return found


def test_a_request_joins_the_sorts_of_a_column() -> None:
    request = Request.of([("a", "number"), ("b", "bytes"), ("a", "text"), ("c", "number")])
    assert (request.numbers, request.texts, request.blobs) == (("a", "c"), ("a",), ("b",))
    assert list(request.without("a").columns) == ["b", "c"]


def test_pictures_in_a_column_of_bytes(document: Build, tmp_path: Path) -> None:
    """Each input decodes the column for itself: in grey, and in colour of another size."""
    files = pngs(6)
    table = pa.table({"photo": pa.array(files, pa.binary()), "y": [0, 1, 0, 1, 0, 1]})
    pq.write_table(table, tmp_path / "rows.parquet")
    kinds = {
        "grey": Image(height=5, width=6, channels=1),
        "small": Image(height=2, width=2, maximum=1.0, resize="bilinear"),
    }
    inputs = {name: {**kind.written(), "columns": "photo"} for name, kind in kinds.items()}
    spec = document({"parquet": "rows.parquet"}, inputs, LABEL, **SPLIT)
    assert check_data(spec) == ()
    data = load_dataset(spec)
    for split in (data.train, data.test):
        for name, kind in kinds.items():
            expected = [read_cell(files[row], kind) for row in split.rows]
            assert split.inputs[name].dtype == np.float32
            assert np.array_equal(split.inputs[name], np.float32(expected))


def test_each_bad_cell_is_named(document: Build, tmp_path: Path) -> None:
    files: list[bytes | None] = [*pngs(6)]
    files[1], files[4] = b"no picture", None
    table = pa.table({"photo": pa.array(files, pa.binary()), "y": [0, 1, 0, 1, 0, 1]})
    pq.write_table(table, tmp_path / "rows.parquet")
    inputs = {"photo": {"image": {"height": 5, "width": 6}}}
    found = both(document({"parquet": "rows.parquet"}, inputs, LABEL, **SPLIT))
    assert [code for code, _ in found] == ["KS540", "KS540"]
    assert found[0][1].startswith("rows.parquet, row 2: cannot be decoded")
    assert found[1][1] == "rows.parquet, row 5: no value"


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (
            {"x": {"number": 1, "columns": "photo"}},
            LABEL,
            ("KS511", "the column 'photo' holds files or text, the input 'x' takes numbers"),
        ),
        (
            {"x": {"number": 1, "columns": "day"}},
            LABEL,
            ("KS520", "the column 'day' holds text or times, the input 'x' takes numbers"),
        ),
        (
            {"x": {"number": 2, "columns": ["n", "day"]}},
            LABEL,
            ("KS520", "the column 'day' holds text or times, the input 'x' takes numbers"),
        ),
        (
            {"x": {"image": {"height": 1, "width": 1}, "columns": "day"}},
            LABEL,
            ("KS520", "the column 'day' holds text or times, the input 'x' takes numbers"),
        ),
        (
            {"x": {"number": 1, "columns": "n"}},
            {"z": {"number": 1, "column": "photo"}},
            ("KS511", "the column 'photo' holds files or text, the output 'z' takes numbers"),
        ),
    ],
)
def test_a_column_of_another_sort_is_named(
    document: Build,
    tmp_path: Path,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    days = [dt.date(2026, 1, 1 + row) for row in range(6)]
    columns = {"photo": pa.array(pngs(6), pa.binary()), "n": range(6), "day": days}
    pq.write_table(pa.table({**columns, "y": [0, 1, 0, 1, 0, 1]}), tmp_path / "rows.parquet")
    assert both(document({"parquet": "rows.parquet"}, inputs, outputs, **SPLIT)) == [expected]


def test_a_folder_of_images_has_no_numbers(document: Build, tmp_path: Path) -> None:
    for place, content in enumerate(pngs(4)):
        folder = tmp_path / "p" / str(place % 2)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.png").write_bytes(content)
    inputs = {"x": {"number": 1, "columns": "image"}, "l": {"number": 1, "columns": "label"}}
    outputs = {"y": {**LABEL["y"], "column": "label"}}
    found = both(document({"image_folder": "p"}, inputs, outputs, **SPLIT))
    assert ("KS511", "the column 'image' holds files, the input 'x' takes numbers") in found
    assert ("KS520", "the column 'label' holds text, the input 'l' takes numbers") in found
