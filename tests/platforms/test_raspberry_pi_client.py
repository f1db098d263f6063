"""The client of the Raspberry Pi bundle: accepted and refused inputs, its service, its types."""

from __future__ import annotations

import ast
import base64
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import kspec
from kspec.features.cells import read_cell
from kspec.features.kinds import host_steps
from kspec.schemas.features import Image as Picture
from kspec.targets.platforms.raspberry_pi import RaspberryPi
from tests.platforms import arm64
from tests.platforms.conftest import ROOT
from tests.platforms.descriptions import described
from tests.platforms.hostile import disguise
from tests.platforms.skeleton import skeleton

DIGITS = ("-m", "digits_model")
pytestmark = pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning")


@pytest.fixture
def platform() -> str:
    return "raspberry_pi"


@pytest.fixture
def client(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package of the digits bundle, imported."""
    monkeypatch.syspath_prepend(str(bundles / "digits/raspberry_pi"))
    yield import_module("digits_model")
    for name in [each for each in sys.modules if each.split(".")[0] == "digits_model"]:
        del sys.modules[name]


def ask(bundle: Path, *sources: str, text: str = "") -> tuple[int, list[dict[str, Any]]]:
    command = [sys.executable, *DIGITS, "predict", *sources]
    done = subprocess.run(
        command, cwd=bundle, input=text, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("example", ["digits"])
def test_what_is_wrong_is_said(bundle: Path) -> None:
    (bundle / "short.csv").write_text("pixel_0,pixel_1\n1,2\n")
    header = ",".join(f"pixel_{each}" for each in range(64))
    good = ",".join(["1"] * 64)
    (bundle / "rows.csv").write_text(f"{header}\n{good}\nx{good}\n{good[2:]}\nnan{good[1:]}\n")
    Image.new("I;16", (8, 8)).save(bundle / "deep.png")
    whole = (bundle / "golden-pixels.png").read_bytes()
    (bundle / "cut.png").write_bytes(whole[: len(whole) // 2])
    lines = ("[]", "{", '{"pixels": [1]}', '{"pixels": "?"}', '{"pixels": NaN}', '{"other": 1}')
    more = ("[" * 100_000, '{"pixels": [[1], [1, 2]]}', '{"pixels": {"pixel_0": 1}}', "")
    status, found = ask(
        bundle, "none.png", "deep.png", "cut.png", "short.csv", "rows.csv", "-",
        text="\n".join((*lines, *more)) + "\n",
    )  # fmt: skip
    expected = (
        "none.png, row 1: .*No such file", "deep.png, row 1: .*mode I;16",
        "cut.png, row 1: .*the picture cannot be read",
        "short.csv, row 1: columns are missing: 'pixel_2', 'pixel_3', 'pixel_4' and 59 more", None,
        "row 2: column 'pixel_0': 'x1' is not a number",
        "row 3: column 'pixel_63': '' is not a number",
        "row 4: .*not finite", "-, row 1: not a JSON object", "-, row 2: not a line of JSON",
        r"row 3: .*shape is \[1\], not \[8, 8, 1\]", "row 4: .*not base64",
        "row 5: .*NaN is not a number", "row 6: inputs are 'pixels'", "row 7: not a line of JSON",
        "row 8: .*unequal lengths", "row 9: .*missing: 'pixel_1'", "row 10: not a line of JSON",
    )  # fmt: skip
    assert status == 1
    assert len(found) == len(expected)
    for answer, text in zip(found, expected, strict=True):
        assert re.search(text, answer["error"]) if text else answer["digit"], answer


@pytest.mark.parametrize("options", [["--engine", "tpu"], ["--threads", "many"]])
@pytest.mark.parametrize("example", ["digits"])
def test_wrong_usage_ends_with_2(bundle: Path, options: list[str]) -> None:
    command = [sys.executable, *DIGITS, "predict", *options, "-"]
    assert subprocess.run(command, cwd=bundle, capture_output=True, check=False).returncode == 2


def pictures() -> Iterator[tuple[str, bytes]]:
    """Files of each mode and kind, with transparency, a palette, and turned by EXIF."""
    drawn = np.random.default_rng(5)
    turned = Image.Exif()
    turned[0x0112] = 6
    for mode, (width, height) in itertools.product(
        ("1", "L", "LA", "P", "RGB", "RGBA"), ((8, 8), (8, 13), (5, 3), (40, 33))
    ):
        noise = drawn.integers(0, 256, (height, width, 4), dtype=np.uint8)
        image = Image.fromarray(noise, "RGBA").convert(mode)
        for kind in ("PNG", "BMP", "WEBP", "JPEG"):
            file = BytesIO()
            try:
                image.save(file, kind, exif=turned)
            except (OSError, ValueError):
                continue  # a mode that the kind of file has not
            yield f"{mode} {width} × {height} {kind}", file.getvalue()


def test_a_picture_becomes_what_training_saw(client: ModuleType) -> None:
    steps = import_module("digits_model.steps")
    count = 0
    for name, content in pictures():
        for channels, resize in itertools.product((1, 2, 3, 4), (None, "nearest", "bilinear")):
            kind = Picture(height=8, width=8, channels=channels, maximum=16.0, resize=resize)
            given = [
                getattr(steps, type(each).__name__)(**each.model_dump(exclude={"step", "place"}))
                for each in host_steps(kind)
            ]
            try:
                expected = read_cell(BytesIO(content), kind)
            except ValueError:
                with pytest.raises(steps.StepError):
                    steps.run(given, content)
                continue
            found = steps.run(given, content)
            np.testing.assert_array_equal(found, expected, strict=True, err_msg=name)
            count += 1
    assert count > 500


def test_inputs_and_outputs_of_every_kind(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a session that answers what it is told."""
    words, module = import_module("digits_model.signature"), import_module("digits_model.client")
    steps, about = import_module("digits_model.steps"), import_module("digits_model.description")
    seen: list[dict[str, Any]] = []

    class Session:
        engine = "none"

        def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
            seen.append(inputs)
            answers = {"a b": [[0.2, 0.5, 0.3]], "b": [[0.25]], "n": [[1.5]], "m": [[1.0, 2.0]]}
            rows = len(inputs["n"])
            return {name: np.repeat(values, rows, 0) for name, values in answers.items()}

    monkeypatch.setattr(module, "open_session", lambda *given: Session())
    inputs = (
        words.Input("n", "float32", (2,), ("x", "y")),
        words.Input("t", "int32", ("time", 2), ()),
        words.Input("p", "float32", (1, 2, 3), (), (steps.DecodeImage(3, 1, 2, 1 << 20),)),
    )
    outputs = (
        words.Output("a b", "float32", (3,), ("k", "l", "m")),
        words.Output("b", "float32", (1,), ("no", "yes"), 0.5),
        words.Output("n", "float32", (1,)),
        words.Output("m", "float32", (2,)),
    )
    artifact = words.Artifact("x", ("x",), {}, {"time": 3})
    golden = words.Golden("", {})
    spec = about.Spec("x", "1", inputs, outputs, {"litert": artifact}, golden, "litert", 1)
    model = client.SPEC and module.Client(spec, None, None)
    image = Image.new("RGB", (2, 1), (1, 2, 3))
    row = {"n": {"y": 2, "x": 1.5}, "t": [[1, 2], [3, 4], [5, 6]], "p": image}
    answer = model.predict(row)
    assert (answer["a b"].label, answer["a b"].confidence) == ("l", 0.5)
    assert answer["b"] == client.Decision("no", 0.75, {"no": 0.75, "yes": 0.25}, (0.25,))
    assert (answer["n"], answer["m"]) == (1.5, (1.0, 2.0))
    assert seen[0]["n"].tolist() == [[1.5, 2.0]]
    assert {name: (each.dtype, each.shape) for name, each in seen[0].items()} == {
        "n": (np.float32, (1, 2)), "t": (np.int32, (1, 3, 2)), "p": (np.float32, (1, 1, 2, 3)),
    }  # fmt: skip
    assert len(model.predict_many([row, row])) == 2
    assert model.predict_many([]) == []
    for wrong, reason in (
        ({"t": [[1, 2]]}, r"shape is \[1, 2\], not \[3, 2\]"),
        ({"t": [[1.5, 2]] * 3}, "whole numbers"),
        ({"t": [[2**31, 2]] * 3}, "whole numbers"),
        ({"t": {"x": 1}}, "have no names"),
        ({"n": {"x": 1, "y": 2, "z": 3}}, "unknown columns: 'z'"),
        ({"n": ["1", "2"]}, "not an array of numbers"),
        ({"n": [1e39, 0]}, "too large"),
        ({"n": [10**400, 0]}, "not an array of numbers"),
        ({"p": Image.new("RGB", (3, 1))}, "3 × 1 pixels, the model takes 2 × 1"),
        ({"p": "none.png"}, "none.png"),
        ({"p": Image.new("RGB", (1025, 1025))}, "1025 × 1025 pixels, more than 1,048,576"),
    ):
        with pytest.raises(client.InputError, match=reason):
            model.predict({**row, **wrong})


@pytest.mark.parametrize("example", ["digits"])
@pytest.mark.parametrize("activated", [False, True])
def test_the_service_answers_and_ends_in_order(
    bundle: Path, tmp_path: Path, activated: bool
) -> None:
    path = tmp_path / "socket"
    command = [sys.executable, *DIGITS, "serve"]
    with socket.socket(socket.AF_UNIX) as listening:
        if activated:
            listening.bind(str(path))
            listening.listen()
            # As systemd does: the socket is file 3, and the process is told by its number.
            handed = f"exec {listening.fileno()}<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1"
            shell = f'{handed} exec "$@" 3<&{listening.fileno()}'
            command = ["bash", "-c", shell, "-", *command]
        else:
            command += ["--socket", str(path)]
        server = subprocess.Popen(command, cwd=bundle, pass_fds=[listening.fileno()])
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        picture = base64.b64encode((bundle / "golden-pixels.png").read_bytes()).decode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connect(connection, path)
            replies = connection.makefile("rb")
            good = json.dumps({"pixels": picture}).encode() + b"\n"
            connection.sendall(good + b"nonsense\n" + b'{"pixels": "../golden-pixels.png"}\n')
            found = [json.loads(replies.readline()) for _ in range(3)]
            assert found[0]["digit"]["label"] == "8"
            assert "not a line of JSON" in found[1]["error"]
            assert "base64" in found[2]["error"]
            connection.sendall(good * 20)  # what has arrived is answered
            server.send_signal(signal.SIGTERM)
            answers = [json.loads(line) for line in replies]
            assert answers == [found[0]] * 20
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()


def connect(connection: socket.socket, path: Path) -> None:
    """It may be bound and not listen yet."""
    for _ in range(100):
        try:
            return connection.connect(str(path))
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("nobody listens")


def about(bundles: Path, example: str) -> dict[str, Any]:
    return json.loads((bundles / example / "raspberry_pi/kspec-bundle.json").read_text())


def test_texts_of_a_spec_are_only_strings(bundles: Path, example: str) -> None:
    given = about(bundles, example)
    plain = RaspberryPi().files(described(given))
    (generated,) = (path for path in plain if path.endswith("/spec.py"))
    written = skeleton(plain[generated], ".py")
    for turn in range(200):
        disguised = disguise(given, turn)
        files = RaspberryPi().files(described(disguised))
        assert files.keys() == plain.keys()
        for path, content in files.items():
            if path == generated:
                assert skeleton(content, ".py") == written, turn
                texts = {
                    each.value
                    for each in ast.walk(ast.parse(content))
                    if isinstance(each, ast.Constant)
                }
                signature = disguised["signature"]
                assert texts >= {
                    each["name"] for each in (*signature["inputs"], *signature["outputs"])
                }
                assert texts >= {
                    label for each in signature["outputs"] for label in each["decision"]["labels"]
                }
            else:
                assert content == plain[path]


def test_labels_and_names_are_types(bundles: Path, tmp_path: Path) -> None:
    given = disguise(about(bundles, "digits"), 60)
    for path, content in RaspberryPi().files(described(given)).items():
        if path.startswith("digits_model/"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_bytes(content)
    (taken,), (made,) = (given["signature"][each] for each in ("inputs", "outputs"))
    name, output, label = taken["name"], made["name"], made["decision"]["labels"][3]
    (tmp_path / "use.py").write_text(f"""\
from digits_model import Model
answer = Model().predict({{{name!r}: "picture.png"}})
print(answer[{output!r}].label == {label!r})
print(answer[{output!r}].label == "other")
print(answer["other"])
Model().predict({{"other": "picture.png"}})
""")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "digits_model",
        "use.py",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    errors = [line for line in lines if ": error:" in line]
    assert {line.split(":")[0] for line in errors} == {"use.py"}, done.stdout
    kinds = [(int(line.split(":")[1]), line.split("[")[-1]) for line in errors]
    assert kinds == [
        (4, "comparison-overlap]"),
        (5, "typeddict-item]"),
        (6, "typeddict-item]"),
        (6, "typeddict-unknown-key]"),
    ]


def test_the_same_description_gives_the_same_bytes(bundles: Path, example: str) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from kspec.features.description import Description\n"
        "from kspec.targets.platforms.raspberry_pi import RaspberryPi\n"
        "folder = Path(sys.argv[1])\n"
        "about = Description.read((folder / 'kspec-bundle.json').read_text())\n"
        "for path, content in RaspberryPi().files(about).items():\n"
        "    assert (folder / path).read_bytes() == content, path\n"
        "print('same')\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "3"}
    command = [sys.executable, "-c", code, str(bundles / example / "raspberry_pi")]
    assert subprocess.check_output(command, env=environment, text=True) == "same\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_the_unit_is_one_and_is_hardened(bundle: Path) -> None:
    (service,) = (bundle / "systemd").glob("*.service")
    interpreter = re.search(r"/opt/.*/python", service.read_text())
    assert interpreter is not None
    # There is nothing in /opt: the unit is judged with this Python.
    service.write_text(service.read_text().replace(interpreter[0], sys.executable))
    units = sorted(map(str, (bundle / "systemd").iterdir()))
    command = ["systemd-analyze", "verify", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if service.stem in line]
    assert (done.returncode, ours) == (0, [])
    judged = ["systemd-analyze", "security", "--offline=true", "--threshold=12", str(service)]
    result = subprocess.run(judged, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-300:]


def test_options_reach_client_and_artifacts(tmp_path: Path) -> None:
    folder = ROOT / "examples/breast-cancer"
    spec = tmp_path / "model.yaml"
    text = (folder / "model.yaml").read_text()
    target = "raspberry_pi: {engine: onnxruntime, threads: 1, batch: 5}"
    spec.write_text(re.sub(r"targets:\n( .*\n)+", f"targets: {{{target}}}\n", text))
    shutil.copy(folder / "breast_cancer.csv", tmp_path)
    kspec.build(kspec.load(spec), out=tmp_path / "dist", store=folder / ".kspec")
    bundle = tmp_path / "dist/raspberry_pi"
    for options, engine in (((), "onnxruntime"), (("--engine", "litert"), "ai-edge-litert")):
        command = [sys.executable, "-m", "breast_cancer_model", "self-test", *options]
        done = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout.partition(" ")[2])
        assert report["pass"], report
        assert report["engine"].startswith(engine)
    assert "'batch': 5" in (bundle / "breast_cancer_model/spec.py").read_text()
    assert "threads=1" in (bundle / "breast_cancer_model/spec.py").read_text()


def test_the_wheels_are_those_that_bundles_are_proven_with() -> None:
    pinned, locked = (
        dict(re.findall(r"(?m)^([\w-]+)==(\S+)", path.read_text()))
        for path in (arm64.REQUIREMENTS, ROOT / "requirements.lock")
    )
    for name in ("ai-edge-litert", "onnxruntime", "numpy", "pillow"):
        assert pinned[name] == locked[name]
