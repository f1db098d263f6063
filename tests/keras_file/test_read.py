"""Files that Keras wrote are read to the bit; files made to attack are refused, nothing run."""

import io
import json
import resource
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from kspec.models.keras_file.reader import read
from kspec.spec.codes import RULES
from kspec.spec.diagnostics import KspecError
from tests.keras_file.models import MODELS, prepared, rows_of, sequential


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_a_file_is_read_to_the_bit(make: Callable[[], Any], tmp_path: Path) -> None:
    model = prepared(make)
    model.save(tmp_path / "model.keras")
    again = read(tmp_path / "model.keras")
    rows = rows_of(model)
    expected, found = model(rows, training=False), again(rows, training=False)
    keras.tree.assert_same_structure(expected, found)
    for one, other in zip(keras.tree.flatten(expected), keras.tree.flatten(found), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert [each.name for each in again.layers] == [each.name for each in model.layers]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The entries of a sound file."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    prepared(sequential).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, parts: dict[str, bytes], *extra: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in (*parts.items(), *extra):
            archive.writestr(name, content)
    return path


def refusal(path: Path) -> tuple[str, str]:
    """Code and message of the refusal, which costs little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(KspecError) as caught:
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    (found,) = caught.value.diagnostics
    assert found.code in RULES
    assert found.help, found
    return found.code, found.message


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"name": "evil", "function": {"class_name": "__lambda__", "config": {}}},
    "registered_name": None,
}
FUNCTION = {
    "module": "os",
    "class_name": "function",
    "config": "system",
    "registered_name": "system",
}


def dense(config: Any) -> Any:
    return config["config"]["layers"][-1]


def put(**changes: Any) -> Callable[[Any], None]:
    """Change the last layer's own keys."""
    return lambda config: dense(config).update(changes)


def argue(**changes: Any) -> Callable[[Any], None]:
    """Change the last layer's arguments."""
    return lambda config: dense(config)["config"].update(changes)


def first(**changes: Any) -> Callable[[Any], None]:
    """Change the input's arguments."""
    return lambda config: config["config"]["layers"][0]["config"].update(changes)


CONFIGS: tuple[tuple[str, Callable[[Any], Any], str, str], ...] = (
    ("lambda", lambda c: c["config"]["layers"].append(LAMBDA), "KS732", "evil is keras.layers"),
    ("module", put(module="os", class_name="system"), "KS732", "is os.system"),
    ("keras module", put(module="keras.src.layers.core.lambda_layer"), "KS732", "not a class"),
    ("registered", put(registered_name="pwn>Dense"), "KS732", "registered as 'pwn>Dense'"),
    ("tfsm", put(class_name="TFSMLayer", config={"filepath": "/x"}), "KS732", "TFSMLayer: runs"),
    ("torch", put(class_name="TorchModuleWrapper"), "KS732", "runs code"),
    ("lookup", put(class_name="StringLookup"), "KS732", "strings, hash tables"),
    ("function", argue(activation=FUNCTION), "KS732", "unknown activation 'system'"),
    ("activation", argue(activation="os.system"), "KS732", "unknown activation 'os.system'"),
    ("numpy", argue(units={"class_name": "__numpy__", "config": {}}), "KS731", "no module"),
    ("object inside", argue(name=[{"class_name": "__lambda__"}]), "KS732", "Python object"),
    ("initializer", argue(kernel_initializer={**LAMBDA}), "KS732", "kernel_initializer is keras"),
    ("units", argue(units=10**15), "KS733", ": units is 1000000000000000, which no layer"),
    ("infinite", argue(units=float("inf")), "KS731", "Infinity is not a number"),
    ("argument", argue(units="64"), "KS737", "cannot be built"),
    ("unknown", argue(backdoor=1), "KS737", "cannot be built"),
    ("dtype", argue(dtype="float64"), "KS733", "the dtype float64"),
    ("petabytes", argue(units=2**31 - 1), "KS734", "would take 558,345,748,732 bytes"),
    ("large", argue(units=10**6), "KS736", "layers/dense/vars/0 is (64, 5), but"),
    ("wide", first(batch_shape=[None, 10**6, 10**6, 3]), "KS734", "declares 3,000,000,000,000"),
    ("negative", first(batch_shape=[None, -1, 8, 3]), "KS731", "has no shape"),
    ("own class", lambda c: c.update(module="pwn", class_name="Net"), "KS732", "pwn.Net"),
    ("no layers", lambda c: c["config"].update(layers=3), "KS731", "no layers that is read"),
)


@pytest.mark.parametrize(
    ("name", "change", "code", "message"), CONFIGS, ids=[each[0] for each in CONFIGS]
)
def test_configurations_are_refused(
    name: str,
    change: Callable[[Any], Any],
    code: str,
    message: str,
    parts: dict[str, bytes],
    tmp_path: Path,
) -> None:
    del name
    config = json.loads(parts["config.json"])
    change(config)
    changed = parts | {"config.json": json.dumps(config).encode()}
    found = refusal(write(tmp_path / "model.keras", changed))
    assert found[0] == code, found
    assert message in found[1]


NESTED = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
ENTRIES: tuple[tuple[str, dict[str, bytes], tuple[tuple[str, bytes], ...], str, str], ...] = (
    ("traversal", {}, (("../../etc/cron.d/x", b"x"),), "KS730", "'../../etc/cron.d/x'"),
    ("absolute", {}, (("/etc/passwd", b"x"),), "KS730", "'/etc/passwd'"),
    ("assets", {}, (("assets/vocabulary.txt", b"x"),), "KS730", "assets/vocabulary.txt"),
    ("pickle", {}, (("model.weights.npz", b"\x80\x04c"),), "KS730", "model.weights.npz"),
    ("twice", {}, (("config.json", b"{}"),), "KS730", "config.json twice"),
    ("bomb", {"config.json": b" " * (65 << 20)}, (), "KS730", "claims 68,157,440 bytes"),
    ("deep", {"config.json": NESTED}, (), "KS731", "nested more than 200 deep"),
    ("text", {"config.json": b"import os"}, (), "KS731", "not valid JSON"),
    ("list", {"config.json": b"[]"}, (), "KS731", "holds no model"),
    ("key twice", {"config.json": b'{"a": 1, "a": 2}'}, (), "KS731", "a key stands twice"),
    ("digits", {"config.json": b'{"a": 1%s}' % (b"0" * 5000)}, (), "KS731", "too many digits"),
    ("pickled weights", {"model.weights.h5": b"\x80\x04cos\nsystem\n."}, (), "KS735", "HDF5 file"),
)


@pytest.mark.parametrize(("name", "changes", "extra", "code", "message"), ENTRIES)
def test_entries_are_refused(
    name: str,
    changes: dict[str, bytes],
    extra: tuple[tuple[str, bytes], ...],
    code: str,
    message: str,
    parts: dict[str, bytes],
    tmp_path: Path,
) -> None:
    del name
    found = refusal(write(tmp_path / "model.keras", parts | changes, *extra))
    assert found[0] == code, found
    assert message in found[1]


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert refusal(path)[0] == "KS730"


KERNEL = "layers/dense/vars/0"


def external(file: h5py.File) -> None:
    file[KERNEL] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file: h5py.File) -> None:
    file[KERNEL] = h5py.SoftLink("/layers/dense/vars/1")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((64, 5), "float32")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (64, 5))  # noqa: S108
    file.create_virtual_dataset(KERNEL, layout)


