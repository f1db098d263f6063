"""Specs and data use bounded time, memory and depth."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from kspec.data.archive import NpzFile
from kspec.data.header import natural_key
from kspec.pipeline.check import check
from kspec.spec import Diagnostic, KspecError, render
from kspec.spec.diagnostics import Span
from kspec.spec.expressions import ExpressionError, evaluate
from kspec.spec.interpolation import interpolate
from kspec.spec.node import Node
from kspec.spec.render.text import MAX_SHOWN
from kspec.spec.untrusted import File

HEAD = """\
kspec: 1
name: m
inputs: {x: {number: 1}}
outputs: {y: {category: [a, b]}}
"""
TAIL = "  - {dense: {units: 2, activation: softmax}, name: y}\ntargets: {browser: {}}\n"


def codes(tmp_path: Path, text: str) -> set[str]:
    (tmp_path / "m.yaml").write_text(text)
    return {each.code for each in check(tmp_path / "m.yaml")}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "round(5, 0-999999999)",
        "round(5, 999999999)",
        "round(5.5, 401)",
        "round(5, 1.5)",
        "9**9**9",
        "2**64",
        "int(1e308)",
        "min(1)",
        "1e308 * 10",
        "9" * 999,
    ],
)
def test_no_expression_is_a_bomb(text):
    with pytest.raises(ExpressionError):
        evaluate(text)


def test_rounding_is_as_before():
    cases = {"2.5": 2, "1234, 0-2": 1200, "0.126, 2": 0.13, "7, 0": 7, "2.5, 0": 2.0}
    assert {each: evaluate(f"round({each})") for each in cases} == cases


def test_text_grows_no_further_than_its_bound():
    names = {"s": Node("x" * 4000, Span("m", 1, 1, 1, 1))}
    with pytest.raises(ExpressionError, match="more than 4,096"):
        interpolate("${s}" * 15_000, names)


@pytest.mark.parametrize(("depth", "right"), [(40, True), (60, False), (5000, False)])
def test_blocks_are_nested_within_bounds(tmp_path, depth, right):
    blocks = "".join(f"  b{i}: [b{i + 1}]\n" for i in range(depth - 1))
    text = f"{HEAD}blocks:\n{blocks}  b{depth - 1}: [relu]\nnetwork:\n  - b0\n{TAIL}"
    assert codes(tmp_path, text) == (set() if right else {"KS310"})


@pytest.mark.parametrize("value", ["null", "[]", "{}", "1", "true", '""', "{a: 1}", "[null]"])
@pytest.mark.parametrize("key", ["loss", "metrics", "class_weight", "optimizer"])
def test_no_value_of_a_training_setting_is_a_fault_of_ours(tmp_path, key, value):
    (tmp_path / "d.csv").write_text("x,y\n1,a\n2,b\n")
    data = "data: {source: {csv: d.csv}, split: {test: 0.2}}\n"
    for written in (value, f"{{y: {value}}}"):
        text = f"{HEAD}{data}network:\n{TAIL}train: {{epochs: 1, {key}: {written}}}\n"
        assert all(each.startswith("KS") for each in codes(tmp_path, text))


def archive(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("x.npy", content)
    return held.getvalue()


def array(x: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.save(held, x)
    return held.getvalue()


def test_every_flipped_byte_of_an_archive_is_a_diagnostic_or_harmless(tmp_path):
    sound = archive(array(np.arange(50.0)))
    refused = 0
    for place in range(len(sound)):
        harmed = bytearray(sound)
        harmed[place] ^= 0x41
        (tmp_path / "rows.npz").write_bytes(harmed)
        with suppress(KspecError):
            NpzFile.open(File(tmp_path, "rows.npz", 1 << 20))
            refused -= 1
        refused += 1
    assert refused > len(sound) // 4


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), [}",
        "{[]: 1}",
        "(" * 500,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000,)}",
        "{'descr': [], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_headers_of_arrays_may_be_anything(tmp_path, header):
    text = header.encode()
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 8
    (tmp_path / "rows.npz").write_bytes(archive(content))
    with pytest.raises(KspecError, match="KS503"):
        NpzFile.open(File(tmp_path, "rows.npz", 1 << 20))


def test_runs_of_digits_have_no_bound():
    names = ["p10", "p9", "p" + "9" * 5000, "p007", "p", "q1", "p1a2", "p1a10"]
    shown = sorted(names, key=natural_key)
    assert shown == ["p", "p1a2", "p1a10", "p007", "p9", "p10", "p" + "9" * 5000, "q1"]


def test_of_very_many_problems_the_first_are_printed():
    found = render(KspecError(*(Diagnostic("KS115", f"n{i}") for i in range(10_000))))
    assert found.count("KS115") == MAX_SHOWN
    assert f"and {10_000 - MAX_SHOWN:,} more" in found
    assert found.endswith("10000 problems found")


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")


@pytest.mark.parametrize(
    "waits",
    [
        "time.sleep(600)",
        # No other thread can run meanwhile.
        pytest.param("ctypes.PyDLL(None).sleep(600)", marks=ON_LINUX),
    ],
)
def test_a_child_ends_with_its_parent(waits):
    """The parent is killed while its child waits."""
    child = (
        "import ctypes, os, time; from kspec.targets.formats.child import end_with_parent;"
        f"end_with_parent(); print(os.getpid(), flush=True); {waits}"
    )
    parent = (
        "import os, subprocess, sys; ours, held = os.pipe();"
        f"subprocess.run([sys.executable, '-c', {child!r}], stdin=ours)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert int(process.stdout.readline()) > 0
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout.read() == b""  # at its end: nobody holds it any more
    process.stdout.close()
