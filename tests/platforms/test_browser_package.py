"""The browser's package without a browser: types, names, pictures, locks, headers."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kspec.data.pictures import decode
from kspec.schemas.features import Image as Picture
from kspec.targets.platforms.browser import Browser
from kspec.targets.platforms.browser.package import npm_name
from tests.platforms import web
from tests.platforms.hostile import TEXTS, disguise
from tests.platforms.skeleton import skeleton

ENGINES = ("onnxruntime", "litert")
CODE = {"model.js", "model.d.ts"}
GENERATED = {*CODE, "package.json", "package-lock.json"}
needs_node = web.needed(web.missing())


@pytest.fixture
def platform() -> str:
    return "browser"


@pytest.fixture
def about(bundle: Path) -> dict[str, Any]:
    return dict(json.loads((bundle / "kspec-bundle.json").read_text()))


def test_texts_of_a_spec_are_only_ever_constants(about: dict[str, Any]) -> None:
    plain = Browser().files(about)
    assert Browser().files(about) == plain
    frames = {name: skeleton(plain[name], Path(name).suffix) for name in CODE}
    for turn in range(len(TEXTS)):
        files = Browser().files(disguise(about, turn))
        assert {name for name in plain if files[name] != plain[name]} <= GENERATED
        for name, frame in frames.items():
            assert skeleton(files[name], Path(name).suffix) == frame, turn
        package = json.loads(files["package.json"])
        assert package["description"] == disguise(about, turn)["description"]
        assert package["name"] == npm_name(about["name"])


@needs_node
def test_constants_come_back_as_they_were(about: dict[str, Any], tmp_path: Path) -> None:
    turns = range(0, len(TEXTS), 5)
    for turn in turns:
        (tmp_path / f"{turn}.mjs").write_bytes(Browser().files(disguise(about, turn))["model.js"])
    modules = [str(tmp_path / f"{turn}.mjs") for turn in turns]
    for turn, found in zip(turns, web.drive("describe.mjs", modules=modules), strict=True):
        given = disguise(about, turn)
        assert found["about"] == given["description"]
        for part in ("inputs", "outputs"):
            assert [each["name"] for each in found[part]] == list(given["signature"][part])
        for each in found["outputs"]:
            assert each["labels"] == given["signature"]["outputs"][each["name"]]["labels"]
        for each in found["inputs"]:
            columns = given["signature"]["inputs"][each["name"]]["columns"]
            assert each["columns"] == ([] if each["kind"] == "image" else columns)


OPTIONS = {
    "allowJs": True,
    "checkJs": True,
    "lib": ["es2024", "dom", "dom.iterable"],
    "module": "nodenext",
    "noEmit": True,
    "strict": True,
    "target": "es2022",
    "types": [],
}


@needs_node
@pytest.mark.parametrize("engine", ENGINES)
def test_the_type_checker_agrees(
    bundle: Path, about: dict[str, Any], engine: str, example: str
) -> None:
    """The client itself, strictly, and uses of it: what is wrong there is an error."""
    for name, content in Browser().files({**about, "options": {"engine": engine}}).items():
        (bundle / name).write_bytes(content)
    files = ["index.js", "lib/selftest.js", "demo/demo.js"]
    if example == "digits":
        shutil.copy(web.DRIVERS / "usage.ts", bundle)
        files.append("usage.ts")
    config = bundle / "tsconfig.json"
    config.write_text(json.dumps({"compilerOptions": OPTIONS, "files": files}))
    checker = web.FOLDER / "drivers/node_modules/typescript/bin/tsc"
    done = web.node(checker, "--project", config, folder=bundle)
    assert done.stdout == ""
    assert done.returncode == 0


def png(mode: str, *, size: tuple[int, int] = (13, 7), **options: Any) -> bytes:
    """A picture of noise."""
    drawn = np.random.default_rng(3)
    pixels = drawn.integers(0, 256, (*size[::-1], 4), np.uint8)
    image = Image.fromarray(pixels, "RGBA")
    image = image.quantize(11) if mode == "P" else image.convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def interlaced() -> bytes:
    """A grey picture in seven passes, which Pillow reads but does not write."""
    pixels = np.random.default_rng(4).integers(0, 256, (9, 11), np.uint8)
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    lines = b"".join(
        b"\0" + line.tobytes()
        for left, top, right, down in passes
        for line in pixels[top::down, left::right]
        if line.size
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 11, 9, 8, 0, 0, 0, 1)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def turned(orientation: int) -> bytes:
    """A picture that EXIF says is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png("RGB", exif=exif)


