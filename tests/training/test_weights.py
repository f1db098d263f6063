from __future__ import annotations

import numpy as np
import pytest

from kspec.spec.diagnostics import KspecError
from kspec.training.weights import load_weights, pack, read_weights, save_weights
from tests.training.small import build


def test_weights_come_back_to_the_bit(tmp_path):
    model, other = build(), build()
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.normal(size=variable.shape))
    save_weights(model, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    for mine, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    save_weights(other, tmp_path / "v.safetensors")
    assert (tmp_path / "v.safetensors").read_bytes() == (tmp_path / "w.safetensors").read_bytes()
    stored = read_weights(tmp_path / "w.safetensors")
    assert sorted(stored) == sorted(variable.path for variable in model.weights)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_views_are_packed_as_they_read(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (tmp_path / "w").write_bytes(pack({"turned": array.T, "none": np.ones(())}))
    np.testing.assert_array_equal(read_weights(tmp_path / "w")["turned"], array.T)
    assert read_weights(tmp_path / "w")["none"].shape == ()


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    model = build()
    save_weights(model, tmp_path / "w")
    stored = read_weights(tmp_path / "w")
    before = [variable.numpy().copy() for variable in model.weights]
    stored["kind/kernl"] = stored.pop("kind/kernel")
    stored["norm/gamma"] = stored["norm/gamma"][:3]
    stored["norm/beta"] = stored["norm/beta"].astype(np.float64) + 1
    stored["hidden/kernel"] = stored["hidden/kernel"] + 1
    (tmp_path / "w").write_bytes(pack(stored))
    with pytest.raises(KspecError) as caught:
        load_weights(model, tmp_path / "w")
    messages = "\n".join(str(each) for each in caught.value.diagnostics)
    assert {each.code for each in caught.value.diagnostics} == {"KS632"}
    assert len(caught.value.diagnostics) == 4
    for part in ("float32[3]", "float32[16]", "float64[16]", "it has 'kind/kernl'"):
        assert part in messages
    for variable, array in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), array)


@pytest.mark.parametrize(
    ("content", "code"), [(None, "KS630"), (b"", "KS631"), (b"x" * 99, "KS631")]
)
def test_absent_and_damaged_files_are_named(tmp_path, content, code):
    if content is not None:
        (tmp_path / "w").write_bytes(content)
    with pytest.raises(KspecError) as caught:
        read_weights(tmp_path / "w")
    assert caught.value.diagnostics[0].code == code
    assert caught.value.exit_code == 3
