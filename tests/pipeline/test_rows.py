"""Files of raw rows that a prediction or a comparison reads."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from kspec.compiler.failures import cleaned
from kspec.features.signature import InputPort
from kspec.pipeline.bundles.prediction import read_rows
from kspec.spec import KspecError

PORTS = (
    InputPort(name="x", kind="tensor", dtype="float32", shape=("batch", 2, 2), columns=("x",)),
    InputPort(name="ids", kind="tensor", dtype="int32", shape=("batch", 3), columns=("ids",)),
)
ROWS = {
    "x": np.arange(8, dtype=np.float32).reshape(2, 2, 2),
    "ids": np.arange(6, dtype=np.int64).reshape(2, 3),
}


def test_every_kind_of_file_has_the_same_rows(tmp_path):
    save_file(ROWS, tmp_path / "rows.safetensors")
    np.savez(tmp_path / "rows.npz", **ROWS)
    listed = [{name: rows[place].tolist() for name, rows in ROWS.items()} for place in range(2)]
    (tmp_path / "rows.json").write_text(json.dumps(listed))
    for suffix in ("safetensors", "npz", "json"):
        found = read_rows(tmp_path / f"rows.{suffix}", PORTS)
        for port in PORTS:
            assert found[port.name].dtype == port.dtype
            np.testing.assert_array_equal(found[port.name], ROWS[port.name])


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"x": ROWS["x"]}, "KS510"),
        ({**ROWS, "ids": ROWS["ids"][:1]}, "KS913"),
        ({**ROWS, "ids": np.zeros((), np.int64)}, "KS913"),
        ({name: rows[:0] for name, rows in ROWS.items()}, "KS913"),
        ({}, "KS913"),
        ({**ROWS, "x": np.zeros((2, 5), np.float32)}, "KS511"),
        ({**ROWS, "ids": np.full((2, 3), 0.5)}, "KS520"),
        ({**ROWS, "x": np.full((2, 2, 2), np.nan)}, "KS521"),
    ],
    ids=range(8),
)
def test_tensors_that_are_not_rows_of_the_model(tmp_path, arrays, code):
    save_file(arrays, tmp_path / "rows.safetensors")
    with pytest.raises(KspecError) as caught:
        read_rows(tmp_path / "rows.safetensors", PORTS)
    assert {each.code for each in caught.value.diagnostics} == {code}


def test_a_damaged_file_of_tensors(tmp_path):
    save_file(ROWS, tmp_path / "rows.safetensors")
    whole = (tmp_path / "rows.safetensors").read_bytes()
    for damaged in (b"", whole[:-1], b"\xff" * 20, whole[:30]):
        (tmp_path / "rows.safetensors").write_bytes(damaged)
        with pytest.raises(KspecError, match="KS913"):
            read_rows(tmp_path / "rows.safetensors", PORTS)


def test_messages_of_tensorflow_are_quoted_without_its_nodes():
    node = "{{function_node __wrapped__ResourceGather_device_/job:localhost/device:CPU:0}}"
    gather = f"{node} indices[0,0] = 52 is not in [0, 9) [Op:ResourceGather] name: "
    assert cleaned(gather) == "it reads the index 52 of an axis of 9"
    product = f"{node} Matrix size-incompatible: In[0]: [2,3], In[1]: [4,2] [Op:MatMul] name: x"
    assert cleaned(product) == "Matrix size-incompatible: In[0]: [2,3], In[1]: [4,2]"
