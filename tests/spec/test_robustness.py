"""Whatever the bytes, there is a Document or a KspecError with places that exist."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kspec.spec import Document, KspecError, parse, render
from tests.spec.bad_specs import BAD, SOUND, spec

PATH = Path("model.yaml")
FRAGMENTS = [
    *(bad.text for bad in BAD.values() if isinstance(bad.text, str)),
    *(section for section in SOUND.values() if section),
    *"{}[]:-,#&*!|>'\"%@`?~ \n",
    "${",
    "}",
    "${1/0}",
    "input",
    "repeat: 2",
    "name: y",
    "from: [x, y]",
    "1e3",
    "null",
    "- ",
    "  ",
    "\n  - ",
    "blocks:\n  b(x=1):\n    - b",
]


def judge(data: bytes, overrides: dict[str, str] | None = None) -> None:
    try:
        found: Document | KspecError = parse(data, PATH, overrides=overrides or {})
    except KspecError as error:
        found = error
    if isinstance(found, KspecError):
        assert found.diagnostics
        lines = {file: text.split("\n") for file, text in found.sources.items()}
        for each in found.diagnostics:
            span = each.span
            assert span is not None
            assert "nput should" not in each.message
            if span.file in lines:
                assert 1 <= span.line <= len(lines[span.file])
                assert 1 <= span.column <= len(lines[span.file][span.line - 1]) + 1
        render(found)


@given(st.binary(max_size=200))
def test_any_bytes(data):
    judge(data)


@given(st.text(max_size=200))
def test_any_text(text):
    judge(text.encode(errors="surrogatepass"))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_any_fragments(text):
    judge(text.encode())


values = st.recursive(
    st.sampled_from(["x", "y", "1", "-1", "0.5", "true", "null", '"${w}"', '"${x"', '""', "1e300"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(
            st.sampled_from(
                ["dense", "relu", "conv2d", "add", "b", "name", "from", "repeat", "units", "x", "y"]
            ),
            inner,
            max_size=4,
        ).map(lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items.items()) + "}"),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([key for key in SOUND if key != "kspec"]), values))
def test_any_values_in_any_section(sections):
    text = {key: f"{key}: {value}" for key, value in sections.items()}
    judge(spec(**text).encode())


paths = st.lists(
    st.sampled_from(
        ["params", "network", "0", "dense", "", "targets", "x", "gates", "inputs", "number"]
    ),
    max_size=4,
).map(".".join)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.one_of(paths, st.text(max_size=9)), st.one_of(values, st.text(max_size=9)))
)
def test_any_overrides(overrides):
    judge(spec().encode(), overrides)
