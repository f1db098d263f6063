"""Sizes of open dimensions for targets whose artifacts have fixed shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, Literal, get_args, get_origin

from kspec.schemas.base import Model
from kspec.targets.platforms.platform import Platform
from kspec.targets.registry import formats
from kspec.targets.request import Subject

DIMENSIONS = "dimensions"
"""The platform option that contains sizes by dimension name."""


def missing_sizes(
    platform: Platform, options: Model, subject: Subject, open_sizes: Set[str]
) -> list[str]:
    """Return the open dimensions of the inputs that have no size in an artifact of the target."""
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
    """Return the correction to suggest: an option that sets a size, an option's value with which
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
    """Yield each value of each option that has a fixed set of values."""
    for name, field in options.model_fields.items():
        if get_origin(field.annotation) is Literal:
            for value in get_args(field.annotation):
                yield name, value
