"""The source files that decide a stage's result: the static import closure of its modules.

Files are scanned for import statements line by line. No module is imported or parsed, so that a
build with nothing to do spends milliseconds here. A changed comment changes the hash.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAME = "kspec"
OWN = len(("kspec", "targets", "formats", "onnx"))

_IMPORT = re.compile(
    rf"^[ \t]*(?:from ({NAME}(?:\.\w+)*) import (?:\(([^)]*)\)|([^\n#]*))"
    rf"|import ({NAME}(?:\.\w+)*)(?=\s))",
    re.MULTILINE,
)
_TYPING = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:\1[ \t]+[^\n]*\n|\n)*", re.M)
_COMMENT = re.compile(r"#[^\n]*")


@cache
def code_digest(*roots: str) -> str:
    """Return the hash, in hex, of all files in the import closure of these modules and packages."""
    digest = hashlib.sha256()
    for file in closure(*roots):
        digest.update(os.fsencode(file) + b"\0" + _file_digest(file))
    return digest.hexdigest()[:16]


@cache
def closure(*roots: str) -> tuple[str, ...]:
    """Return the files of these modules, of all modules of kspec that they import, directly or not,
    and of the packages around them: paths below kspec's parent folder, in order. A root that is a
    package contributes every file below it, including templates. Imports for type checkers are
    ignored. Raises ValueError for an unknown root."""
    found: set[str] = set()
    waiting = [file for root in roots for file in _files(root)]
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            waiting += _needed(file)
    return tuple(sorted(found))


def own_roots(module: str) -> tuple[str, ...]:
    """Return the folder or module of a format or platform of kspec; empty for a third-party one,
    whose version is a part of the key instead."""
    parts = module.split(".")
    return (".".join(parts[:OWN]),) if parts[0] == NAME else ()


@cache
def _index() -> tuple[str, ...]:
    """Return every file of kspec, in order."""
    return tuple(
        sorted(
            Path(folder, name).relative_to(ROOT).as_posix()
            for folder, _, names in os.walk(ROOT / NAME)
            if not folder.endswith("__pycache__")
            for name in names
        )
    )


@cache
def _known() -> frozenset[str]:
    return frozenset(_index())


def _files(root: str) -> list[str]:
    path = root.replace(".", "/")
    files = [*_modules(root), *_below(path)]
    if f"{path}.py" not in files and f"{path}/__init__.py" not in files:
        raise ValueError(f"{root} is not a module of {NAME}")
    return files


@cache
def _below(folder: str) -> tuple[str, ...]:
    return tuple(each for each in _index() if each.startswith(f"{folder}/"))


@cache
def _modules(name: str) -> tuple[str, ...]:
    """Return the file of a module and the `__init__` of each package around it; empty for a name
    that is not a module."""
    parts = name.split(".")
    names = ("/".join(parts[: count + 1]) for count in range(len(parts)))
    tried = (each for path in names for each in (f"{path}/__init__.py", f"{path}.py"))
    return tuple(each for each in tried if each in _known())


@cache
def _needed(file: str) -> tuple[str, ...]:
    """Return the files that a file imports, at its top or in a function, and the templates beside
    it."""
    if not file.endswith(".py"):
        return ()
    found = {each for name in imported(file) for each in _modules(name)}
    return (*found, *_below(f"{file.rpartition('/')[0]}/templates"))


def imported(file: str) -> frozenset[str]:
    """Return the names of this package's modules, and of names in them, that a file imports."""
    names: set[str] = set()
    for match in _IMPORT.finditer(_TYPING.sub("", (ROOT / file).read_text("utf-8"))):
        module, bracketed, listed, plain = match.groups()
        names.add(module or plain)
        for each in _COMMENT.sub("", bracketed or listed or "").split(","):
            if words := each.split():
                names.add(f"{module}.{words[0]}")
    return frozenset(names)


@cache
def _file_digest(file: str) -> bytes:
    return hashlib.sha256((ROOT / file).read_bytes()).digest()
