"""What a user writes so that a target whose artifact has fixed shapes knows all sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, Literal, get_args, get_origin

from kspec.schemas.base import Model
from kspec.targets.platforms.platform import Platform
from kspec.targets.registry import formats
from kspec.targets.request import Subject

DIMENSIONS = "dimensions"
"""The option of a platform that gives sizes by name."""


def missing_sizes(
    platform: Platform, options: Model, subject: Subject, open_sizes: Set[str]
) -> list[str]:
    """The open dimensions of the inputs that an artifact of the target would have to know."""
    known = formats()
    missing: set[str] = set()
    for request in platform.requests(options, subject):
        format_ = known[request.format]
        if format_.fixed_shapes:
            missing |= open_sizes - format_.fixed(request.options).keys()
    return sorted(missing)


def way_out(
    platform: Platform, written: Mapping[str, Any], subject: Subject, open_sizes: Set[str]
) -> str:
    """What to write instead: the option that gives a size, or the choice of an option under which
    the artifact keeps open sizes, or else a fixed size in the spec."""
    name, size = platform.name, min(open_sizes)
    if DIMENSIONS in platform.options.model_fields:
        return f"{name}: {{{DIMENSIONS}: {{{size}: 100}}}}"
    for option, value in _choices(platform.options):
        options = platform.options.model_validate({**written, option: value})
        if not missing_sizes(platform, options, subject, open_sizes):
            return f"{name}: {{{option}: {value}}}, which keeps sizes open"
    return f"a number in the place of `{size}` in the input: no option of {name} gives its size"


def _choices(options: type[Model]) -> Iterator[tuple[str, Any]]:
    """Each value of each option that is a choice of a few."""
    for name, field in options.model_fields.items():
        if get_origin(field.annotation) is Literal:
            for value in get_args(field.annotation):
                yield name, value
