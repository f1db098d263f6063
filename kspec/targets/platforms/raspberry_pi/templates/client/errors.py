"""What can be wrong, for callers to catch."""

from collections.abc import Sequence

_SHOWN = 3


class InputError(ValueError):
    """An input that the model does not take; the message says why."""


class EngineError(RuntimeError):
    """An engine that is not installed, or a file that it refuses."""


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
