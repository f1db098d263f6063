"""The Swift package: its model evaluated in NumPy, its code read by tree-sitter. Whether it
compiles, and what Core ML makes of it, a Mac must show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from kspec.pipeline.store.digests import hashes, sha256_of_list
from kspec.targets.formats.card import Card
from kspec.targets.formats.coreml.evaluator.program import Program
from kspec.targets.formats.coreml.run import CoreMLRunner
from kspec.targets.platforms.ios import IOS
from kspec.targets.platforms.ios.model import MACOS, Modules
from kspec.targets.platforms.ios.options import IOSOptions
from kspec.targets.request import Subject
from tests.platforms import damage
from tests.platforms.descriptions import TOLERANCE, described, picture_steps, port
from tests.platforms.hostile import disguise
from tests.platforms.ios.calls import Swift, parse
from tests.platforms.skeleton import renamed, skeleton

HERE = Path(__file__).parent / "ios"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


@pytest.fixture
def platform() -> str:
    return "ios"


@pytest.fixture(scope="module")
def apple() -> Swift:
    """What Apple's frameworks declare, as far as the package uses them."""
    return Swift.read([(HERE / "Apple.swift").read_bytes()])


def about_of(bundle: Path) -> dict[str, Any]:
    return json.loads((bundle / "kspec-bundle.json").read_text("utf-8"))


def swift(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: each for name, each in files.items() if name.endswith(".swift")}


def texts_of(source: str) -> list[list[str]]:
    """The columns and labels that the generated code holds, read back as Swift reads them."""
    lists = re.findall(r"^ +(?:columns|labels): \[(.*)\],?$", source, re.M)
    texts = (re.findall(r'"((?:[^"\\]|\\u\{\w+\})*)"', each) for each in lists)
    return [
        [re.sub(r"\\u\{(\w+)\}", lambda code: chr(int(code[1], 16)), text) for text in each]
        for each in texts
    ]


def judge(bundle: Path) -> tuple[float, list[str]]:
    """What the package in a bundle makes of its golden rows, one by one: the largest error in units
    of the tolerance, and the labels."""
    about = about_of(bundle)
    (artifact,) = about["artifacts"]
    output = about["signature"]["outputs"][0]
    name, all_labels = output["name"], output["decision"]["labels"]
    golden, runner = (
        load_file(bundle / about["golden"]["file"]),
        CoreMLRunner(bundle / artifact["path"]),
    )
    (given,) = runner.inputs
    assert runner.inputs[given].shape[0] == 1
    found = np.concatenate([runner({given: row[None]})[name] for row in golden[f"input/{given}"]])
    exact, allowed = golden[f"output/{name}"], artifact["tolerances"][name]
    ratio = np.abs(found - exact) / (allowed["atol"] + allowed["rtol"] * np.abs(exact))
    places = found.argmax(1) if output["kind"] == "category" else (found[:, 0] > 0.5).astype(int)
    return float(ratio.max()), [all_labels[place] for place in places]


def test_the_package_in_the_bundle_answers_the_golden_rows(bundle: Path) -> None:
    about = about_of(bundle)
    (artifact,) = about["artifacts"]
    assert sha256_of_list(hashes(bundle, artifact["path"])) == artifact["sha256"]
    ratio, labels = judge(bundle)
    golden = load_file(bundle / about["golden"]["file"])
    (decisions,) = (each for name, each in golden.items() if name.startswith("decision/"))
    assert ratio < 0.1
    assert labels == [bytes(row).rstrip(b"\0").decode() for row in decisions]
    spoil(bundle)
    assert sha256_of_list(hashes(bundle, artifact["path"])) != artifact["sha256"]
    assert judge(bundle)[0] > damage.PLAIN


def spoil(bundle: Path) -> None:
    """Turn the sign of the largest weight whose sign the golden rows react to."""
    weights = bundle / about_of(bundle)["artifacts"][0]["path"] / WEIGHTS
    content = weights.read_bytes()
    numbers = np.abs(np.frombuffer(content, "<f4"))
    plausible = np.flatnonzero((numbers > 0.05) & (numbers < 8))
    for place in plausible[np.argsort(-numbers[plausible])].tolist():
        damaged = bytearray(content)
        damaged[4 * place + 3] ^= 0x80
        weights.write_bytes(damaged)
        if judge(bundle)[0] > damage.PLAIN:
            return
    raise AssertionError("no weight moves the answers to the golden rows")


def test_the_package_says_what_it_is(bundles: Path) -> None:
    about = about_of(bundles / "digits/ios")
    path = bundles / "digits/ios" / about["artifacts"][0]["path"]
    description = Program(path).description
    assert description.metadata.shortDescription == about["description"]
    assert description.metadata.versionString == about["version"]
    labels = json.loads(description.metadata.userDefined["kspec.labels"])
    assert labels == {"digit": about["signature"]["outputs"][0]["decision"]["labels"]}
    (shape,) = (each.type.multiArrayType for each in description.input)
    assert (list(shape.shape), shape.WhichOneof("ShapeFlexibility")) == ([1, 8, 8, 1], None)


def test_names_and_labels_of_calls_exist(bundles: Path, example: str, apple: Swift) -> None:
    files = swift(IOS().files(described(about_of(bundles / example / "ios"))))
    assert Swift.read(files.values()).unknown(apple) == ([], [])
    (engine,) = (name for name in files if name.endswith("/Engine.swift"))
    for right, wrong in (
        (b"contentsOf: place, configuration:", b"contentsOf: place, options:"),
        (b"MLFeatureValue(shapedArray:", b"MLFeatureValue(multiArray:"),
        (b"configuration.computeUnits", b"configuration.computeUnit"),
        (b"engine.run(inputs.map", b"engine.run(rows: inputs.map"),
        (b".applicationSupportDirectory", b".applicationSupport"),
    ):
        assert right in files[engine]
        broken = {**files, engine: files[engine].replace(right, wrong, 1)}
        assert Swift.read(broken.values()).unknown(apple) != ([], []), wrong


