"""`kspec verify` names every file of a bundle that is changed, missing or added."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from kspec.features.description import FILE, SEAL
from kspec.pipeline.bundles import shipped
from kspec.pipeline.bundles.integrity import MAX_SHOWN
from kspec.pipeline.bundles.shipped import bundles_in, choose, read_manifest, verify_bundles
from kspec.spec import Diagnostic, KspecError
from tests.trust.bundles import CONTENT, ROWS, describe, edit, sha, write


@pytest.fixture(autouse=True)
def no_runtime(monkeypatch):
    """Refuse the handwritten artifact without starting a process."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise KspecError(Diagnostic("KS720", "it does not run"))

    monkeypatch.setattr(shipped, "verify_artifact", refuse)


@pytest.fixture
def bundle(tmp_path):
    return write(tmp_path / "browser")


def problems(folder: Path) -> list[str]:
    """Return the diagnostics of `kspec verify` and `kspec predict` for the folder."""
    with pytest.raises(KspecError) as caught:
        verify_bundles(bundles_in(folder))
    with pytest.raises(KspecError) as also:
        choose(bundles_in(folder))
    assert also.value.diagnostics == caught.value.diagnostics
    return [f"{each.code} {each.message}" for each in caught.value.diagnostics]


def test_a_sound_bundle_is_run(bundle):
    with pytest.raises(KspecError, match=r"^KS720 it does not run$"):
        verify_bundles(bundles_in(bundle))
    assert choose(bundles_in(bundle)).path == bundle / "model/m.onnx"


def test_every_flipped_byte_is_found(bundle):
    drawn = random.Random(2)  # noqa: S311
    names = [name for name, content in CONTENT.items() if content]
    for count in range(60):
        name = names[count % len(names)]
        content = bytearray(CONTENT[name])
        content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
        (bundle / name).write_bytes(content)
        (problem,) = problems(bundle)
        assert problem == f"KS915 {bundle / name} was altered after the build"
        (bundle / name).write_bytes(CONTENT[name])


@pytest.mark.parametrize("name", [*CONTENT, "model", "golden"])
def test_every_missing_file_is_named(bundle, name):
    (shutil.rmtree if (bundle / name).is_dir() else os.remove)(bundle / name)
    gone = [each for each in CONTENT if each == name or each.startswith(f"{name}/")]
    assert sorted(problems(bundle)) == sorted(f"KS915 {bundle / n} is missing" for n in gone)


@pytest.mark.parametrize("content", [None, b"", b"0", "another"])
def test_the_seal_is_required(bundle, content):
    right = (bundle / SEAL).read_bytes()
    if content is None:
        (bundle / SEAL).unlink()
        expected = f"{bundle / SEAL} is missing, so that {FILE} cannot be checked"
    else:
        wrong = right.replace(right[:1], b"g") if content == "another" else content
        (bundle / SEAL).write_bytes(wrong)
        expected = f"{bundle / FILE} or {SEAL} was altered after the build"
    assert problems(bundle) == [f"KS915 {expected}"]


def test_a_description_that_fits_another_seal_is_found(bundle):
    text = (bundle / FILE).read_text()
    for changed in (text + "\n", text.replace('"name": "m"', '"name": "n"')):
        (bundle / FILE).write_text(changed)
        assert problems(bundle) == [f"KS915 {bundle / FILE} or {SEAL} was altered after the build"]


IGNORED = ("vendor", "tools/cache", "**/__pycache__")


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ("vendor/any", None),
        ("vendor", None),
        ("tools/cache/deep/any", None),
        ("__pycache__/a.pyc", None),
        ("model/__pycache__/a.pyc", None),
        ("model/vendor/any", "model/vendor"),
        ("tools/any", "tools"),
        ("cache/any", "cache"),
        ("vendors", "vendors"),
    ],
)
def test_files_of_a_platforms_tools_are_not_compared(bundle, added, named):
    """Ignored files are not read either: tools create links there."""
    edit(bundle, ("ignored",), IGNORED)
    (bundle / added).parent.mkdir(parents=True, exist_ok=True)
    if named is None:
        (bundle / added).symlink_to("/nowhere")
        with pytest.raises(KspecError, match=r"^KS720 it does not run$"):
            verify_bundles(bundles_in(bundle))
    else:
        (bundle / added).write_text("")
        assert problems(bundle) == [f"KS915 {bundle / named} is not part of the bundle"]


@pytest.mark.parametrize(
    ("added", "named"),
    [
        (["more.js"], "more.js"),
        (["model/more"], "model/more"),
        (["sub/deep/a", "sub/deep/b", "sub/c"], "sub"),
        (["__pycache__/index.pyc"], "__pycache__"),
        (["model/__pycache__/a.pyc"], "model/__pycache__"),
        (["sub/kspec-bundle.json"], "sub"),
        ([".hidden"], ".hidden"),
    ],
)
def test_every_added_file_is_named(bundle, added, named):
    for name in added:
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text("")
    assert problems(bundle) == [f"KS915 {bundle / named} is not part of the bundle"]


