"""Arithmetic: as Python computes it, within bounds, and nothing but arithmetic."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kspec.spec.diagnostics import Span
from kspec.spec.expressions import ExpressionError, UnknownValueError, evaluate_number
from kspec.spec.interpolation import interpolate
from kspec.spec.node import Node

PLACE = Span("f", 1, 1, 1, 1)
NAMES = {
    "w": Node(16, PLACE),
    "s": Node("same", PLACE),
    "t": Node(True, PLACE),
    "k": Node([Node(3, PLACE)], PLACE),
    "gone": Node(None, PLACE, "unknown"),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${2 * w}", 32),
        ("${w / 2}", 8),
        ("${w / 32}", 0.5),
        ("${2 ** 3 ** 2}", 512),
        ("${-2 ** 2}", -4),
        ("${2 ** -1}", 0.5),
        ("${7 // 2 - 7 % 4}", 0),
        ("${min(w, 3) + max(1, 2) + round(2.6) + int(1.9)}", 9),
        ("${s}", "same"),
        ("${t}", True),
        ("block${w}-${s}-${t}", "block16-same-true"),
        ("$${w} $5", "${w} $5"),
        ("${ .5e1 }", 5.0),
        (" ${w}\n", 16),
    ],
)
def test_placeholders(text, value):
    found = interpolate(text, NAMES)
    assert found == value
    assert type(found) is type(value)


def test_a_lone_name_stands_for_any_value():
    assert interpolate("${k}", NAMES) is NAMES["k"].value
    with pytest.raises(UnknownValueError):
        interpolate("${gone + 1}", NAMES)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("${9**9**9}", "KS303", (3, 5)),
        ("${10**19}", "KS303", (4, 6)),
        ("${1/0}", "KS303", (3, 4)),
        ("${(-8)**.5}", "KS303", (6, 8)),
        ("${1e999}", "KS303", (2, 7)),
        ("${int(1, 2)}", "KS303", (2, 5)),
        ("${s + 1}", "KS303", (2, 3)),
        ("${t + 1}", "KS303", (2, 3)),
        ("${" + "(" * 80 + "}", "KS303", (52, 53)),
        ("${" + "1+" * 600 + "1}", "KS303", (2, 3)),
        ("a${k}", "KS303", (1, 5)),
        ("${ww}", "KS302", (2, 4)),
        ("${__import__}", "KS302", (2, 12)),
        ("${w", "KS301", (0, 2)),
        ("${}", "KS301", (2, 3)),
        ("${1 2}", "KS301", (4, 5)),
        ("${(1}", "KS301", (2, 3)),
        ("${w.x}", "KS301", (3, 4)),
        ("${'a'}", "KS301", (2, 3)),
        ("${٣}", "KS301", (2, 3)),
    ],
)
def test_errors_point_into_the_text(text, code, place):
    with pytest.raises(ExpressionError) as caught:
        interpolate(text, NAMES)
    assert (caught.value.code, (caught.value.start, caught.value.end)) == (code, place)


numbers = st.one_of(st.integers(0, 99), st.sampled_from([0.5, 1.25, 1e3])).map(repr)
arithmetic = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner).map(
            "".join
        ),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=6,
)


@given(arithmetic)
def test_it_computes_what_python_computes(text):
    try:
        found = evaluate_number(text)
    except ExpressionError:
        return
    wanted = eval(text)  # noqa: S307
    assert math.isclose(found, wanted, rel_tol=1e-12)


@given(st.text(alphabet="0123456789.eE+-*/%()w ,min$", max_size=40))
def test_any_text_is_a_number_or_an_error(text):
    with suppress(ExpressionError):
        assert math.isfinite(evaluate_number(text))
