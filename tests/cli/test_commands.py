"""The light commands, usage, and what becomes of errors."""

import errno
import json
import os
from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from kspec.commands.builds import gate_lines
from kspec.commands.output import table
from kspec.commands.quiet import without_chatter
from kspec.pipeline.results import GateResult
from kspec.spec.codes import RULES
from kspec.spec.reader import UNSEEN
from kspec.training.interrupts import Terminated


def test_init_writes_a_sound_spec_once(kspec):
    assert kspec("init", "new/model").exit_code == 0
    assert kspec("check", "new/model/model.yaml").stdout == "new/model/model.yaml: ok\n"
    again = kspec("init", "new/model")
    assert again.exit_code == 2
    assert again.stderr.count("KS910") == 2
    assert again.stdout == ""


def test_inspect_shows_shapes_and_lines(kspec, parsed):
    kspec("init")
    found = parsed(kspec("inspect", "model.yaml", "--output-format", "json").stdout, "inspect")
    assert [(each["name"], each["shape"], each["line"]) for each in found["network"]] == [
        ("point", [2], 13),
        ("dense", [16], 18),
        ("dense_2", [16], 19),
        ("place", [1], 20),
    ]
    wider = kspec("inspect", "model.yaml", "--set", "params.width=24")
    assert "24" in wider.stdout
    assert wider.stdout.splitlines()[-1].split() == ["20", "place", "dense", "dense_2", "1"]


def test_schema_knows_the_options_of_targets(kspec):
    schema = json.loads(kspec("schema").stdout)
    targets = json.dumps(schema["properties"]["targets"])
    assert "raspberry_pi" in targets
    assert "iOS17" in json.dumps(schema)


def test_rule_explains_one_or_lists_all(kspec, parsed):
    told = kspec("rule", "ks101").stdout
    assert told.startswith("KS101 not YAML   (exit code 2)\n")
    assert RULES["KS101"].explanation in told
    assert kspec("rule").stdout.count("\n") == len(RULES) + 2
    every = parsed(kspec("rule", "--output-format", "json").stdout, "rule")["rules"]
    assert {each["code"] for each in every} == set(RULES)
    unknown = kspec("rule", "KS10l")
    assert unknown.exit_code == 2
    assert "KS911 no diagnostic has the code `KS10l`" in unknown.stderr
    assert "did you mean `KS10" in unknown.stderr


def test_doctor_names_what_is_missing(kspec, parsed, monkeypatch):
    def found(name):
        if name == "coremltools":
            raise PackageNotFoundError(name)
        return "0.1"

    monkeypatch.setattr("kspec.pipeline.doctor._runtimes", lambda: iter(()))
    sound = kspec("doctor", "--output-format", "json")
    assert sound.exit_code == 0
    names = {each["name"] for each in parsed(sound.stdout, "doctor")["findings"]}
    assert {"python", "tensorflow", "coremltools", "disk", "processors"} <= names
    monkeypatch.setattr("kspec.pipeline.doctor.version", found)
    result = kspec("doctor")
    assert result.exit_code == 3
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "missing" in lines["coremltools"]
    assert "0.1, tested with" in lines["keras"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bild"], "No such command 'bild'"),
        (["check"], "Missing argument 'SPEC...'"),
        (["check", "m.yaml", "--set", "epochs"], "'epochs' is not of the form path=value"),
        (["check", "m.yaml", "--output-format", "xml"], "'xml' is not one of"),
        (["build", "m.yaml", "--quite"], "No such option: --quite"),
        (["predict", "dist", "--input", "rows.json"], "KS914 there is no"),
        (["verify", "."], "KS914 there is no bundle in ."),
        (["inspect", "manifest.json"], "KS914 there is no manifest.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2(kspec, arguments, told):
    result = kspec(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "KS901", 3),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "KS902", 3),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "a/b"), "KS903", 3),
        (ModuleNotFoundError("No module", name="coremltools"), "KS904", 3),
        (PackageNotFoundError("coremltools"), "KS904", 3),
        (MemoryError(), "KS905", 3),
        (KeyboardInterrupt(), "KS930", 130),
        (Terminated(), "KS930", 143),
        (ModuleNotFoundError("No module", name="kspec.gone"), "KS970", 70),
        (AssertionError("never"), "KS970", 70),
    ],
    ids=lambda value: repr(value) if isinstance(value, BaseException) else "",
)
def test_unexpected_errors_are_told(kspec, parsed, monkeypatch, error, code, exit_code):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr("kspec.pipeline.check.load_checked", fail)
    plain = kspec("check", "model.yaml")
    assert plain.exit_code == exit_code
    assert plain.stdout == ""
    assert plain.stderr.startswith(f"{code} ")
    assert "Traceback" not in plain.stderr
    assert "checkpoint" not in plain.stderr
    shown = kspec("--traceback", "check", "model.yaml", "--output-format", "json")
    assert shown.exit_code == exit_code
    assert "Traceback" in shown.stderr
    (found,) = parsed(shown.stdout, "check")["diagnostics"]
    assert found["code"] == code


