"""Values of unquoted scalars: the core schema of YAML 1.2, without the traps of YAML 1.1."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kspec.spec.node import Scalar

LARGEST_INTEGER = 2**63 - 1

CORE: tuple[tuple[re.Pattern[str], Callable[[str], Scalar]], ...] = (
    (re.compile(r"null|Null|NULL|~|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"0x[0-9a-fA-F]{1,17}"), lambda text: int(text, 16)),
    (re.compile(r"0o[0-7]{1,22}"), lambda text: int(text, 8)),
    (re.compile(r"[-+]?[0-9]{1,40}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (
        re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
        lambda text: float(text.replace(".", "")),
    ),
)
"""Patterns in order: the first that matches the whole scalar decides; otherwise it is text."""


@dataclass(frozen=True, slots=True)
class Trap:
    """A scalar that YAML 1.1 and YAML 1.2 read differently."""

    reading: str
    """The readings of other parsers."""
    help: str
    """What to write instead; `{text}` stands for the scalar."""


QUOTE = 'write "{text}" if text is meant'

TRAPS: tuple[tuple[re.Pattern[str], Trap], ...] = (
    (
        re.compile(r"yes|Yes|YES|on|On|ON"),
        Trap("`true` to some YAML readers and text to others", f"write true, or {QUOTE}"),
    ),
    (
        re.compile(r"no|No|NO|off|Off|OFF"),
        Trap("`false` to some YAML readers and text to others", f"write false, or {QUOTE}"),
    ),
    (
        re.compile(r"[-+]?0[0-9_]+"),
        Trap(
            "an octal number to some YAML readers and a decimal one to others",
            f"leave out the leading zero for a number, or {QUOTE}",
        ),
    ),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        Trap("a number to base 60 to some YAML readers and text to others", QUOTE),
    ),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"),
        Trap("a date to some YAML readers and text to others", QUOTE),
    ),
    (
        re.compile(
            r"[-+]?([0-9]+_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0b[01_]+|0x[0-9a-fA-F_]*_.*)"
        ),
        Trap(
            "a number to some YAML readers and text to others",
            f"write a plain decimal number, or {QUOTE}",
        ),
    ),
)


class TrapError(ValueError):
    """Readers of YAML disagree about the value of the text."""

    def __init__(self, trap: Trap, text: str) -> None:
        self.message = f"`{text}` is {trap.reading}"
        self.help = trap.help.format(text=text)
        super().__init__(self.message)


class RangeError(ValueError):
    """The number exceeds 64 bits."""


def resolve(text: str) -> Scalar:
    """Return the value of an unquoted scalar.

    Raises TrapError if readers of YAML disagree, RangeError for a number beyond 64 bits.
    """
    for pattern, trap in TRAPS:
        if pattern.fullmatch(text):
            raise TrapError(trap, text)
    for pattern, construct in CORE:
        if pattern.fullmatch(text):
            return _bounded(construct(text), text)
    if re.fullmatch(r"[-+]?[0-9]+", text):
        raise RangeError
    return text


def _bounded(value: Scalar, text: str) -> Scalar:
    overflows = value in (float("inf"), float("-inf")) and "inf" not in text.lower()
    if overflows or (type(value) is int and abs(value) > LARGEST_INTEGER):
        raise RangeError
    return value
