"""What a spec says is a literal in every language, whatever it holds."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kspec.targets.platforms.templates import LITERALS, Verbatim, render, render_tree, type_name
from tests.platforms.hostile import TEXTS
from tests.platforms.skeleton import LANGUAGES, skeleton

FRAMES = {
    ".java": "class A {{ String x = {}; }}",
    ".js": "const x = {};",
    ".kt": "val x = {}",
    ".kts": "val x = {}",
    ".mjs": "const x = {};",
    ".py": "x = {}",
    ".swift": "let x = {}",
    ".ts": "const x: string = {};",
}


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_text_is_one_string_constant(suffix: str) -> None:
    expected = skeleton(FRAMES[suffix].format('"x"').encode(), suffix)
    for text in TEXTS:
        source = FRAMES[suffix].format(LITERALS[suffix](text)).encode()
        assert skeleton(source, suffix) == expected, text
    # Two texts beside each other make nothing together.
    sums = [" + ".join(map(LITERALS[suffix], each)) for each in (("/*", "*/"), ("a", "b"))]
    first, second = (skeleton(FRAMES[suffix].format(each).encode(), suffix) for each in sums)
    assert first == second


@given(st.text())
def test_text_comes_back(text: str) -> None:
    assert json.loads(LITERALS[".json"](text)) == text
    assert ast.literal_eval(LITERALS[".py"](text)) == text
    quoted = LITERALS[".xml"](text)
    shown = ET.fromstring(f"<a b='{quoted}'>{quoted}</a>")  # noqa: S314 - our own text
    plain = "".join(each if each in "\t\n" or each.isprintable() else "\ufffd" for each in text)
    assert shown.text in (plain, None if plain == "" else plain)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_has_no_literal_is_an_error(value: object) -> None:
    for suffix in (".kt", ".swift"):
        with pytest.raises((ValueError, TypeError)):
            LITERALS[suffix](value)


def test_nothing_has_a_literal_in_each_language() -> None:
    found = {suffix: LITERALS[suffix](None) for suffix in (".kt", ".swift", ".java", ".py", ".js")}
    assert found == {".kt": "null", ".swift": "nil", ".java": "null", ".py": "None", ".js": "null"}


def test_where_nothing_is_quoted_only_words_are_printed() -> None:
    assert LITERALS[".service"]("breast-cancer_2.0") == "breast-cancer_2.0"
    assert LITERALS[".socket"](512) == LITERALS[".config"](512) == "512"
    for text in (*TEXTS, "", "a b", "a\n"):
        if not re.fullmatch(r"[\w.-]+", text, re.ASCII):
            with pytest.raises(ValueError, match="not a plain word"):
                LITERALS[".service"](text)


def test_a_tree_is_rendered_by_suffix(tmp_path) -> None:
    (tmp_path / "{module}").mkdir()
    (tmp_path / "{module}/A.swift.j2").write_text("let {{ name }} = {{ text }}\n")
    (tmp_path / "plain.txt").write_text("{{ text }}")
    values = {"name": Verbatim("x"), "text": 'a"\\(b)'}
    found = render_tree(tmp_path, values, {"module": type_name("breast-cancer")})
    assert found == {
        "BreastCancer/A.swift": b'let x = "a\\u{22}\\u{5c}(b)"\n',
        "plain.txt": b"{{ text }}",
    }
    assert (
        render(tmp_path / "{module}/A.swift.j2", values).encode() == found["BreastCancer/A.swift"]
    )
