"""Client code from templates, in which every value of a spec becomes a literal of the language.

A platform's folder ``templates`` has the structure of its bundle. A file ``*.j2`` is rendered, any
other file is copied. ``{{ … }}`` prints a literal, quoted for the language of the file's suffix: no
text of a spec can become code or markup. Only `Verbatim`, with which a platform marks text that it
knows to be harmless, is printed unquoted. A name in braces in a path,
``Sources/{module}/Model.swift``, is replaced from ``names``.
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
"""Modules that are copied into the Python package of each bundle that has one."""
_WORDS = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is already code."""

    text: str


def render_tree(
    folder: Path, values: Mapping[str, Any], names: Mapping[str, str] = MappingProxyType({})
) -> dict[str, bytes]:
    """Render the templates of a folder; return the files by path. Raises ValueError for a value
    without a literal, and Jinja's errors for a wrong template."""
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
    """Render one template, with literals of the language of its suffix before ``.j2``."""
    suffix = Path(path.name.removesuffix(SUFFIX)).suffix
    return str(_environment(path.parent, suffix).get_template(path.name).render(**values))


@cache
def _environment(folder: Path, suffix: str) -> Environment:
    """Return Jinja's environment for a folder and a language; it compiles each template once."""
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
    """Return parts of a bundle's description as plain data, and other values unchanged."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    return type(value)(map(plain, value)) if isinstance(value, tuple | list) else value


def type_name(name: str) -> str:
    """Return ``BreastCancer`` for ``breast-cancer``: the name of a type or module for a model. A
    model's name consists of letters, digits, - and _."""
    return "".join(word[0].upper() + word[1:] for word in _WORDS.findall(name))


def package_name(name: str) -> str:
    """Return ``breast_cancer`` for ``Breast-Cancer``: the name of a package for a model."""
    return "_".join(word.lower() for word in _WORDS.findall(name))


def spell_json(value: Any) -> str:
    """Return a literal of JSON, JavaScript, TypeScript, Java and YAML: all text is ASCII, and ``<``
    is escaped, so that no text ends a script. Raises ValueError for a number that is not finite."""
    return json.dumps(value, allow_nan=False).replace("<", r"\u003c").replace("\x7f", r"\u007f")


def spell_python(value: Any) -> str:
    """Return a Python literal of plain data. Raises ValueError for a number that is not finite."""
    spell_json(value)
    return ascii(value)


def spell_kotlin(value: Any) -> str:
    """Return a Kotlin literal: ``$`` begins a template there, and ``\\f`` does not exist."""
    if value is None:
        return "null"
    return _scalar(value).replace("$", r"\$").replace(r"\f", r"\u000c")


def spell_swift(value: Any) -> str:
    """Return a Swift literal: its escapes are ``\\u{1F600}``; ``\\b`` and ``\\f`` do not exist."""
    if value is None:
        return "nil"
    if not isinstance(value, str):
        return _scalar(value)
    return '"' + "".join(map(_swift_character, value)) + '"'


def spell_markup(value: Any) -> str:
    """Return text for XML and HTML, also in quoted attributes. Characters outside XML become �."""
    from html import escape  # with the names of 2,000 characters

    text = value if isinstance(value, str) else _scalar(value)
    allowed = (each if each in "\t\n" or each.isprintable() else "\ufffd" for each in text)
    return escape("".join(allowed), quote=True)


def spell_word(value: Any) -> str:
    """Return a word for systemd's units, which quote nothing: letters, digits and ``._-``. Raises
    ValueError for any other character."""
    if not _WORD.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a plain word")
    return str(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} has no literal here")
    return spell_json(value)


def _swift_character(character: str) -> str:
    # Highlighters and tree-sitter treat ``/*`` as a comment even in a string.
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
"""The function that spells a value, by the suffix of the file."""
