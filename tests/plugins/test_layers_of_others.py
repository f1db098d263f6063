"""Layers of an installed package and of a file beside the spec, from `check` to four formats."""

import shutil
import sys
from pathlib import Path

import pytest

from kspec.pipeline.build import build
from kspec.pipeline.check import load_checked
from kspec.pipeline.store.keys import Keys
from kspec.spec import load
from kspec.spec.diagnostics import KspecError
from kspec.spec.document import Document
from kspec.targets.registry import formats
from kspec.training.weights import save_weights
from tests.test_start_up import HEAVY, packages_loaded

HERE = Path(__file__).parent
PACKAGE = """\
kspec: 1
name: excited
inputs: {picture: {image: {height: 6, width: 5}}}
outputs: {score: {number: 2}}
network:
  - conv2d: {filters: 8, kernel_size: 3}
  - squeeze_excite: 2
  - flatten
  - dense: 2
    name: score
weights: start.safetensors
targets: {onnx: , coreml: , tflite: , tf_serving: }
"""
FILE = """\
kspec: 1
name: bounded
python: layers.py
inputs: {facts: {number: 4}}
outputs: {score: {number: 2}}
network:
  - dense: 6
  - bounded: {limit: 1.5}
  - dense: 2
    name: score
weights: start.safetensors
targets: {onnx: , coreml: , tflite: , tf_serving: }
"""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place for packages that has the one of the tests."""
    place = tmp_path / "site-packages"
    shutil.copytree(HERE / "installed", place, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(place)
    for module in [name for name in sys.modules if name.startswith("kspec_excite")]:
        monkeypatch.delitem(sys.modules, module)
    return place


def written(folder: Path, text: str) -> Path:
    """The spec, with the files that it may name."""
    folder.mkdir(exist_ok=True)
    (folder / "start.safetensors").touch()
    for each in (HERE / "beside").glob("*.py"):
        shutil.copy(each, folder)
    path = folder / "model.yaml"
    path.write_text(text)
    return path


def started(document: Document) -> Document:
    """The document, with weights to build of."""
    from kspec.models.keras_model import build_model, randomize

    model = build_model(document)
    randomize(model)
    save_weights(model, document.path.with_name("start.safetensors"))
    return document


def problem(path: Path, *, allow_python: bool = True) -> tuple[str, str, int]:
    with pytest.raises(KspecError) as caught:
        load(path, allow_python=allow_python)
    (found,) = caught.value.diagnostics
    assert found.span is not None
    return found.code, found.message, found.span.line


def check_build(document: Document, folder: Path) -> None:
    """All formats answer as Keras does; a build refuses an artifact beyond the model's rounding."""
    result = build(document, store=folder / "store")
    assert [each.target for each in result.artifacts] == list(formats())
    assert all(each.flips == 0 and each.worst_error <= 1e-4 for each in result.artifacts)


def test_a_package_adds_a_layer(installed: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "spec", PACKAGE)
    document = load_checked(path)
    assert "kspec_excite.keras_layers" not in sys.modules
    started(document)
    check_build(document, tmp_path)
    before = Keys(document).compile.digest
    source = installed / "kspec_excite" / "keras_layers.py"
    source.write_text(source.read_text() + "\n# The same layer, in other words.\n")
    assert Keys(load_checked(path)).compile.digest != before


def test_check_of_a_package_stays_light(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed))
    path = written(tmp_path / "spec", PACKAGE)
    loaded = packages_loaded("-m", "kspec", "check", str(path))
    assert loaded & HEAVY <= {"numpy"}


