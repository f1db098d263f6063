"""Mistakes that people make first: one problem, at its place, with a help that mends it."""

import gzip
from dataclasses import dataclass, field

import pytest

from kspec.pipeline.check import check

SPEC = """\
kspec: 1
name: m
data:
  source: {csv: rows.csv}
inputs:
  x: {number: 2, columns: [a, b]}
outputs:
  y: {category: [bad, good]}
network:
  - dense: {units: 8, activation: relu}
  - dense: {units: 2, activation: softmax}
    name: y
train: {epochs: 3}
targets: {browser: {}}
"""
ROWS = "a,b,y\n" + "1,2,bad\n3,4.5,good\n" * 20
Change = tuple[str, str]


@dataclass(frozen=True)
class Mistake:
    """A change of the sound spec or its rows, and the problem that it makes."""

    code: str
    place: str
    """Line and column in the spec."""
    message: str
    """A part of the message."""
    help: str
    """A part of the help."""
    spec: Change = ("", "")
    rows: Change = ("", "")
    data: bytes | None = None
    """The whole file."""
    mended: dict[str, Change] = field(default_factory=dict)
    """What the help says, done: changes of the wrong `spec` or `rows`."""


LABELS = "[bad, good]"
MISTAKES: dict[str, Mistake] = {
    "labels that are numbers": Mistake(
        "KS203",
        "8:18",
        "expected text, found the number 0",
        'put it in quotes: "0"',
        spec=(LABELS, '[0, "1"]'),
        rows=("bad", "0"),
        mended={"spec": ("[0,", '["0",'), "rows": ("good", "1")},
    ),
    "YAML reads no as false": Mistake(
        "KS112",
        "8:18",
        "`no` is `false` to some YAML readers",
        'write "no" if text is meant',
        spec=(LABELS, "[no, good]"),
        rows=("bad", "no"),
        mended={"spec": ("[no,", '["no",')},
    ),
    "a decimal comma": Mistake(
        "KS520",
        "6:18",
        "'4,5' is not a number in the column 'b'",
        "write a decimal point",
        rows=("4.5", '"4,5"'),
        mended={"rows": ('"4,5"', "4.5")},
    ),
    "thousands": Mistake("KS520", "6:18", "'4 500'", "no separators", rows=("4.5", "4 500")),
    "a currency": Mistake("KS520", "6:18", "'€4.5'", "without a unit", rows=("4.5", "€4.5")),
    "a share": Mistake("KS520", "6:18", "'45%'", "without a unit", rows=("4.5", "45%")),
    "a date": Mistake("KS520", "6:18", "'5.1.2024'", "days since", rows=("4.5", "5.1.2024")),
    "truth values": Mistake("KS520", "6:18", "'True'", "write 1 and 0", rows=("4.5", "True")),
    "a word": Mistake("KS520", "6:18", "'four'", "a column of 0 and 1", rows=("4.5", "four")),
    "Latin-1": Mistake(
        "KS503",
        "4:3",
        "rows.csv is not in UTF-8: it has the byte 0xe9",
        "save it in UTF-8",
        data=ROWS.replace("good", "né").encode("latin-1"),
    ),
    "UTF-16": Mistake("KS503", "4:3", "UTF-16", "UTF-8", data=ROWS.encode("utf-16")),
    "a pointer of Git LFS": Mistake(
        "KS503",
        "4:3",
        "it is a pointer of Git LFS",
        "`git lfs pull`",
        data=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    ),
    "a web page": Mistake("KS503", "4:3", "a web page", "download", data=b"<!DOCTYPE html>\n<p>"),
    "a Parquet file": Mistake("KS503", "4:3", "Parquet", "parquet:", data=b"PAR1" + bytes(9)),
    "a workbook": Mistake("KS503", "4:3", "a workbook", "as CSV", data=b"PK\x03\x04" + bytes(9)),
    "gzip": Mistake("KS503", "4:3", "compressed", "gunzip", data=gzip.compress(ROWS.encode())),
    "JSON lines": Mistake("KS503", "4:3", "JSON", "as CSV", data=b'{"a": 1, "b": 2}\n'),
    "an empty first line": Mistake(
        "KS505",
        "4:3",
        "begins with an empty line",
        "the first line names the columns",
        data=b"\n" + ROWS.encode(),
    ),
    "an address": Mistake(
        "KS211",
        "4:17",
        "there is no file `https://x.org/rows.csv`",
        "download it",
        spec=("rows.csv", "https://x.org/rows.csv"),
    ),
    "a variable of the environment": Mistake(
        "KS211",
        "4:17",
        "there is no file `$DATA/rows.csv`",
        "--set data.source.csv=PATH",
        spec=("rows.csv", "$DATA/rows.csv"),
    ),
    "a call of Keras": Mistake(
        "KS312",
        "10:5",
        "unknown layer or block `Dense(8)`",
        "write `- dense: {…}`",
        spec=("dense: {units: 8, activation: relu}", "Dense(8)"),
        mended={"spec": ("Dense(8)", "dense: {units: 8}")},
    ),
    "an input as a layer": Mistake(
        "KS312",
        "10:5",
        "the layer `input` of Keras",
        "in the section `inputs`",
        spec=("network:\n", "network:\n  - input: {shape: [2]}\n"),
        mended={"spec": ("  - input: {shape: [2]}\n", "")},
    ),
    "a key without a colon": Mistake(
        "KS101", "2:1", "a key without `:`", "`key: value`", spec=("name: m", "name m")
    ),
    "a template": Mistake(
        "KS110", "2:1", "a single line", "quotes", spec=("name: m", "name: {{ name }}")
    ),
    "a list of targets": Mistake(
        "KS203",
        "14:1",
        "expected a mapping, found a list",
        "write `{browser: …, ios: …}`",
        spec=("{browser: {}}", "[browser, ios]"),
        mended={"spec": ("[browser, ios]", "{browser: {}, ios: {}}")},
    ),
    "a list of inputs": Mistake(
        "KS203", "5:1", "found a list", "write `{x: …}`", spec=("  x: {num", "  - x: {num")
    ),
    "shares in percent": Mistake(
        "KS205",
        "5:17",
        "expected a number below 1, found 20",
        "",
        spec=("rows.csv}\n", "rows.csv}\n  split: {test: 20}\n"),
    ),
    "a column of splits with other words": Mistake(
        "KS532",
        "5:19",
        "rows.csv:2: 'training' in 'part' is not a split",
        "the splits are train, validation, test",
        spec=("rows.csv}\n", "rows.csv}\n  split: {column: part}\n"),
        data=b"a,b,y,part\n" + b"1,2,bad,training\n3,4,good,test\n" * 20,
    ),
    "a factor of 0": Mistake(
        "KS209",
        "6:35",
        "a factor of 0 makes all values equal",
        "",
        spec=("[a, b]", "[a, b], rescale: 0"),
    ),
    "a layer's factor of 0": Mistake(
        "KS209",
        "10:16",
        "a factor of 0 makes all values equal",
        "",
        spec=("network:\n", "network:\n  - rescaling: 0\n"),
    ),
    "a metric twice": Mistake(
        "KS209",
        "13:44",
        "this metric is given twice",
        "",
        spec=("epochs: 3", "epochs: 3, metrics: {y: [accuracy, accuracy]}"),
    ),
}


def found(folder, spec: str, data: bytes):
    (folder / "m.yaml").write_text(spec)
    (folder / "rows.csv").write_bytes(data)
    return check(folder / "m.yaml")


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_problem_with_a_way_out(tmp_path, name):
    each = MISTAKES[name]
    assert each.spec[0] in SPEC
    assert each.rows[0] in ROWS
    spec, rows = SPEC.replace(*each.spec), ROWS.replace(*each.rows)
    problems = found(tmp_path, spec, each.data or rows.encode())
    assert [problem.code for problem in problems] == [each.code]
    (problem,) = problems
    assert problem.span is not None
    assert f"{problem.span.line}:{problem.span.column}" == each.place
    assert each.message in problem.message
    assert each.help in (problem.help or "")
    if each.mended:
        spec = spec.replace(*each.mended.get("spec", ("", "")))
        rows = rows.replace(*each.mended.get("rows", ("", "")))
        assert found(tmp_path, spec, rows.encode()) == ()


@pytest.mark.parametrize("data", [ROWS.encode("utf-8-sig"), ROWS.replace("\n", "\r\n").encode()])
def test_marks_and_line_ends_of_windows_are_read(tmp_path, data):
    assert found(tmp_path, SPEC, data) == ()
