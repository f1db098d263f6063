"""The work of `check` grows with the size of a spec and its data, never with the square of it.

Work is counted in executed bytecodes, so that neither load nor the machine matters. From 10 to 160
things it may grow six times as much as from 10 to 40: five times is linear, 17 times is squared.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from kspec.data import header
from kspec.data.header import Header, TooManyComparisonsError
from kspec.pipeline.check import check
from kspec.spec.expansion import MAX_PROBLEMS
from kspec.spec.findings import MAX_LISTED

HEAD = "kspec: 1\nname: m\ninputs: {x: {number: 1}}\noutputs: {y: {category: [a, b]}}\n"
TAIL = "  - {dense: {units: 2, activation: softmax}, name: y}\ntargets: {browser: {}}\n"


def listed(form: str, count: int) -> str:
    return ", ".join(form.format(i) for i in range(count))


def lines(form: str, count: int) -> str:
    return "".join(f"  {form.format(i)}\n" for i in range(count))


SPECS: dict[str, Callable[[int], str]] = {
    "repeat": lambda n: f"{HEAD}network:\n  - {{relu: {{}}, repeat: {n}}}\n{TAIL}",
    "a block used again": lambda n: (
        f"{HEAD}blocks:\n  b: [relu, relu]\nnetwork:\n  - {{b: {{}}, name: c}}\n"
        + lines("- {{use: c, name: u{}}}", n)
        + TAIL
    ),
    "blocks that are outputs": lambda n: (
        f"kspec: 1\nname: m\ninputs: {{x: number}}\noutputs: {{{listed('y{}: number', n)}}}\n"
        "blocks:\n  b: [{dense: 1}]\nnetwork:\n"
        + lines("- {{b: {{}}, from: x, name: y{}}}", n)
        + "targets: {browser: {}}\n"
    ),
    "blocks": lambda n: (
        f"{HEAD}blocks:\n{lines('b{}: [relu]', n)}network:\n{lines('- b{}', n)}{TAIL}"
    ),
    "uses of a wrong param": lambda n: (
        f"{HEAD}params: {{w: ten}}\nnetwork:\n{lines('- dense: ${{w}}', n)}{TAIL}"
    ),
    "params": lambda n: (
        f"{HEAD}params:\n  p0: 1\n"
        + "".join(f"  p{i + 1}: ${{p{i}}}\n" for i in range(n))
        + f"network:\n  - dense: ${{p{n}}}\n{TAIL}"
    ),
    "labels": lambda n: (
        HEAD.replace("a, b", listed("l{}", n))
        + f"network:\n{TAIL}".replace("units: 2", f"units: {n}")
    ),
    "inputs": lambda n: (
        HEAD.replace("x: {number: 1}", listed("x{}: number", n))
        + f"network:\n  - {{concatenate: {{}}, from: [{listed('x{}', n)}]}}\n{TAIL}"
    ),
}


def executed(work: Callable[[], object]) -> int:
    """How many bytecodes `work` executes."""
    count = 0

    def step(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", SPECS)
def test_work_grows_with_the_spec(tmp_path, name):
    path = tmp_path / "m.yaml"
    found = []
    for count in (10, 40, 160):
        path.write_text(SPECS[name](count))
        if not found:
            check(path)  # what is imported and cached once is not counted
        found.append(executed(lambda: check(path)))
    fixed, small, large = found
    assert large - fixed <= 6 * (small - fixed)


WRONG: dict[str, tuple[str, int]] = {
    "unknown keys": (
        f"{HEAD}network:\n{TAIL}train: {{{listed('epochz{}: 1', 900)}}}\n",
        MAX_LISTED,
    ),
    "unknown layers": (f"{HEAD}network:\n{lines('- conv2dd{}', 900)}{TAIL}", MAX_PROBLEMS),
    "unknown names in `from`": (
        f"{HEAD}network:\n  - {{concatenate: {{}}, from: [{listed('rel{}', 900)}]}}\n{TAIL}",
        MAX_PROBLEMS,
    ),
    "unknown targets": (
        f"{HEAD}network:\n{TAIL}".replace("browser: {}", listed("brow{}: {{}}", 900)),
        MAX_LISTED,
    ),
    "arguments": (
        f"{HEAD}blocks:\n  b: [relu]\nnetwork:\n  - b: {{{listed('a{}: 1', 900)}}}\n{TAIL}",
        MAX_LISTED,
    ),
    "unknown names in params": (
        f"{HEAD}params:\n{lines('p{0}: ${{{{q{0}}}}}', 900)}network:\n{TAIL}",
        MAX_LISTED,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_number_of_problems_is_bounded(tmp_path, name):
    """Each problem may cost a search for a suggestion, so their number bounds the work."""
    text, most = WRONG[name]
    (tmp_path / "m.yaml").write_text(text)
    found = check(tmp_path / "m.yaml")
    codes = [each.code for each in found]
    assert most <= len(codes) <= most + 1
    assert (codes[-1] == "KS116") == (most == MAX_LISTED)
    assert all(each.span is not None for each in found)


def test_globs_are_compared_with_columns_of_the_same_beginning():
    names = Header.of([*(f"a{i}" for i in range(500)), *(f"b_{i}_x" for i in range(500)), "a*"])
    assert names.match("a49?") == [f"a{i}" for i in range(490, 500)]
    assert names.comparisons == 10 + 1
    assert names.match("a*") == ["a*"]  # a column of this name is not a glob
    assert names.match("a499") == ["a499"]
    assert names.match("a500") == []
    assert names.comparisons == 10 + 1
    assert names.match("*_1[0-2]_x") == ["b_10_x", "b_11_x", "b_12_x"]
    assert names.match("b[") == []


def test_the_comparisons_of_globs_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "MAX_COMPARISONS", 100)
    names = Header.of(f"a{i}" for i in range(60))
    assert len(names.match("*")) == 60
    with pytest.raises(TooManyComparisonsError):
        names.match("*")
    (tmp_path / "d.csv").write_text(
        ",".join([*(f"a{i}" for i in range(60)), "y"]) + "\n" + "1," * 60
    )
    text = HEAD.replace("number: 1", 'number: 60, columns: ["*0", "*1", "*2"]') + (
        "data: {source: {csv: d.csv}}\ntrain: {epochs: 1}\nnetwork:\n"
    )
    (tmp_path / "m.yaml").write_text(text + TAIL)
    (problem,) = [each for each in check(tmp_path / "m.yaml") if each.code == "KS553"]
    assert (problem.span.line, problem.span.column) == (3, 42)
    assert "too many globs for 61 columns" in problem.message
