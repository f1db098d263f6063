"""Bundles of a model with rare properties: an input of a new kind, an output of logits,
and ONNX weights in a file of their own.

The platforms know steps, not kinds; they decide at the threshold of the description; and they take
an artifact as a set of files.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from safetensors.numpy import load_file

import kspec
from kspec.features.description import Description
from kspec.spec.load import load
from kspec.targets.platforms.raspberry_pi import package_of
from kspec.targets.registry import formats
from tests.features.test_kinds import SPEC, add_thumbnail, draw_thumbnails
from tests.platforms import jvm, service, web
from tests.platforms.damage import about_of

SIDE = 24
"""Pixels of a thumbnail; so many that the weights leave the ONNX file."""
TARGETS = ("server", "raspberry_pi", "browser", "jvm", "android", "ios")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundles of all platforms for a model that was trained on logits."""
    folder = tmp_path_factory.mktemp("thumbnails")
    draw_thumbnails(folder)
    targets = "".join(f"\n  {name}:" for name in TARGETS)
    spec = SPEC.replace("thumbnail: 4", f"thumbnail: {SIDE}")
    (folder / "model.yaml").write_text(f"{spec}targets:{targets}\n")
    with pytest.MonkeyPatch.context() as patch:
        add_thumbnail(patch)
        patch.setattr(formats()["onnx"], "largest_message", 16)
        kspec.build(load(folder / "model.yaml"))
    return folder / "dist"


def about(built: Path, target: str) -> Description:
    return Description.read((built / target / "kspec-bundle.json").read_text("utf-8"))


def picture(seed: int) -> bytes:
    """A photo of another size than the input's."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 14, 3), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def expected(built: Path, content: bytes) -> tuple[str, float]:
    """The label and the logit of a picture, by the steps of the description and ONNX Runtime."""
    import onnxruntime

    told = about(built, "server")
    (given,), (output,) = told.signature.inputs, told.signature.outputs
    value: Any = content
    for step in given.on_host:
        value = step.apply(value)  # type: ignore[attr-defined]
    session = onnxruntime.InferenceSession(built / "server" / told.artifacts[0].path)
    (found,) = session.run(None, {"face": value[None].astype(np.float32)})
    assert output.decision is not None
    return output.decision.decide(found)[0], float(found[0, 0])


PICTURES = tuple(picture(seed) for seed in range(12))


def answers(built: Path) -> list[tuple[str, float]]:
    """The expected answers; both labels are among them."""
    found = [expected(built, each) for each in PICTURES]
    assert {label for label, _ in found} == {"left", "right"}
    return found


def test_the_description_has_steps_and_a_threshold(built: Path) -> None:
    for target in TARGETS:
        told = about(built, target)
        (given,), (output,) = told.signature.inputs, told.signature.outputs
        names = [each.step for each in given.on_host]
        assert (given.kind, names) == ("thumbnail", ["decode_image", "resample", "scale_pixels"])
        assert output.decision is not None
        assert (output.decision.threshold, output.decision.scores) == (0.0, "logits")
        values = load_file(built / target / told.golden.file)["output/side"]
        assert values.min() < 0 or values.max() > 1
        assert list(told.golden.pictures) == ["face"]
        names = [set(each.files) for each in told.artifacts if each.format == "onnx"]
        assert all(each == {"thumbs.onnx", "thumbs.onnx.data"} for each in names)
    (weights,) = (built / "server").rglob("*.onnx.data")
    assert weights.stat().st_size >= 4 * SIDE * SIDE


def test_the_code_for_phones_has_the_steps_and_the_threshold(built: Path) -> None:
    (kotlin,) = (built / "android").rglob("ThumbsModel.kt")
    (swift,) = (built / "ios").rglob("ThumbsModel.swift")
    for text, between in ((kotlin.read_text("utf-8"), " ="), (swift.read_text("utf-8"), ":")):
        for field, value in (("threshold", "0.0"), ("logits", "true"), ("maximum", "1.0")):
            assert f"{field}{between} {value}" in text
        assert f"Resample(height{between} {SIDE}, width{between} {SIDE}" in text


def test_the_server_answers(built: Path) -> None:
    bundle = built / "server"
    report = self_test(bundle, sys.executable, "-m", "server", "--self-test")
    assert (report["pass"], report["picture_error"]) == (True, 0.0)
    app = service.application(bundle, "server_of_thumbnails")
    body = {"instances": [{"b64": base64.b64encode(each).decode()} for each in PICTURES]}

    async def ask() -> dict[str, Any]:
        async with service.client(app) as client:
            answer = await client.post("/v1/models/thumbs:predict?labels=true", json=body)
        return dict(answer.json())

    found = asyncio.run(ask())
    logits = [row[0] for row in found["predictions"]]
    assert [*zip(found["labels"]["side"], map(pytest.approx, logits), strict=True)] == answers(
        built
    )


def test_the_raspberry_pi_answers(built: Path) -> None:
    bundle = built / "raspberry_pi"
    package = package_of(about_of(bundle)["name"])
    for engine in ("litert", "onnxruntime"):
        report = self_test(bundle, sys.executable, "-m", package, "self-test", "--engine", engine)
        assert (report["pass"], report["picture_error"]) == (True, 0.0)
    for number, content in enumerate(PICTURES):
        (built / f"{number}.png").write_bytes(content)
    files = [str(built / f"{number}.png") for number in range(len(PICTURES))]
    done = subprocess.run(
        [sys.executable, "-m", package, "predict", *files],
        cwd=bundle, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line)["side"] for line in done.stdout.splitlines()]
    for each, (label, logit) in zip(found, answers(built), strict=True):
        assert each["label"] == label
        assert each["probabilities"]["right"] == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-4)


@web.needed(web.missing())
def test_the_browser_answers(built: Path) -> None:
    bundle = built / "browser"
    if not (bundle / "vendor").exists():
        web.vendor(bundle, "onnxruntime")
    report = self_test(bundle, "node", "selftest.mjs")
    assert (report["pass"], report["picture_error"]) == (True, 0)
    script = (
        'import { load } from "./index.js"; const model = await load();'
        f"const pictures = {json.dumps([list(each) for each in PICTURES])};"
        "const rows = pictures.map((each) => ({ face: Uint8Array.from(each) }));"
        "const { answers, outputs } = await model.run(rows);"
        "console.log(JSON.stringify(answers.map(({ side }, row) =>"
        ' [side.label, outputs[row].get("side").data[0], side.probabilities.right])));'
    )
    done = web.node("--input-type=module", "-e", script, folder=bundle)
    assert done.returncode == 0, done.stderr
    for found, (label, logit) in zip(json.loads(done.stdout), answers(built), strict=True):
        share = 1 / (1 + np.exp(-logit))
        assert found == [label, pytest.approx(logit, rel=1e-4), pytest.approx(share, rel=1e-4)]


def test_the_jvm_answers(bundles: Path, built: Path, tmp_path: Path) -> None:
    jvm.built(bundles, "digits")  # Maven loads ONNX Runtime
    bundle, sources = built / "jvm", tmp_path / "Answers.java"
    paths = []
    for number, content in enumerate(PICTURES):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(content)
    sources.write_text("""\
