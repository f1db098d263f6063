from pathlib import Path

from kspec.spec.codes import RULES
from kspec.spec.handbook import render

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == render(), "stale: run `make docs`"


def test_every_code_has_an_entry() -> None:
    page = render()
    assert all(f"### {code} · " in page for code in RULES)