PICTURES = {
    "bits": lambda: png("1"),
    "grey": lambda: png("L"),
    "grey with alpha": lambda: png("LA"),
    "palette of 4 bits": lambda: png("P", bits=4),
    "palette, transparent": lambda: png("P", transparency=bytes(range(0, 110, 10))),
    "colour": lambda: png("RGB"),
    "colour, one transparent": lambda: png("RGB", transparency=(1, 2, 3)),
    "colour with alpha": lambda: png("RGBA"),
    "interlaced": interlaced,
    **{f"turned, {each}": partial(turned, each) for each in range(1, 9)},
}
WANTED = (
    Picture(height=7, width=13, channels=1, maximum=16.0, resize="bilinear"),
    Picture(height=5, width=29, channels=3, resize="bilinear"),
    Picture(height=17, width=6, channels=4, maximum=1.0, resize="nearest"),
    Picture(height=1, width=1, channels=2, resize="bilinear"),
)


def described(wanted: Picture) -> dict[str, Any]:
    return {
        "name": "x",
        "kind": "image",
        "dtype": "float32",
        "shape": ["batch", wanted.height, wanted.width, wanted.channels],
        "columns": [],
        "picture": {"maximum": wanted.maximum, "resize": wanted.resize},
    }


@needs_node
@pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning")
@pytest.mark.parametrize("example", ["digits"])
def test_pictures_become_what_they_are_in_training(bundle: Path) -> None:
    pairs = [(content(), wanted) for content in PICTURES.values() for wanted in WANTED]
    cases = [
        {"input": described(wanted), "base64": base64.b64encode(content).decode()}
        for content, wanted in pairs
    ]
    results = web.drive("prepare.mjs", bundle=str(bundle), cases=cases)
    for (content, wanted), found in zip(pairs, results, strict=True):
        expected = decode(io.BytesIO(content), wanted).astype(np.float32)
        np.testing.assert_array_equal(np.float32(found["data"]), expected.reshape(-1))


