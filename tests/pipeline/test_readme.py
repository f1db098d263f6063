"""A bundle's README: what it says, and that no text of a spec becomes markup in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape as escape_html
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from kspec.pipeline.bundles.pack import describe_bundle
from kspec.pipeline.bundles.readme import code, escape, fence, render_bundle_readme
from kspec.pipeline.store.targets import Target
from kspec.targets.formats.card import Card
from kspec.targets.registry import platforms
from kspec.targets.request import Subject
from tests.pipeline.sample_build import HOSTILE, Sample, hostile, sample

NOTHING = Subject({}, Card())


@pytest.fixture
def built(tmp_path: Path) -> Sample:
    return sample(tmp_path)


def render(of: Sample) -> str:
    platform = platforms()["browser"]
    target = Target("browser", of.document.spec.name, platform, platform.options(), NOTHING)
    known = {"coreml", "onnx"}
    chosen = tuple(
        each if each.format in known else replace(each, format="onnx")
        for each in of.result.artifacts
        if each.format != "coreml"
    )
    about = describe_bundle(of.document, target, chosen, of.compiled)
    return render_bundle_readme(target, about)


def test_says_what_a_developer_needs(built: Sample) -> None:
    lines = render(built).splitlines()
    assert lines[0] == "# houses 2.1.0 for Browser"
    sha256 = built.result.artifacts[1].sha256
    inside = "× 0.25, then − 0.5, then to mean 0 and variance 1 by the training split's statistics"
    columns = "`fact_0`, `fact_1`, `fact_2` … `fact_5`"
    allowed = "`price`: atol 1e-5, rtol 1e-5; `district`: atol 1e-5, rtol 1e-5"
    proof = f"3.5e-7 | {allowed} | 2 | 1234 | 1235 | 2346 | 92.50 %"
    decides = "a probability for each label; the largest one decides"
    assert built.compiled.coverage.drawn, "the sample has golden rows that are not of the split"
    golden = (
        "of the test split, or drawn at random to show faults that rows of the split do not show"
    )
    expected = [
        f"| `houses.onnx` | the model, `onnx` | 151.4 KB | `{sha256}` |",
        f"| `golden.safetensors` | 5 golden rows {golden} | | |",
        f"| `facts` | number | float32 | batch × 6 | {columns} | {inside} |",
        "| `price` | number | float32 | batch × 1 | the number itself |",
        f"| `district` | category | float32 | batch × 3 | {decides} |",
        "0. `north`",
        "2. `east`",
        'console.log(answers["price"]);',
        f"| `houses.onnx` | {proof} | onnxruntime 1.31.1 |",
        "| trained model | | | | | 1235 | 2346 | 93.00 % | Keras |",
        "| `input/facts` | 5 rows for the input `facts` |",
        "| `output/district` | the expected values of `district` |",
        "| `decision/district` | the expected labels of `district`, as UTF-8, padded with zeros |",
    ]
    assert [each for each in expected if each not in lines] == []
    assert "Core ML" not in "\n".join(lines)


def test_says_where_numpy_stood_in(built: Sample) -> None:
    first, _ = built.result.artifacts
    result = replace(built.result, artifacts=(replace(first, format="onnx"),))
    assert "Core ML itself runs on macOS only" in render(replace(built, result=result))


@pytest.mark.parametrize("change", [lambda it: it, hostile], ids=["plain", "hostile"])
def test_renders_to_headings_and_whole_tables_alone(
    built: Sample, change: Callable[[Sample], Sample]
) -> None:
    """As CommonMark with tables: no text of a spec becomes HTML, a link, or a cell."""
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(render(change(built)))
    kinds = {each.type for token in tokens for each in (token, *(token.children or ()))}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "em_open", "heading"}
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert headings[1:] == ["Files", "Inputs", "Outputs", "Use", "Proof", "Golden rows"]
    text = render(change(built))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1, table
    html = markdown.render(text)
    assert not re.search(r"<(script|img|a)\b", html)
    if change is hostile:
        shown = escape_html(" ".join(HOSTILE.split()), quote=False).replace('"', "&quot;")
        assert html.count(shown) > 30


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("1.0.0", "1.0.0"),
        ("1. no list", r"1\. no list"),
        ("- no list", r"\- no list"),
        ("# no heading", r"\# no heading"),
        ("--- no rule", r"\--- no rule"),
        ("a | b", r"a \| b"),
        ("a\n\n# b\r\tc", "a # b c"),
        ("*a* _b_ `c` ~~d~~", r"\*a\* \_b\_ \`c\` \~\~d\~\~"),
        ("[a](http://b)", r"\[a\](http\://b)"),
        ("www.a.b, mail@a.b", r"www\.a.b, mail\@a.b"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        (r"a\|b", r"a\\\|b"),
        ("a: b, 10 %", "a: b, 10 %"),
        ("\u202ea\0", "a"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a*b", "`a*b`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        ("a|b`", r"a\|b\`"),
        ("a\nb", "`a b`"),
        (" ", ""),
    ],
)
def test_code_spans(text: str, span: str) -> None:
    assert code(text).text == span


def test_code_blocks_hold_fences() -> None:
    assert fence("a\n```\nb\n").text == "````\na\n```\nb\n````"