@pytest.mark.parametrize("goal", ["../elsewhere", "index.js", "/etc/passwd"])
@pytest.mark.parametrize("name", ["index.js", "model", "more"])
def test_no_link_is_part_of_a_bundle(bundle, name, goal):
    (bundle.parent / "elsewhere").write_bytes(CONTENT["index.js"])
    if (bundle / name).is_dir():
        shutil.rmtree(bundle / name)
    (bundle / name).unlink(missing_ok=True)
    (bundle / name).symlink_to(goal)
    (problem,) = problems(bundle)
    assert problem == f"KS915 {bundle}: `{name}` is a symbolic link"


def test_a_description_is_not_read_through_a_link(bundle):
    (bundle / FILE).rename(bundle.parent / "about")
    (bundle / FILE).symlink_to("../about")
    with pytest.raises(KspecError, match=r"KS914 .* is a symbolic link"):
        bundles_in(bundle)


def test_of_very_many_files_the_first_are_named(bundle):
    for index in range(200):
        (bundle / f"more{index:03}").write_text("")
    found = problems(bundle)
    assert len(found) == MAX_SHOWN + 1
    assert "180 more files" in found[-1]


CONTRADICTIONS: dict[str, object] = {
    "golden.file": "../golden.safetensors",
    "golden.pictures": {"x": "/etc/passwd"},
    "artifacts.0.path": "../m.onnx",
    "artifacts.0.files": {"m.onnx": "0" * 64, "../../../etc/passwd": "0" * 64},
    "files": {name: sha(content) for name, content in CONTENT.items() if "onnx" not in name},
}


@pytest.mark.parametrize("route", CONTRADICTIONS)
def test_all_that_a_description_uses_lies_in_the_bundle(bundle, route):
    steps = tuple(int(step) if step.isdigit() else step for step in route.split("."))
    edit(bundle, steps, CONTRADICTIONS[route])
    found = problems(bundle)
    assert any(each.startswith("KS918") for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"kspec_bundle": 1}',
        '{"kspec_bundle": 2}',
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        '{"a": ' + "9" * 100_000 + "}",
        '{"a": "' + "x" * 10_000_000 + '"}',
        "\x00\xff",
        '{"\\ud800": 1}',
    ],
)
def test_a_description_may_be_anything(bundle, text):
    (bundle / FILE).write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(KspecError, match="KS914") as caught:
        bundles_in(bundle)
    assert len(str(caught.value)) < 1000
    manifest = bundle / "manifest.json"
    manifest.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(KspecError, match="KS914") as caught:
        read_manifest(manifest)
    assert len(str(caught.value)) < 1000


WRONG = [None, True, -1, 1.5, 10**30, "", "../x", [], [1], {}, {"a": 1}, "\u202e", [[[[]]]]]


def routes(value: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the routes of all values in plain data."""
    if above:
        yield above
    if isinstance(value, dict):
        steps = list(value.items())
    else:
        steps = list(enumerate(value)) if isinstance(value, list) else []
    for step, each in steps:
        yield from routes(each, (*above, step))


def test_each_field_of_a_description_with_each_wrong_kind(bundle):
    """Every answer is a diagnostic, never a traceback."""
    text = (bundle / FILE).read_text()
    edits = 0
    for route in routes(json.loads(text)):
        for value in WRONG:
            edit(bundle, route, value)
            with pytest.raises(KspecError) as caught:
                verify_bundles(bundles_in(bundle))
            assert caught.value.diagnostics
            describe(bundle, text)
            edits += 1
    assert edits > 800


GOLDEN = {
    "no file at all": b"",
    "a header that is too long": b"\xff" * 8,
    "a huge header": (1 << 40).to_bytes(8, "little") + b"{}",
    "a header that is not JSON": (4).to_bytes(8, "little") + b"[[[[",
    "no arrays": save({}),
    "another name": save({**ROWS, "input/z": ROWS["input/x"]}),
    "no outputs": save({"input/x": ROWS["input/x"]}),
    "another shape": save({**ROWS, "input/x": np.ones((3, 3), np.float32)}),
    "another rank": save({**ROWS, "output/y": np.ones((3,), np.float32)}),
    "another number of rows": save({**ROWS, "output/y": np.ones((4, 2), np.float32)}),
    "no rows": save({name: array[:0] for name, array in ROWS.items()}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_rows_that_do_not_fit(tmp_path, name):
    """The bundle's hashes and seal fit these golden rows."""
    folder = write(tmp_path / "b", {**CONTENT, "golden/golden.safetensors": GOLDEN[name]})
    with pytest.raises(KspecError, match=r"KS918 .*golden\.safetensors"):
        verify_bundles(bundles_in(folder))


def test_options_that_the_format_does_not_have(bundle):
    edit(bundle, ("artifacts", 0, "options"), {"opset": "x"})
    with pytest.raises(KspecError, match="KS918"):
        verify_bundles(bundles_in(bundle))
    edit(bundle, ("artifacts", 0, "options"), {})
    edit(bundle, ("artifacts", 0, "format"), "none")
    with pytest.raises(KspecError, match="KS912"):
        verify_bundles(bundles_in(bundle))
