"""Texts that a spec may hold and that no generated code may take for code."""

from __future__ import annotations

import copy
import random
from typing import Any

_PIECES = (
    '"', "'", "\\", "`", "\n", "\r", "\t", "\b", "\f", "\x00", "\x07", "\x1b", "\x7f", "\x85",
    "\u2028", "\u2029", "\u202e", "\u200b", "\ufeff", "\ufffe", "é", "ß", "中", "\U0001f600",
    "$", "${x}", "$x", "#{x}", "\\(x)", "\\u0022", "\\u{22}", "\\x22", "\\N{DIGIT ONE}", "%s",
    "%(x)s", "%n", "{0}", "{x}", "{{ x }}", "{% raw %}", "{# x #}", "<%= x %>", "<?php ?>",
    "*/", "/*", "//", "--", "#", "-->", "<!--", "]]>", "<![CDATA[", "</script>", "</style>",
    "<img src=x onerror=alert(1)>", "&lt;", "&#34;", "&", "<", ">", '"""', "'''", '"#', "#\"",
    "; import os; os._exit(3)", "`rm -rf /`", "$(rm -rf /)", "| sh", "&& true", "'; DROP TABLE x",
    "__import__('os')", "constructor", "__proto__", "toString", "class", "import", "self", "nil",
    "null", "None", "true", "default", "package", "fun", "func", "let", "=1+1", "@x", "..", "/",
    "../../etc/passwd", "C:\\nul", "a\\", "\\\\", " ", "  x  ",
)  # fmt: skip


def _mixed(count: int) -> tuple[str, ...]:
    drawn = random.Random(11)  # noqa: S311
    found = dict.fromkeys(_PIECES)
    while len(found) < count:
        found["".join(drawn.choices(_PIECES, k=drawn.randint(2, 5)))] = None
    return tuple(found)


TEXTS = _mixed(200)
NAMES = (
    "class", "constructor", "toString", "self", "init", "default", "None", "null", "true", "fun",
    "operator", "Type", "Protocol", "package", "import", "new", "in", "is", "as", "async", "await",
    "lambda", "x-y", "X_y", "yield", "hasOwnProperty", "prototype", "then", "length", "String",
)  # fmt: skip
"""Names that a spec may give to inputs and outputs."""


def disguise(about: dict[str, Any], turn: int) -> dict[str, Any]:
    """The description of a bundle with other texts in every place where a spec may have any, in
    equal numbers: labels, columns, description, and the names of inputs and outputs."""
    texts = [TEXTS[(turn + step) % len(TEXTS)] for step in range(len(TEXTS))]
    names = [NAMES[(turn + step) % len(NAMES)] for step in range(len(NAMES))]
    found = copy.deepcopy(about)
    found["description"] = "".join(texts[:3])
    pictures = found["golden"]["pictures"]
    found["golden"]["pictures"] = {}
    for value in found["signature"]["inputs"]:
        value["columns"] = texts[: len(value["columns"])]
        before, value["name"] = value["name"], names.pop()
        if before in pictures:
            found["golden"]["pictures"][value["name"]] = pictures[before]
    for value in found["signature"]["outputs"]:
        before, value["name"] = value["name"], names.pop()
        for artifact in found["artifacts"]:
            artifact["tolerances"][value["name"]] = artifact["tolerances"].pop(before)
        if value["decision"]:
            value["decision"]["labels"] = texts[: len(value["decision"]["labels"])]
    return found
