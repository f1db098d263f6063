"""The reader: what scalars mean, where things stand, and what is refused before it costs."""

import math
from itertools import pairwise

import pytest
import yaml

from kspec.spec import KspecError, reader
from kspec.spec.reader import MAX_DEPTH, MAX_NODES, decode, read
from kspec.spec.scalars import RangeError, TrapError, resolve

BIDI = "\u202e"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("9223372036854775807", 2**63 - 1),
        (".inf", math.inf),
        ("1.0.0", "1.0.0"),
        ("1/16", "1/16"),
        ("y", "y"),
        ("e3", "e3"),
        ("1-2", "1-2"),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "ON",
        "off",
        "012",
        "-07",
        "1:30",
        "12:30:45",
        "2024-01-02",
        "1_000",
        "0b11",
        "0x_1",
    ],
)
def test_what_yaml_1_1_reads_differently_is_a_trap(text):
    with pytest.raises(TrapError, match=text):
        resolve(text)
    root, problems = read(f'a: {text}\nb: "{text}"\n', "f")
    assert [each.code for each in problems] == ["KS112"]
    assert root.mapping["b"].value == text


@pytest.mark.parametrize("text", ["9223372036854775808", "-1e999", "9" * 5000, "0x" + "f" * 17])
def test_numbers_stay_within_64_bits(text):
    with pytest.raises(RangeError):
        resolve(text)


def test_every_key_and_value_has_its_place():
    text = 'é: {a: [1, "x"]}\nlist:\n  - b: true\n    c: |\n      text\n  - plain\n'
    root, problems = read(text, "f")
    assert not problems
    assert root.plain() == {"é": {"a": [1, "x"]}, "list": [{"b": True, "c": "text\n"}, "plain"]}

    def slice_of(span):
        assert span.line == span.end_line
        return text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]

    assert slice_of(root.nearest(("é", "a", 1)).span) == '"x"'
    assert slice_of(root.nearest(("é", "a")).key) == "a"
    assert slice_of(root.nearest(("list", 0, "b")).span) == "true"
    assert slice_of(root.nearest(("list", 0)).point()) == "b"
    assert slice_of(root.nearest(("list", 0, "c")).point()) == "c"
    assert slice_of(root.nearest(("list", 1)).point()) == "plain"
    assert root.nearest(("list", 1)).route == ("list", 1)


def test_line_ends_and_byte_order_marks_do_not_move_places():
    root, _ = read(decode(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f"), "f")
    assert (root.mapping["b"].span.line, root.mapping["b"].span.column) == (2, 4)


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{m}, *{m}]\n" for m, n in pairwise("abcdefgh"))


@pytest.mark.parametrize(
    ("text", "code", "place", "most_events"),
    [
        ("[" * 50_000, "KS105", (1, MAX_DEPTH + 1), MAX_DEPTH + 5),
        ("a: " + "{a: " * 50_000, "KS105", (1, 4 * MAX_DEPTH), 2 * MAX_DEPTH + 5),
        ("a: [" + "1," * 500_000 + "]", "KS105", (1, 2 * MAX_NODES - 1), MAX_NODES + 5),
        ("a: " + "x" * 100_000, "KS105", (1, 4), 5),
        (BOMB, "KS106", (1, 4), 5),
        ("a: {<<: {b: 1}}", "KS106", (1, 5), 7),
        ("a: *b", "KS106", (1, 4), 5),
        ("a: !b c", "KS107", (1, 4), 5),
        ("%TAG ! x\n---\na: b", "KS107", (1, 1), 2),
        ('a: "\\0"', "KS103", (1, 4), 5),
        ("a: 1\n...\n---\nb: 2\n", "KS108", (3, 1), 8),
    ],
)
def test_attacks_are_refused_within_few_events(text, code, place, most_events, monkeypatch):
    seen = []
    parse = yaml.parse

    def counted(*arguments, **options):
        for event in parse(*arguments, **options):
            seen.append(event)
            yield event

    monkeypatch.setattr(reader.yaml, "parse", counted)
    with pytest.raises(KspecError) as caught:
        read(text, "f")
    last = caught.value.diagnostics[-1]
    assert (last.code, last.span.line, last.span.column) == (code, *place)
    assert len(seen) <= most_events


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"a" * (1 << 20) + b"a", "KS105", (1, 1)),
        (b"a: 1\nb: \xff", "KS102", (2, 4)),
        (b"a: \x00", "KS103", (1, 4)),
        (f"a: 1 # {BIDI}".encode(), "KS103", (1, 8)),
        ("a: b\u2028c".encode(), "KS103", (1, 5)),
        (b"a: 1\rb: 2", "KS103", (1, 5)),
        (b"a:\n\tb: 1", "KS104", (2, 1)),
        (b"", "KS111", (1, 1)),
        (b"text", "KS111", (1, 1)),
        (b"{a: 1, a: 2}", "KS109", (1, 8)),
        (b"[a]: 1", "KS110", (1, 1)),
        (b"a: 'x", "KS101", (1, 4)),
        (b"a: 1\n b: 2", "KS101", (2, 3)),
        (b"a: [1, 2\nb: 3", "KS101", (1, 4)),
        (b"a: @x", "KS101", (1, 4)),
        (b'a: "\\q"', "KS101", (1, 5)),
    ],
)
def test_bad_text_is_refused_with_its_place(data, code, place):
    try:
        first = read(decode(data, "f"), "f")[1][0]
    except KspecError as error:
        first = error.diagnostics[0]
    assert (first.code, first.span.line, first.span.column) == (code, *place)


def test_problems_that_do_not_hinder_reading_are_all_told():
    _, problems = read("a: no\na: 012\nb: 1:30\n", "f")
    assert [each.code for each in problems] == ["KS112", "KS109", "KS112", "KS112"]
