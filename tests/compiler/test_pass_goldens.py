"""The text of a dozen small graphs after each pass: a change shows in the diff."""

from __future__ import annotations

import pytest

from kspec.compiler.passes import pass_name
from kspec.compiler.passes.common import COMMON
from kspec.compiler.text import format_graph
from kspec.compiler.verifier import verify
from kspec.targets.registry import formats
from tests.compiler.pass_graphs import GOLDEN, GRAPHS, SIZES, stages, text_of

AGAIN = "if the change is meant: python -m tests.compiler.pass_graphs"


@pytest.mark.parametrize("name", GRAPHS)
def test_the_text_after_each_pass(name: str) -> None:
    assert text_of(name) == (GOLDEN / f"{name}.ir").read_text(encoding="utf-8"), AGAIN


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.ir")} == set(GRAPHS)


def test_every_pass_changes_one_of_the_graphs_and_keeps_it_valid() -> None:
    changing = set()
    for name in GRAPHS:
        for title, before, after in stages(name):
            verify(after)
            if format_graph(before) != format_graph(after):
                changing.add(title.rpartition(" ")[2])
    passes = {pass_name(each) for each in COMMON}
    for format_ in formats().values():
        passes |= {pass_name(p) for p in format_.passes(format_.sized(format_.options(), SIZES))}
    assert changing == passes
