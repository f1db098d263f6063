"""The signature of the rules that write a format, and the error of a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from kspec.compiler.ir import Node

Emission_contra = TypeVar("Emission_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)

FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions of a rule, or of the library that a format is written with."""


LONGEST = 300
"""Greatest length of a quoted message, in characters."""


class EmittingRule(Protocol[Emission_contra, Result_co]):
    """Writes one node of a lowered graph: ``rule(op, node, emit)``.

    ``op`` is the operation of the node, of the class that the table has the rule for; ``emit`` is
    the file under construction, which finds and adds values by the node's inputs and outputs.
    The rules of SavedModel have the signature of the NumPy evaluator instead, ``rule(op,
    *tensors)``: TensorFlow records what they compute.
    """

    def __call__(self, op: Any, node: Node, emit: Emission_contra, /) -> Result_co: ...


class RuleError(ValueError):
    """The error of a rule that failed; the cause is the rule's exception. ``node`` is a node of the
    graph: for a node in the body of a loop, the outermost loop."""

    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(reason)
        self.node = node


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, or its class."""
    lines = str(error).strip().splitlines()
    return lines[0][:LONGEST] if lines else type(error).__name__


@contextmanager
def rule_of(node: Node, *faults: type[Exception]) -> Iterator[None]:
    """Convert exceptions of the block, which writes the node, to a RuleError; ``faults`` are
    exceptions of the format's library that are not among `FAULTS`."""
    caught: tuple[type[Exception], ...] = (*FAULTS, *faults)
    try:
        yield
    except RuleError as error:
        raise RuleError(node, str(error)) from error.__cause__
    except caught as error:
        raise RuleError(node, first_line(error)) from error


def apply_rule(
    rules: Mapping[type, EmittingRule[Emission_contra, Result_co]],
    node: Node,
    emit: Emission_contra,
) -> Result_co:
    """Write a node by its rule. Raises RuleError."""
    with rule_of(node):
        return rules[type(node.op)](node.op, node, emit)
