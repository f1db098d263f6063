"""Specs with one mistake each are refused on the line of the mistake, and never end in a bug."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kspec.pipeline.check import load_checked
from kspec.schemas.layers import LAYERS
from kspec.spec.diagnostics import KspecError
from kspec.spec.messages import CONTEXT, explain
from kspec.spec.reader import read
from tests.fuzz.mutants import LEAST, mutants, parsed, run, written
from tests.fuzz.specs import SPECS, write_data


def test_mutants_are_refused_where_the_mistake_is(tmp_path: Path) -> None:
    tally = run(300, 7, tmp_path)
    assert not tally.crashed, "\n".join(f"{each.mutation}: {why}" for each, why in tally.crashed)
    assert set(tally.codes) == {0, 2}
    assert tally.share >= LEAST, [each.mutation for each, _ in tally.elsewhere]


@pytest.mark.parametrize("name", SPECS)
def test_specs_are_sound_before_they_are_mutated(tmp_path: Path, name: str) -> None:
    write_data(tmp_path / name)
    path = tmp_path / name / "model.yaml"
    digests = set()
    for text in (SPECS[name], written(parsed(SPECS[name]))):
        path.write_text(text, encoding="utf-8")
        document = load_checked(path)
        assert not document.warnings
        digests.add(document.digest)
    assert len(digests) == 1, "block style means the same"


def test_mutants_follow_from_the_seed() -> None:
    first, again, other = (list(mutants(40, seed)) for seed in (3, 3, 4))
    assert first == again != other
    assert not {each.text for each in first} & {written(parsed(text)) for text in SPECS.values()}


@pytest.mark.parametrize(
    "body", ["{wrong: 1}", "{layer: {wrong: 1}, cell: {wrong: 1}}", '{"": {}}']
)
@pytest.mark.parametrize("key", sorted(LAYERS))
def test_unknown_keys_of_every_layer_are_said(key: str, body: str) -> None:
    root, _ = read(f"{key}: {body}", "spec.yaml")
    node = root.mapping[key]
    with pytest.raises(ValidationError) as caught:
        LAYERS[key].model_validate(node.plain(), context=CONTEXT)
    found = explain(caught.value, node, LAYERS[key])
    assert "KS201" in {each.code for each in found}


def test_a_list_that_is_too_long_is_placed_at_its_first_item_too_many(tmp_path: Path) -> None:
    text = SPECS["weighed"].replace("category: [x, y, z]", "binary: [x, y, z, z]")
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KspecError) as caught:
        load_checked(path)
    (found,) = [each for each in caught.value.diagnostics if each.code == "KS206"]
    assert found.span is not None
    line = text.split("\n")[found.span.line - 1]
    assert line[found.span.column - 1 :].startswith("z, z]")