def test_a_layer_of_a_package_is_judged_as_all_are(installed: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "spec", PACKAGE.replace("excite: 2", "excite: 3"))
    assert problem(path) == ("KS406", "ratio 3 does not divide 8 channels", 7)
    path.write_text(PACKAGE.replace("excite: 2", "excite: {ratoi: 2}"))
    assert problem(path) == ("KS201", "unknown key `ratoi`", 7)
    path.write_text(PACKAGE.replace("squeeze_excite", "sqeeze_excite"))
    assert problem(path)[:2] == ("KS312", "unknown layer or block `sqeeze_excite`")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("broken", "`broken` of the package kspec-excite cannot be used: AttributeError"),
        ("renamed", "its class has the key `squeeze_excite`"),
    ],
)
def test_a_package_that_does_not_work_is_named(
    key: str, message: str, installed: Path, tmp_path: Path
) -> None:
    code, said, line = problem(written(tmp_path / "spec", PACKAGE.replace("squeeze_excite", key)))
    assert (code, line) == ("KS411", 7)
    assert message in said


def test_a_file_is_run_where_it_was_allowed(tmp_path: Path) -> None:
    path = written(tmp_path / "spec", FILE)
    document = load_checked(path, allow_python=True)
    check_build(started(document), tmp_path)
    assert not [*path.parent.glob("__pycache__")]
    digests = {Keys(document).compile.digest}
    for name in ("layers.py", "bounded.py"):
        with (path.parent / name).open("a") as file:
            file.write("\n# The same layer, in other words.\n")
        digests.add(Keys(load_checked(path, allow_python=True)).compile.digest)
    assert len(digests) == 3


def test_a_file_is_not_run_where_it_was_not_allowed(tmp_path: Path) -> None:
    path = written(tmp_path / "spec", FILE)
    (path.parent / "layers.py").write_text("open('ran', 'w')")
    code, message, line = problem(path, allow_python=False)
    assert (code, line) == ("KS410", 3)
    assert "asks to run `layers.py`" in message
    assert not (path.parent / "ran").exists()


HEAD = """\
from kspec.schemas.layers import Layer
class Same(Layer):
    def output_shape(self, shapes): return shapes[0]
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1 +", "SyntaxError"),
        ("import missing_package", "ModuleNotFoundError: No module named 'missing_package'"),
        ("1 / 0", "ZeroDivisionError"),
        ("", "it defines no layer"),
        (f"{HEAD}class A(Same):\n    key = 'dense'\n    keras = 'a:A'", "has a layer `dense`"),
        (f"{HEAD}class A(Same):\n    key = 'name'\n    keras = 'a:A'", "its key is 'name'"),
        (f"{HEAD}class A(Same):\n    key = 'a'\n    keras = 'Dense'", "is not written `module:"),
        (f"{HEAD}class A(Layer):\n    key = 'a'\n    keras = 'a:A'", "does not define `output"),
        (
            f"{HEAD}class A(Same): key = 'a'; keras = 'a:A'\nclass B(A): key = 'a'",
            "two of its layers have the key `a`",
        ),
    ],
)
def test_a_file_without_a_sound_layer_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "spec", FILE)
    (path.parent / "layers.py").write_text(text)
    code, said, line = problem(path)
    assert (code, line) == ("KS411", 3)
    assert message in said


@pytest.mark.parametrize("name", ["../layers.py", "/etc/layers.py", "absent.py"])
def test_a_file_elsewhere_is_not_run(name: str, tmp_path: Path) -> None:
    written(tmp_path, FILE)
    path = written(tmp_path / "spec", FILE.replace("layers.py", name))
    assert problem(path)[0] == ("KS211" if name == "absent.py" else "KS210")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("inputs / self", "inputs[:, :1] / self", "it gives (1,), its output_shape says (6,)"),
        ("class Bounded", "class Unbounded", "has no attribute 'Bounded'"),
    ],
)
def test_a_class_that_is_not_what_was_said_is_refused(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    from kspec.models.keras_model import build_model

    path = written(tmp_path / "spec", FILE)
    keras_class = path.with_name("bounded.py")
    keras_class.write_text(keras_class.read_text().replace(old, new))
    with pytest.raises(KspecError) as caught:
        build_model(load(path, allow_python=True))
    assert caught.value.diagnostics[0].code == "KS411"
    assert message in caught.value.diagnostics[0].message