@needs_node
@pytest.mark.parametrize("example", ["digits"])
def test_what_is_no_input_is_refused(bundle: Path) -> None:
    strict = described(Picture(height=7, width=13, channels=1))
    row = {"name": "x", "kind": "numeric", "dtype": "float32", "shape": ["batch", 2],
           "columns": ["__proto__", "b"], "picture": None}  # fmt: skip
    array = {**row, "kind": "tensor", "shape": ["batch", "time", 2], "columns": []}
    good = png("L")
    refused: list[tuple[dict[str, Any], Any, str]] = [
        (strict, png("L", size=(12, 7)), "12 × 7 pixels, the model takes 13 × 7"),
        (strict, good[:60], "damaged PNG"),
        (strict, good[:-30] + good[-12:], "damaged PNG"),
        (strict, b"GIF89a", "outside of a browser"),
        (row, {"b": 1}, "__proto__ is missing"),
        (row, json.loads('{"__proto__": 1, "b": 2, "c": 3}'), "no column c"),
        (row, json.loads('{"__proto__": 1, "b": "2"}'), "b is no number"),
        (row, [1, 2, 3], "3 values, not 2"),
        (row, 7, "an object by column"),
        (array, {"data": [1, 2, 3], "shape": [1, 3]}, "not time × 2"),
        (array, {"data": [1, 2, 3], "shape": [1, 2]}, "3 values, not 2"),
    ]
    deep = io.BytesIO()
    Image.fromarray(np.zeros((7, 13), np.uint16)).save(deep, "PNG")
    refused.append((strict, deep.getvalue(), "more than eight bits"))
    cases = [
        {"input": given, "base64": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else {"input": given, "value": value}
        for given, value, _ in refused
    ]
    results = web.drive("prepare.mjs", bundle=str(bundle), cases=cases)
    for (_, value, problem), found in zip(refused, results, strict=True):
        assert re.match("(TypeError|RangeError): ", found["error"]), found
        assert problem in found["error"], value


@needs_node
@pytest.mark.parametrize("example", ["breast-cancer"])
def test_a_gpu_that_answers_otherwise_is_not_taken(bundle: Path) -> None:
    cases = [[0.5, 0.5], [0.50001, 0.5], [0.42, 0.5], ["NaN", 0.5], [1000.5, 1000]]
    found = web.drive("probe.mjs", bundle=str(bundle), cases=cases)
    assert [each["taken"] for each in found] == [
        "candidate", "candidate", "reference", "reference", "candidate"
    ]  # fmt: skip
    assert all(len(each["closed"]) == 1 for each in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_installed_is_pinned(about: dict[str, Any], engine: str) -> None:
    files = Browser().files({**about, "options": {"engine": engine}})
    package, lock = json.loads(files["package.json"]), json.loads(files["package-lock.json"])
    root, *packages = lock["packages"].values()
    assert (lock["name"], root["name"]) == (package["name"],) * 2
    assert (lock["version"], root["version"]) == (package["version"],) * 2
    assert root["devDependencies"] == package["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", each) for each in package["devDependencies"].values())
    assert "dependencies" not in package
    for each in packages:
        assert each["integrity"].startswith("sha512-")
        assert "resolved" not in each


@needs_node
@pytest.mark.parametrize("example", ["digits"])
def test_npm_brings_the_runtime_and_holds_it_to_its_hash(
    bundle: Path, about: dict[str, Any]
) -> None:
    for name, content in Browser().files({**about, "options": {"engine": "litert"}}).items():
        (bundle / name).write_bytes(content)
    install = ("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund")
    subprocess.run(install, cwd=bundle, check=True, capture_output=True)
    wanted = json.loads((bundle / "package.json").read_text())["vendor"]["files"]
    found = [path for path in (bundle / "vendor").rglob("*") if path.is_file()]
    assert {path.relative_to(bundle / "vendor").as_posix() for path in found} == set(wanted)
    modules = [path.read_text() for path in found if path.suffix == ".js"]
    assert not [text for text in modules if re.search(r'from\s*"[^./]', text)]
    lock = bundle / "package-lock.json"
    lock.write_text(re.sub(r"sha512-...", "sha512-AAA", lock.read_text()))
    done = subprocess.run(install, cwd=bundle, check=False, capture_output=True, text=True)
    assert "EINTEGRITY" in done.stderr


@pytest.fixture
def served(bundle: Path) -> Iterator[HTTPConnection]:
    """A connection to the bundle's own server."""
    command = ("node", str(bundle / "serve.mjs"), "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().rstrip("/\n").rpartition(":")[2])
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        yield connection
        connection.close()
        server.terminate()


@needs_node
@pytest.mark.parametrize("example", ["digits"])
def test_the_server_sends_the_headers_and_nothing_else(
    bundle: Path, served: HTTPConnection
) -> None:
    def get(path: str) -> tuple[int, dict[str, str], bytes]:
        served.request("GET", path)
        response = served.getresponse()
        return response.status, dict(response.getheaders()), response.read()

    status, headers, page = get("/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    (meta,) = re.findall(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', page.decode())
    assert policy == f"{meta}; frame-ancestors 'none'"
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert not re.search(rb"<script(?![^>]*src=)|<style| style=| on\w+=", page)
    assert get("/index.js")[1]["Content-Type"].startswith("text/javascript")
    (bundle.parent / "secret.txt").write_text("secret")
    (bundle / ".env").write_text("secret")
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/.env", "/%00", "/%"):
        assert get(path)[0] == 404, path