def elsewhere(file: h5py.File) -> None:
    outside = [("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(KERNEL, (64, 5), "float32", external=outside)


def references(file: h5py.File) -> None:
    file.create_dataset(KERNEL, (64, 5), h5py.ref_dtype)


def hollow(file: h5py.File) -> None:
    file.create_dataset(KERNEL, (64, 5), "float32", chunks=(8, 5))


def squeezed(file: h5py.File) -> None:
    file.create_dataset(KERNEL, data=np.ones((64, 5), "float32"), compression="lzf")


def petabytes(file: h5py.File) -> None:
    file.create_dataset(KERNEL, (10**8, 10**7), "float32", chunks=(10, 10))


def doubles(file: h5py.File) -> None:
    file.create_dataset(KERNEL, data=np.ones((64, 5)))


def missing(file: h5py.File) -> None:
    del file


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (external, "KS735", "is a link to another place"),
        (soft, "KS735", "is a link to another place"),
        (virtual, "KS735", "takes its values from another file"),
        (elsewhere, "KS735", "takes its values from another file"),
        (references, "KS735", "not numbers"),
        (hollow, "KS735", "claims 1,280 bytes, but 0 are there"),
        (squeezed, "KS735", "uses an unsupported filter"),
        (petabytes, "KS735", "claims 4,000,000,000,000,000 bytes"),
        (doubles, "KS736", "is float64"),
        (missing, "KS736", "the file has no weights layers/dense/vars/0 for"),
    ],
)
def test_weights_are_refused(
    change: Callable[[h5py.File], None],
    code: str,
    message: str,
    parts: dict[str, bytes],
    tmp_path: Path,
) -> None:
    stream = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(stream, "a") as file:
        del file[KERNEL]
        change(file)
    changed = parts | {"model.weights.h5": stream.getvalue()}
    found = refusal(write(tmp_path / "model.keras", changed))
    assert found[0] == code, found
    assert message in found[1]


def test_compressed_weights_are_read(parts: dict[str, bytes], tmp_path: Path) -> None:
    stream = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(stream, "a") as file:
        kernel = file[KERNEL][()]
        del file[KERNEL]
        file.create_dataset(KERNEL, data=kernel, compression="gzip", shuffle=True)
    path = write(tmp_path / "model.keras", parts | {"model.weights.h5": stream.getvalue()})
    np.testing.assert_array_equal(np.asarray(read(path).layers[-1].kernel), kernel)


def test_a_refused_file_leaves_no_variables_behind(parts: dict[str, bytes], tmp_path: Path) -> None:
    """Keras would allocate what is left waiting at the next build."""
    config = json.loads(parts["config.json"])
    dense(config)["config"]["units"] = 2**31 - 1
    changed = parts | {"config.json": json.dumps(config).encode()}
    refusal(write(tmp_path / "model.keras", changed))
    with keras.StatelessScope():
        pass
    assert prepared(sequential)(np.zeros((1, 8, 8, 3))).shape == (1, 5)