def test_every_kind_of_input_and_output(bundles: Path, apple: Swift) -> None:
    about = about_of(bundles / "digits/ios")
    (picture,) = about["signature"]["inputs"]
    about["name"] = "ML"
    about["options"] |= {"batch": None, "minimum": "iOS18"}
    about["signature"] = {
        "inputs": [
            {**picture, "name": "a"},
            {**picture, "name": "b", "steps": picture_steps(1, 255.0, None)},
            port("c", "number", [2], columns=["x", "y"], columns_by_name=True),
            port("d", "tensor", ["time", 2], dtype="int32", columns=[]),
        ],
        "outputs": [
            port("a", "category", [1, 2], decision={"labels": ["x", "y"]}),
            port("b", "binary", [1], decision={"labels": ["x", "y"], "threshold": 0.5}),
            port("c", "number", [2]),
        ],
    }
    tolerances = {name: dict(TOLERANCE) for name in "abc"}
    about["artifacts"][0]["tolerances"] = tolerances
    files = swift(IOS().files(described(about)))
    assert Swift.read(files.values()).unknown(apple) == ([], [])
    source = files["Sources/MLKit/MLModel.swift"].decode()
    assert "predict(a: Pixels, b: Pixels, c: [Float], d: [Int32])" in source
    assert all(
        each in source for each in ("shape: [nil, 2]", "height: nil, width: nil", ".upTo(256)")
    )
    assert "public let c: [Float]" in source
    assert "public let b: BinaryClassification" in source
    assert 'platforms: [.iOS("18.0"), .macOS("15.0")]' in files["Package.swift"].decode()


def test_the_manifest_of_the_package_names_what_is_there(bundle: Path, example: str) -> None:
    source = (bundle / "Package.swift").read_text("utf-8")
    names = Modules(example)
    targets = re.findall(r'(target|executableTarget|testTarget)\(name: "([^"]+)"', source)
    folders = {"target": "Sources", "executableTarget": "Sources", "testTarget": "Tests"}
    assert [name for _, name in targets] == [
        *(names.module, names.golden, names.tool, f"{names.module}Tests")
    ]
    for kind, name in targets:
        assert list((bundle / folders[kind] / name).glob("*.swift")), name
    copied = re.findall(r'\(name: "([^"]+)", resources: \[\.copy\("([^"]+)"\)', source)
    assert len(copied) == 2
    for target, path in copied:
        assert (bundle / "Sources" / target / path).is_dir(), path
    depended = set(
        re.findall(r'"([^"]+)"', " ".join(re.findall(r"dependencies: \[(.*?)\]", source)))
    )
    assert depended <= {name for _, name in targets}
    options = about_of(bundle)["options"]
    assert f'.macOS("{MACOS[options["minimum"]]}")' in source
    used = {name for kind, name in targets if kind == "target"}
    for path in bundle.rglob("*.swift"):
        for module in re.findall(r"^(?:@testable )?import (\w+)", path.read_text("utf-8"), re.M):
            assert module in used | SYSTEM, (path.name, module)


SYSTEM = frozenset(
    {
        *("Accelerate", "CoreGraphics", "CoreML", "CoreVideo", "CryptoKit", "Foundation"),
        *("ImageIO", "PackageDescription", "UIKit", "XCTest"),
    }
)
"""Apple's frameworks that the package imports."""


def test_whatever_a_spec_says_is_a_string_constant(bundles: Path, example: str) -> None:
    about = about_of(bundles / example / "ios")
    files = IOS().files(described(about))
    for name, content in swift(files).items():
        assert parse(content), name
    changed = set()
    for turn in range(200):
        found = IOS().files(described(disguise(about, turn)))
        assert found.keys() == files.keys()
        for name in (each for each in files if found[each] != files[each]):
            changed.add(Path(name).name)
            if name.endswith(".swift"):
                tokens = skeleton(found[name], ".swift"), skeleton(files[name], ".swift")
                assert renamed(*tokens), turn
        said = disguise(about, turn)["signature"]
        wanted = [each["columns"] for each in said["inputs"] if each["kind"] != "image"]
        wanted += [each["decision"]["labels"] for each in said["outputs"]]
        source = found[f"Sources/{Modules(example).module}/{Modules(example).type}.swift"].decode()
        assert [each for each in texts_of(source) if each] == wanted, turn
    assert changed == {"kspec-bundle.json", f"{Modules(example).type}.swift"}


def test_the_bundle_is_what_its_description_makes(bundle: Path) -> None:
    for name, content in IOS().files(described(about_of(bundle))).items():
        assert (bundle / name).read_bytes() == content, name


def test_options_reach_the_artifact() -> None:
    own = Card(version="9.9.9")
    subject = Subject({}, Card(version="1.0.0"))
    (request,) = IOS().requests(IOSOptions(minimum="iOS17", batch=None), subject)
    described = request.options.model_dump()
    assert (described["minimum"], described["batch"]) == ("iOS17", None)
    assert described["card"]["version"] == "1.0.0"
    (request,) = IOS().requests(IOSOptions(card=own), subject)
    described = request.options.model_dump()
    assert (described["card"]["version"], described["batch"]) == ("9.9.9", 1)
