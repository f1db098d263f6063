"""What a spec says of its model reaches the artifacts of those platforms that say it."""

from __future__ import annotations

from pathlib import Path

import kspec
from kspec.pipeline.store.keys import Keys

SPEC = Path(__file__).parents[2] / "examples/digits/model.yaml"


def keys(**overrides: str) -> Keys:
    return Keys(kspec.load(SPEC, overrides=overrides))


def test_a_card_is_written_anew_but_proves_nothing_anew() -> None:
    before, after = keys(), keys(description="Numerals.", version="1.1.0")
    assert before.plan.digest == after.plan.digest
    assert before.compile.digest == after.compile.digest
    first, second = (
        {of.users(each): of.emit(each).digest for each in of.requests} for of in (before, after)
    )
    assert {name for users, key in first.items() for name in users if second[users] != key} == {
        *("ios", "android")
    }


def test_options_of_a_target_may_hold_a_card_of_their_own() -> None:
    written = keys(**{"targets.android": "{card: {version: 9.9.9, labels: {digit: [a, b]}}}"})
    (target,) = (each for each in written.targets if each.name == "android")
    (request,) = target.requests
    card = request.options.model_dump()["card"]
    assert (card["version"], card["labels"]) == ("9.9.9", {"digit": ("a", "b")})
