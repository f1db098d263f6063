"""Budgets of size: a file or function that outgrows them is split along a seam."""

from __future__ import annotations

import ast
from pathlib import Path

import kspec

PACKAGE = Path(kspec.__file__).parent
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 380, 44
"""The largest of today; they may only sink. The aim is about 300 and 30."""


def test_files_and_functions_keep_their_budgets() -> None:
    large = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text, name = path.read_text("utf-8"), path.relative_to(PACKAGE).as_posix()
        if (lines := text.count("\n")) > LINES_OF_A_FILE:
            large.append(f"{name}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > LINES_OF_A_FUNCTION:
                    large.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    assert large == []
