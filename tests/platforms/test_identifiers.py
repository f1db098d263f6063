"""Names of a spec as identifiers: total, different for different names, and parsed as such."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kspec.targets.platforms.identifiers import JAVA, LANGUAGES, identifiers
from tests.platforms.hostile import NAMES, TEXTS
from tests.platforms.skeleton import skeleton

FRAMES = {
    ".java": "record A(int {}, int {}) {{}}",
    ".kt": "class A {{\n    fun f({}: Int, {}: Int): Int = 1\n}}\n",
    ".swift": "struct A {{ func f({}: Int, {}: Int) -> Int {{ 1 }} }}",
}


@given(st.lists(st.text(), unique=True, max_size=12))
def test_every_list_of_names_has_different_identifiers(names: list[str]) -> None:
    for reserved in LANGUAGES.values():
        found = identifiers(names, reserved)
        assert len({each.casefold() for each in found}) == len(names)
        assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", each, re.ASCII) for each in found)
        assert all(each.strip("_") for each in found)
        assert not reserved.intersection(found)
        assert identifiers(names, reserved) == found


def test_plain_names_stay_and_others_make_room() -> None:
    assert identifiers(["photo", "sens"], JAVA) == ("photo", "sens")
    names = ["a-b", "a_b", "load", "Load", "class", "class_", "2nd", "__", "größe", "größe "]
    assert identifiers(names, JAVA) == (
        *("a_b_", "a_b", "load", "Load_", "class_2", "class_", "_2nd", "value__"),
        *("gr__e", "gr__e_"),
    )


@pytest.mark.parametrize("suffix", sorted(LANGUAGES))
def test_hostile_names_parse_as_one_identifier(suffix: str) -> None:
    expected = len(skeleton(FRAMES[suffix].format("a", "b").encode(), suffix))
    names = [*NAMES, *TEXTS]
    found = identifiers(names, LANGUAGES[suffix])
    for first, second in zip(found, reversed(found), strict=True):
        source = FRAMES[suffix].format(first, f"{second}_x").encode()
        assert len(skeleton(source, suffix)) == expected, source
