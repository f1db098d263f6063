"""The errors that callers may catch."""

from collections.abc import Sequence

_SHOWN = 3


class InputError(ValueError):
    """An input that the model does not accept; the message gives the reason."""


class EngineError(RuntimeError):
    """An engine that is not installed, or a model file that it refuses."""


def listed(names: Sequence[str]) -> str:
    """Return the first names, and the number of the other names."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