import java.nio.file.Path;
import kspec.thumbs.ThumbsModel;

public final class Answers {
    public static void main(String[] arguments) {
        try (ThumbsModel model = ThumbsModel.load()) {
            for (String each : arguments) {
                var answer = model.predict(Path.of(each));
                System.out.println(answer.label() + " " + answer.values()[0]);
            }
        }
    }
}
""")
    code = [each for each in bundle.rglob("src/*/java/**/*.java") if "spark" not in each.parts]
    code = [each for each in code if each.name not in ("GoldenTest.java", "SparkFunction.java")]
    jvm.compile_java([*code, sources], tmp_path / "out", jvm.RUNTIME)
    path = [bundle / f"src/{part}/resources" for part in ("main", "test")]
    path += [tmp_path / "out", jvm.RUNTIME]
    report = jvm.self_test(bundle, "kspec.thumbs.SelfTest", *path)
    assert (report["pass"], report["picture_error"]) == (True, 0.0)
    altered = Path(shutil.copytree(path[0], tmp_path / "altered"))
    other_weights(altered)
    report = jvm.self_test(bundle, "kspec.thumbs.SelfTest", altered, *path[1:])
    assert any("thumbs.onnx.data has another SHA-256" in each for each in report["problems"])
    assert any("tolerance" in each for each in report["problems"])
    said = jvm.java("Answers", *path, words=list(map(str, paths))).splitlines()
    found = [(line.split()[0], pytest.approx(float(line.split()[1]), rel=1e-4)) for line in said]
    assert found == answers(built)


def other_weights(bundle: Path) -> None:
    """Turn the sign of every weight in the file beside the ONNX file."""
    (path,) = bundle.rglob("*.onnx.data")
    path.write_bytes((-np.frombuffer(path.read_bytes(), "<f4")).tobytes())


def no_weights(bundle: Path) -> None:
    (path,) = bundle.rglob("*.onnx.data")
    path.unlink()


COMMANDS = {
    "server": (sys.executable, "-m", "server", "--self-test"),
    "raspberry_pi": (
        sys.executable, "-m", "thumbs_model", "self-test", "--engine", "onnxruntime"
    ),
    "browser": ("node", "selftest.mjs"),
}  # fmt: skip


@pytest.mark.parametrize("target", COMMANDS)
def test_the_file_of_weights_is_a_part_of_the_artifact(
    built: Path, target: str, tmp_path: Path
) -> None:
    if target == "browser" and web.missing():
        pytest.skip(web.missing())
    for name, change in (("other", other_weights), ("none", no_weights)):
        bundle = Path(
            shutil.copytree(
                built / target, tmp_path / name, ignore=shutil.ignore_patterns("vendor")
            )
        )
        if target == "browser":
            web.vendor(bundle, "onnxruntime")
        change(bundle)
        problems = self_test(bundle, *COMMANDS[target])["problems"]
        (first,) = [each for each in problems if "thumbs.onnx.data is" in each]
        assert first.endswith("missing" if name == "none" else "not the file that was built")
        if name == "other" and target != "raspberry_pi":  # it does not open a damaged artifact
            assert any("tolerance" in each for each in problems), problems


def self_test(bundle: Path, *command: str) -> dict[str, Any]:
    """The report of a bundle's self-test."""
    done = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("KSPEC-SELFTEST ")]
    report = json.loads(line.removeprefix("KSPEC-SELFTEST "))
    assert (done.returncode == 0) is report["pass"], report
    return dict(report)
