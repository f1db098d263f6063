"""`kspec check`: every mistake at once, with its place, without anything heavy in the process."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HEAVY = {"coremltools", "jinja2", "keras", "onnx", "onnxruntime", "pyarrow", "rich", "tensorflow"}

FIVE = """\
kspec: 1
name: two moons
data:
  source: {csv: moons.csv}
inputs:
  point: {number: 2, columns: [x1, x2]}
outputs:
  moon: {category: {labels: [upper, lower]}}
network:
  - dense: {units: 8, activaton: relu}
  - dense: {units: 2, activation: softmax}
    name: moon
train:
  epochs: ten
targets:
  andriod: {}
gates:
  accuracy: "0.9"
"""
TOLD = """\
model.yaml:2:7: KS207 `two moons` cannot be a name
  |
2 | name: two moons
  |       ^^^^^^^^^
  = help: names have letters, digits, - and _, and begin with a letter

model.yaml:10:23: KS201 unknown key `activaton`
   |
10 |   - dense: {units: 8, activaton: relu}
   |                       ^^^^^^^^^
   = help: did you mean `activation`?

model.yaml:14:11: KS203 expected a whole number, found the text 'ten'
   |
14 |   epochs: ten
   |           ^^^
   = help: a param is written "${ten}"

model.yaml:16:3: KS212 unknown target `andriod`
   |
16 |   andriod: {}
   |   ^^^^^^^
   = help: did you mean `android`?

model.yaml:18:13: KS207 '0.9' is not a gate
   |
18 |   accuracy: "0.9"
   |             ^^^^^
   = help: a gate is a comparison: ">= 0.97", "<= 200 KB", "<= 0.5 %"

5 problems found
"""
PLACES = [(2, 7), (10, 23), (14, 11), (16, 3), (18, 13)]


@pytest.fixture
def five(kspec):
    (kspec.folder / "moons.csv").write_text("x1,x2,moon\n0,1,upper\n1,0,lower\n")
    (kspec.folder / "model.yaml").write_text(FIVE)
    return kspec


def test_five_mistakes_in_a_fresh_process(five):
    done = five.apart("check", "model.yaml", options=("-X", "importtime"))
    assert done.returncode == 2
    assert done.stdout == TOLD
    loaded = set(re.findall(r"^import time:.*\| +(\w+)[\w.]*$", done.stderr, re.MULTILINE))
    assert "kspec" in loaded
    assert not loaded & HEAVY


def test_machines_read_the_same_places(five, parsed):
    result = five("check", "model.yaml", "--output-format", "json")
    assert result.exit_code == 2
    found = parsed(result.stdout, "check")["diagnostics"]
    assert [(each["span"]["line"], each["span"]["column"]) for each in found] == PLACES
    github = five("check", "model.yaml", "--output-format", "github").stdout
    assert re.findall(r"line=(\d+),col=(\d+)", github) == [(str(a), str(b)) for a, b in PLACES]
    junit = ET.fromstring(five("check", "model.yaml", "--output-format", "junit").stdout)  # noqa: S314 - our own
    assert junit.attrib["failures"] == "5"
    sarif = json.loads(five("check", "model.yaml", "--output-format", "sarif").stdout)
    assert len(sarif["runs"][0]["results"]) == 5


def test_several_files_at_once(five):
    sound = FIVE.replace("two moons", "moons").replace("activaton", "activation")
    sound = sound.replace("ten", "10").replace("andriod", "android").replace("0.9", ">= 0.9")
    Path("sound.yaml").write_text(sound)
    result = five("check", "sound.yaml", "model.yaml", "none.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("sound.yaml: ok\n")
    assert "KS115 the spec `none.yaml` cannot be read" in result.stdout
    assert "6 problems found" in result.stdout
    assert five("check", "sound.yaml").exit_code == 0
    empty = five("check", "sound.yaml", "--output-format", "json")
    assert json.loads(empty.stdout)["diagnostics"] == []


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (("accuracy:", "acuracy:"), "KS802", "18:3"),
        (("accuracy:", "ios.accuracy:"), "KS803", "18:3"),
        (("[x1, x2]", "[x1, x3]"), "KS510", "6:36"),
        (("epochs: 3", "epochs: 3\n  early_stopping: {monitor: val_los}"), "KS602", "15:29"),
        (("epochs: 3", "epochs: 3\n  loss: {moon: mean_squared_error}"), "KS603", "15:16"),
        (
            ("{number: 2, columns: [x1, x2]}", "{tensor: {shape: [time, 2]}, columns: x1}"),
            "KS713",
            "16:3",
        ),
        (("moons.csv", "sons.csv"), "KS211", "4:17"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_reading_alone_does_not_show(kspec, change, code, place):
    text = FIVE.replace("two moons", "moons").replace("activaton", "activation")
    text = text.replace("ten", "3").replace("andriod", "android").replace("0.9", ">= 0.9")
    if code == "KS713":
        text = text.replace("network:", "network:\n  - global_average_pooling1d")
        place = "17:3"
    Path("moons.csv").write_text("x1,x2,moon\n0,1,upper\n1,0,lower\n")
    Path("model.yaml").write_text(text.replace(*change))
    result = kspec("check", "model.yaml")
    assert result.exit_code == 2
    assert f"model.yaml:{place}: {code} " in result.stdout
    # A CSV file has no series: the input with an open size does not fit its column either.
    assert f"{'2 problems' if code == 'KS713' else '1 problem'} found" in result.stdout


SIZES = """\
kspec: 1
name: two
inputs: {x: {tensor: [time, 3]}}
outputs: {y: {number: 1}}
network:
  - lstm: 4
  - dense: 1
    name: y
weights: w.safetensors
targets:
  android: {dimensions: {time: 100}}
  raspberry_pi: {engine: litert, dimensions: {time: 100}}
  onnx: {}
"""


def test_targets_fix_a_dimension_at_one_size(kspec):
    Path("w.safetensors").touch()
    Path("model.yaml").write_text(SIZES)
    assert kspec("check", "model.yaml").exit_code == 0
    Path("model.yaml").write_text(SIZES.replace("100", "50", 1))
    result = kspec("check", "model.yaml")
    assert result.exit_code == 2
    assert "model.yaml:12:3: KS717 " in result.stdout
    assert "fixes time at 100, and android at 50" in result.stdout


def test_the_sizes_of_a_target_are_bounded(kspec):
    """A tensor of an open size may be small in the network and too large for a target."""
    Path("w.safetensors").touch()
    Path("model.yaml").write_text(SIZES.replace("100", f"{2**29}"))
    assert kspec("check", "model.yaml").exit_code == 0
    Path("model.yaml").write_text(SIZES.replace("100", f"{2**30}"))
    result = kspec("check", "model.yaml")
    assert result.exit_code == 2
    assert "model.yaml:11:3: KS431 with the sizes of the target android, `x` is" in result.stdout
    assert "(1073741824, 3): 3,221,225,472 values" in result.stdout
