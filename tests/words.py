"""Phrases that a reader has to solve, and what to write instead: ``python -m tests.words``.

English of this house is plain technical English: subject, verb, object, and every noun named.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PHRASES: dict[str, str] = {
    r"(?<!here )\b(is|are|was|were) no\b(?! longer| more| better| \d)": "is not a …",
    r"\bof others\b": "third-party",
    r"\bof elsewhere\b": "say where: 'not installed', 'outside the folder'",
    r"\bin the stead\b|\bin its stead\b": "in place of",
    r"\bthat (does|do) not do\b": "that cannot be used",
    r"\bwhat (it|they|one|that|this|these) (gives?|holds?|makes?|takes?)\b": "name it",
    r"\bthose (of|that) (what|that|it|which)\b": "name the noun",
    r"\bwhat is none\b|\bthat are none\b|\bwhere there is none\b": "name what is missing",
    r"\bby way of\b": "through",
    r"\bwhatever .{1,20} (gives|is given)\b": "say what it does",
    r"\bgive back\b|\bgives back\b": "return",
    r"\bmade of it\b|\bmade of them\b": "built from …",
}
SUFFIXES = {
    ".py",
    ".md",
    ".j2",
    ".swift",
    ".kt",
    ".java",
    ".js",
    ".mjs",
    ".ts",
    ".css",
    ".yaml",
    ".toml",
}
NOT_OURS = ("tests/words.py", "requirements", "docs/conformance.md")
CLIENTS = ("tests/platforms/",)
"""Tests that quote messages of clients."""


def main() -> int:
    """Print every place; the exit code says whether there is one."""
    found = [line for path in _files() for line in _places(path)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return bool(found)


def _files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\n"):
        path = Path(name)
        client = any(part in name for part in CLIENTS)
        if path.suffix in SUFFIXES and not name.startswith(NOT_OURS) and not client:
            yield path


def _places(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for phrase, better in PHRASES.items():
            if match := re.search(phrase, line):
                yield f"{path}:{number}:{match.start() + 1}: {match[0]!r}: {better}"


if __name__ == "__main__":
    sys.exit(main())
