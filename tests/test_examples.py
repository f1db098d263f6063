"""What a newcomer reads first is right: the examples, and the spec that the README shows."""

import re
from pathlib import Path

import pytest

from kspec.spec.load import load, parse

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(ROOT.glob("examples/*/model.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_example_is_a_sound_spec(path: Path) -> None:
    document = load(path)
    assert document.spec.name == path.parent.name
    assert (path.parent / "README.md").read_text(encoding="utf-8").count("CC BY 4.0") == 1


def test_readme_shows_a_sound_spec() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    document = parse(shown.encode(), ROOT / "examples" / "digits" / "model.yaml")
    assert document.steps[-1].name == "digit"
