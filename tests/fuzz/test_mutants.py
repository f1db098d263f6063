"""Specs with one mistake each are refused on the line of the mistake, and never end in a bug."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kspec.pipeline.check import load_checked
from kspec.schemas.layers import LAYERS
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
