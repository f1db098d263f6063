"""The browser's package without a browser: types, names, pictures, locks, headers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from kspec.targets.platforms.browser import Browser
from kspec.targets.platforms.browser.package import npm_name
from tests.platforms import web
from tests.platforms.descriptions import described
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
    plain = Browser().files(described(about))
    assert Browser().files(described(about)) == plain
    frames = {name: skeleton(plain[name], Path(name).suffix) for name in CODE}
    for turn in range(len(TEXTS)):
        files = Browser().files(described(disguise(about, turn)))
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
        (tmp_path / f"{turn}.mjs").write_bytes(
            Browser().files(described(disguise(about, turn)))["model.js"]
        )
    modules = [str(tmp_path / f"{turn}.mjs") for turn in turns]
    for turn, found in zip(turns, web.drive("describe.mjs", modules=modules), strict=True):
        given = disguise(about, turn)
        assert found["about"] == given["description"]
        for part in ("inputs", "outputs"):
            assert [each["name"] for each in found[part]] == [
                each["name"] for each in given["signature"][part]
            ]
        for each, output in zip(found["outputs"], given["signature"]["outputs"], strict=True):
            assert each["labels"] == output["decision"]["labels"]
        for each, of in zip(found["inputs"], given["signature"]["inputs"], strict=True):
            columns = of["columns"]
            assert each["columns"] == ([] if each["steps"] else columns)


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
    for name, content in (
        Browser().files(described({**about, "options": {"engine": engine}})).items()
    ):
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
    files = Browser().files(described({**about, "options": {"engine": engine}}))
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
    for name, content in (
        Browser().files(described({**about, "options": {"engine": "litert"}})).items()
    ):
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
