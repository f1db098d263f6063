"""The steps that a client runs, as values of its language."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kspec.targets.platforms.templates import Verbatim, type_name

if TYPE_CHECKING:
    from kspec.features.signature import InputPort

_OWN = frozenset({"step", "place"})
"""The fields that say which step it is."""


def snake_case(name: str) -> str:
    """The name of a field as it is."""
    return name


def camel_case(name: str) -> str:
    """``maxPixels`` of ``max_pixels``."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def client_steps(
    given: InputPort, spell: Callable[[str], str] = snake_case
) -> list[dict[str, Any]]:
    """The host steps of an input in order. ``type`` is the name of the step's class in a client:
    ``DecodeImage``; ``fields`` has the name and the value of each field, in the class's order."""
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
