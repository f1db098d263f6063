"""The help for a target that needs fixed sizes names an option that the target has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from kspec.schemas.base import Model
from kspec.schemas.features import Input
from kspec.targets.formats.card import Card
from kspec.targets.platforms.platform import Platform
from kspec.targets.registry import platforms
from kspec.targets.request import ArtifactRequest, Subject
from kspec.targets.sizes import missing_sizes, way_out

SUBJECT = Subject({"sound": Input.model_validate({"tensor": ["time", 40]})}, Card())


def choices(options: type[Model]) -> list[dict[str, Any]]:
    """Each combination of the options that are a choice of a few."""
    fields = {
        name: get_args(field.annotation)
        for name, field in options.model_fields.items()
        if get_origin(field.annotation) is Literal
    }
    return [dict(zip(fields, each, strict=True)) for each in product(*fields.values())]


@pytest.mark.parametrize("name", sorted(platforms()))
def test_what_the_help_says_is_accepted(name: str) -> None:
    platform = platforms()[name]
    for written in choices(platform.options):
        options = platform.options.model_validate(written)
        if missing_sizes(platform, options, SUBJECT, {"time"}):
            said = way_out(platform, written, SUBJECT, {"time"})
            told = yaml.safe_load(said.partition(", which")[0])[name]
            better = platform.options.model_validate({**written, **told})
            assert missing_sizes(platform, better, SUBJECT, {"time"}) == [], said


def test_the_browser_with_litert_is_led_to_its_other_engine() -> None:
    said = way_out(platforms()["browser"], {"engine": "litert"}, SUBJECT, {"time"})
    assert said == "browser: {engine: onnxruntime}, which keeps sizes open"


class Rigid(Platform):
    """A platform without an option that could help."""

    name, title, options = "rigid", "Rigid", Model

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:
        return platforms()["tflite"].requests(platforms()["tflite"].options(), subject)

    def usage(self, about: Mapping[str, Any]) -> str:
        return ""


def test_a_target_without_such_an_option_wants_a_number_in_the_spec() -> None:
    rigid = Rigid()
    assert missing_sizes(rigid, Model(), SUBJECT, {"time"}) == ["time"]
    said = way_out(rigid, {}, SUBJECT, {"time"})
    assert said == "a number in the place of `time` in the input: no option of rigid gives its size"