def test_chatter_of_an_import_is_left_out_and_nothing_else(capfd):
    with without_chatter():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are x\n")
        os.write(2, b"I0000 00:00:1795.1 22 port.cc:153] oneDNN custom operations are on.\n")
        os.write(2, b"E0000 00:00:1795.1 22 port.cc:153] a real error\n")
    os.write(2, b"I0000 afterwards\n")
    assert capfd.readouterr().err == (
        "E0000 00:00:1795.1 22 port.cc:153] a real error\nI0000 afterwards\n"
    )


def test_tables_fit_the_terminal(monkeypatch):
    """No line is longer than the terminal, and nothing is lost where cells are broken."""
    header = ["target", "run by", "root_mean_squared_error", "empty", "size"]
    rows = [
        ["android", "ai-edge-litert 2.3.0 on one thread of the processor", "0.5", "", "1 KB"],
        ["raspberry_pi", "a" * 70, "12.25", "", "151.4 KB"],
    ]
    for columns in (20, 60, 72, 80, 100, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = table(header, rows, right=("size",)).split("\n")
        assert max(map(len, lines)) <= min(max(columns, 60), 100)
        text = Counter("".join(lines))
        wanted = Counter(
            "".join(cell for row in (header, *rows) for cell in row if cell != "empty")
        )
        assert all(text[char] >= count for char, count in wanted.items() if char != " ")
    assert table(["a", "b"], [["1", "22"]], right=("b",)) == "a   b\n─  ──\n1  22"


def test_cells_hold_no_character_that_a_terminal_obeys():
    hidden = "\x1b]0;title\x07\u202egnp.exe\r\u2066\x9b2J\nnext"
    text = table(["label"], [[hidden]])
    assert not UNSEEN.search(text)
    head, _, cell = text.split("\n")
    assert (head, cell) == (
        "label",
        "\\u001b]0;title\\u0007\\u202egnp.exe\\u000d\\u2066\\u009b2J next",
    )


def test_gates_name_formats_and_units():
    gates = [
        GateResult("*.size", "ios", "coreml", "<= 200 KB", 151_400.0, passed=True),
        GateResult("*.size", "onnx", "onnx", "<= 200 KB", 285.0, passed=True),
        GateResult("accuracy", "ios", "coreml", ">= 0.97", 0.994, passed=True),
    ]
    assert gate_lines(gates) == [
        "gate      *.size <= 200 KB: ios (coreml) 151.4 KB, onnx 0.285 KB",
        "gate      accuracy >= 0.97: ios (coreml) 0.994",
    ]


def test_a_model_of_an_older_form_is_not_taken_for_a_spec(kspec):
    Path("model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    result = kspec("emit", "model.h5", "--out", "out")
    assert result.exit_code == 2
    assert "KS730 model.h5 is not a .keras file" in result.stderr
    assert not Path("out").exists()
