"""Data outside the folder of a spec is read where the command line grants it, and only there."""

import numpy as np
import pytest
from PIL import Image

from kspec.data.dataset import load_dataset
from kspec.pipeline.check import load_checked
from kspec.pipeline.store.keys import Keys
from kspec.spec import KspecError

SPEC = """\
kspec: 1
name: m
data: {source: {SOURCE}, split: {validation: 0.25, test: 0.25}}
inputs: {x: INPUT}
outputs: {y: {binary: [a, b], column: label}}
network:
  - flatten
  - dense: {units: 1, activation: sigmoid}
    name: y
train: {epochs: 1}
targets: {onnx: {}}
"""
SOURCES = {
    "csv": ("csv: ../../shared/rows.csv", "{number: 1, columns: x}"),
    "several": ("csv: [own.csv, ../../shared/rows.csv]", "{number: 1, columns: x}"),
    "npz": ("npz: ../../shared/rows.npz", "{number: 1, columns: x}"),
    "images": (
        "image_folder: ../../shared/images",
        "{image: {height: 2, width: 2}, columns: image}",
    ),
}


@pytest.fixture
def place(tmp_path):
    """`shared` with data, and beside it `specs/one`."""
    shared, specs = tmp_path / "shared", tmp_path / "specs" / "one"
    specs.mkdir(parents=True)
    rows = "x,label\n" + "1,a\n2,b\n" * 8
    for label in "ab":
        (shared / "images" / label).mkdir(parents=True)
        for row in range(8):
            Image.new("RGB", (2, 2), (row, 0, 0)).save(shared / f"images/{label}/{row}.png")
    (shared / "rows.csv").write_text(rows)
    (specs / "own.csv").write_text(rows)
    np.savez(shared / "rows.npz", x=np.arange(16.0), label=np.array(["a", "b"] * 8))
    return tmp_path


def write(folder, source, kind):
    path = folder / "specs/one/model.yaml"
    path.write_text(SPEC.replace("SOURCE", source).replace("INPUT", kind))
    return path


def refusals(path, *roots):
    with pytest.raises(KspecError) as caught:
        load_checked(path, roots=roots)
    return [(each.code, each.help) for each in caught.value.diagnostics]


@pytest.mark.parametrize("name", SOURCES)
def test_data_of_every_kind_is_read_below_a_granted_root(place, name, monkeypatch):
    path = write(place, *SOURCES[name])
    [(code, help_)] = refusals(path)
    assert code == "KS210"
    assert help_ == f"grant the folder to the spec: `--root {place / 'specs/one/../..'}`"
    assert refusals(path, place / "specs")[0][0] == "KS210"
    keys = set()
    monkeypatch.chdir(place)
    for root in (place, place / "shared", place / "specs/../shared", "shared"):
        document = load_checked(path, roots=(place / "elsewhere", type(place)(root)))
        assert not document.warnings
        assert len(load_dataset(document).train) > 0
        keys.add(Keys(document).data.digest)
    assert len(keys) == 1


@pytest.mark.parametrize("source", ["csv: ../../shared/rows.csv", "csv: rows.csv"])
def test_no_link_leads_out_of_a_root(place, source):
    (place / "secret").mkdir()
    (place / "secret/rows.csv").write_text("x,label\n1,a\n")
    for link in (place / "shared/rows.csv", place / "specs/one/rows.csv"):
        link.unlink(missing_ok=True)
        link.symlink_to(place / "secret/rows.csv")
    found = refusals(write(place, source, "{number: 1, columns: x}"), place / "shared")
    assert [code for code, _ in found] == ["KS210"]


@pytest.mark.parametrize(
    "path", ["a/../../../shared/rows.csv", "/etc/passwd", "../../shared/../secret/rows.csv", ".."]
)
def test_a_root_grants_nothing_but_itself(place, path):
    assert refusals(write(place, f"csv: {path}", "{number: 1, columns: x}"), place / "shared")


def test_weights_and_code_stay_in_the_folder(place):
    (place / "shared/layers.py").write_text("raise SystemExit")
    path = write(place, "csv: own.csv", "{number: 1, columns: x}")
    for line in ("python: ../../shared/layers.py", "weights: ../../shared/rows.npz"):
        path.write_text(path.read_text() + line + "\n")
        assert "KS210" in [code for code, _ in refusals(path, place)]


def test_the_command_line_grants(place, monkeypatch):
    from typer.testing import CliRunner

    from kspec.commands.app import app

    path = write(place, *SOURCES["csv"])
    monkeypatch.chdir(place)
    refused = CliRunner().invoke(app, ["check", str(path)])
    assert refused.exit_code == 2
    granted = CliRunner().invoke(app, ["check", str(path), "--root", "specs", "--root", "shared"])
    assert (granted.exit_code, granted.stdout) == (0, f"{path}: ok\n")
