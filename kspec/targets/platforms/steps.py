"""The steps that a client runs, as values for its templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kspec.targets.platforms.templates import Verbatim, type_name

if TYPE_CHECKING:
    from kspec.features.signature import InputPort

_OWN = frozenset({"step", "place"})
"""The fields that identify a step."""


def snake_case(name: str) -> str:
    """Return the name of a field unchanged."""
    return name


def camel_case(name: str) -> str:
    """Return ``maxPixels`` for ``max_pixels``."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def client_steps(
    given: InputPort, spell: Callable[[str], str] = snake_case
) -> list[dict[str, Any]]:
    """Return the host steps of an input in order. ``type`` is the step's class in a client, such as
    ``DecodeImage``; ``fields`` contains the name and value of each field, in the class's order."""
    return [
        {
            "type": Verbatim(type_name(step.step)),
            "fields": [
                (Verbatim(spell(name)), getattr(step, name))
                for name in type(step).model_fields
                if name not in _OWN
            ],
        }
        for step in given.on_host
    ]
