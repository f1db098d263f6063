"""Source code without its string constants, as tree-sitter reads it."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

from tree_sitter import Language, Node, Parser

LANGUAGES = MappingProxyType(
    {
        ".java": ("tree_sitter_java", "language"),
        ".js": ("tree_sitter_javascript", "language"),
        ".kt": ("tree_sitter_kotlin", "language"),
        ".kts": ("tree_sitter_kotlin", "language"),
        ".mjs": ("tree_sitter_javascript", "language"),
        ".py": ("tree_sitter_python", "language"),
        ".swift": ("tree_sitter_swift", "language"),
        ".ts": ("tree_sitter_typescript", "language_typescript"),
    }
)
"""The grammar of a suffix: its package, and the function that gives it."""
STRINGS = frozenset({"string", "string_literal", "line_string_literal", "multiline_string_literal"})
MOST_NAMES = 2
"""The inputs and outputs of an example."""
INSIDE = frozenset({"interpolation", "interpolated_expression", "template_substitution"})
"""What makes code of a string."""


def skeleton(source: bytes, suffix: str) -> tuple[str, ...]:
    """The tokens of a source file, each string constant as one. Raises SyntaxError where it does
    not parse, or where a string holds an expression."""
    package, name = LANGUAGES[suffix]
    language = Language(getattr(import_module(package), name)())
    root = Parser(language).parse(source).root_node
    if root.has_error:
        raise SyntaxError(f"does not parse as {suffix}")
    return tuple(_tokens(root))


def renamed(found: tuple[str, ...], plain: tuple[str, ...]) -> bool:
    """Whether two skeletons are equal but for names of inputs and outputs: each token is the same,
    or it is one identifier instead of another, always the same one."""
    pairs = {(one, other) for one, other in zip(plain, found, strict=False) if one != other}
    names = [one for one, _ in pairs]
    return (
        len(plain) == len(found)
        and len(set(names)) <= MOST_NAMES
        and all(each.isidentifier() for pair in pairs for each in pair)
    )


def _tokens(node: Node) -> Any:
    if node.type in STRINGS:
        if any(each.type in INSIDE for each in _below(node)):
            raise SyntaxError(f"a string holds code: {node.text!r}")
        yield "string"
    elif node.child_count == 0:
        yield (node.text or b"").decode()
    else:
        for child in node.children:
            yield from _tokens(child)


def _below(node: Node) -> Any:
    for child in node.children:
        yield child
        yield from _below(child)
