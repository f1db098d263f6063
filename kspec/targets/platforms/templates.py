"""Client code from templates, in which whatever a spec says is a literal of the language.

A platform's folder ``templates`` looks like its bundle. A file ``*.j2`` is rendered, any other is
taken as it is. What ``{{ … }}`` prints becomes a literal, quoted as the file's suffix asks: no text
of a spec can become code or markup. Only `Verbatim`, which a platform makes of what it knows to be
harmless, is printed as it stands. A name in braces in a path, ``Sources/{module}/Model.swift``, is
replaced from ``names``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from jinja2 import Environment

SUFFIX = ".j2"
SHARED_PYTHON = Path(__file__).parent / "shared" / "python"
"""Modules that every bundle with a Python package copies into it."""
_WORDS = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is code already."""

    text: str


def render_tree(
    folder: Path, values: Mapping[str, Any], names: Mapping[str, str] = MappingProxyType({})
) -> dict[str, bytes]:
    """The files that the templates of a folder make, by path. Raises ValueError for a value that
    has no literal, and what Jinja raises for a wrong template."""
    found: dict[str, bytes] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if "__pycache__" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        placed = re.sub(r"\{(\w+)\}", lambda match: names[match[1]], name)
        if name.endswith(SUFFIX):
            found[placed.removesuffix(SUFFIX)] = render(path, values).encode()
        else:
            found[placed] = path.read_bytes()
    return found


def render(path: Path, values: Mapping[str, Any]) -> str:
    """One template, with literals of the language that its name without ``.j2`` ends in."""
    suffix = Path(path.name.removesuffix(SUFFIX)).suffix
    return str(_environment(path.parent, suffix).get_template(path.name).render(**values))


@cache
def _environment(folder: Path, suffix: str) -> Environment:
    """Templates of a folder and a language; they are compiled once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    spell = LITERALS[suffix]
    return Environment(  # noqa: S701 - what is printed is quoted by ``finalize``
        loader=FileSystemLoader(folder),
        finalize=lambda value: value.text if isinstance(value, Verbatim) else spell(plain(value)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def plain(value: Any) -> Any:
    """Parts of a bundle's description as plain data; anything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    return type(value)(map(plain, value)) if isinstance(value, tuple | list) else value


def type_name(name: str) -> str:
    """``BreastCancer`` of ``breast-cancer``: a model's name, which is letters, digits, - and _, as
    the name of a type or module."""
    return "".join(word[0].upper() + word[1:] for word in _WORDS.findall(name))


def package_name(name: str) -> str:
    """``breast_cancer`` of ``Breast-Cancer``: a model's name as that of a package."""
    return "_".join(word.lower() for word in _WORDS.findall(name))


def spell_json(value: Any) -> str:
    """In JSON, and as well in JavaScript, TypeScript, Java and YAML: all text is ASCII, and no
    ``<`` ends a script. Raises ValueError for a number that is not finite."""
    return json.dumps(value, allow_nan=False).replace("<", r"\u003c").replace("\x7f", r"\u007f")


def spell_python(value: Any) -> str:
    """In Python, plain data as JSON has it. Raises ValueError for a number that is not finite."""
    spell_json(value)
    return ascii(value)


def spell_kotlin(value: Any) -> str:
    """In Kotlin, where ``$`` begins a template and there is no ``\\f``."""
    if value is None:
        return "null"
    return _scalar(value).replace("$", r"\$").replace(r"\f", r"\u000c")


def spell_swift(value: Any) -> str:
    """In Swift, whose escapes are ``\\u{1F600}``, and which has neither ``\\b`` nor ``\\f``."""
    if value is None:
        return "nil"
    if not isinstance(value, str):
        return _scalar(value)
    return '"' + "".join(map(_swift_character, value)) + '"'


def spell_markup(value: Any) -> str:
    """In XML and HTML, as text or in a quoted attribute. What XML cannot hold at all becomes �."""
    from html import escape  # with the names of 2,000 characters

    text = value if isinstance(value, str) else _scalar(value)
    allowed = (each if each in "\t\n" or each.isprintable() else "\ufffd" for each in text)
    return escape("".join(allowed), quote=True)


def spell_word(value: Any) -> str:
    """Where nothing is quoted, in systemd's units: letters, digits and ``._-`` as they stand.
    Raises ValueError for anything else."""
    if not _WORD.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a plain word")
    return str(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} has no literal here")
    return spell_json(value)


def _swift_character(character: str) -> str:
    # Highlighters and tree-sitter take ``/*`` for a comment even in a string.
    plain = character.isascii() and character.isprintable() and character not in '"\\*'
    # A lone surrogate is not a character of Swift.
    code = 0xFFFD if 0xD800 <= ord(character) < 0xE000 else ord(character)
    return character if plain else f"\\u{{{code:x}}}"


LITERALS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        **dict.fromkeys((".json", ".js", ".mjs", ".ts", ".java", ".yaml", ".yml"), spell_json),
        **dict.fromkeys((".html", ".xml"), spell_markup),
        **dict.fromkeys((".config", ".service", ".socket"), spell_word),
        **dict.fromkeys((".kt", ".kts"), spell_kotlin),
        ".py": spell_python,
        ".swift": spell_swift,
    }
)
"""How a value is spelled, by the suffix of the file."""
