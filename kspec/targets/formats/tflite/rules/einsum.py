"""Einstein's summation, as products of matrices with axes moved before and after them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Node, Value
from kspec.compiler.table import Table
from kspec.targets.formats.tflite.builtins import (
    BatchMatMulOptions,
    FullyConnectedOptions,
    ReducerOptions,
)
from kspec.targets.formats.tflite.program import Emitter, Rule
from kspec.targets.formats.tflite.rules.shape import arranged, reshape, sizes, transpose

rules: Table[Rule] = Table("tflite")

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Term:
    """A tensor whose axes have letters."""

    value: Value
    letters: str


@dataclass(frozen=True, slots=True)
class Plan:
    """(shared, rows, inner) by (shared, inner, columns), the latter transposed with ``adjoint``.
    Letters that both factors have are shared where they are wanted, and inner where they are
    summed."""

    left: Term
    right: Term
    shared: str
    rows: str
    inner: str
    columns: str
    adjoint: bool

    @classmethod
    def of(cls, left: Term, right: Term, wanted: str, *, adjoint: bool) -> Plan:
        both = [letter for letter in left.letters if letter in right.letters]
        return cls(
            left,
            right,
            shared="".join(letter for letter in both if letter in wanted),
            rows="".join(letter for letter in left.letters if letter not in both),
            inner="".join(letter for letter in both if letter not in wanted),
            columns="".join(letter for letter in right.letters if letter not in both),
            adjoint=adjoint,
        )

    @property
    def left_order(self) -> str:
        return self.shared + self.rows + self.inner

    @property
    def right_order(self) -> str:
        ends = (self.columns, self.inner) if self.adjoint else (self.inner, self.columns)
        return self.shared + "".join(ends)

    @property
    def result(self) -> str:
        return self.shared + self.rows + self.columns


@rules(ops.Einsum)
def _einsum(op: ops.Einsum, node: Node, out: Emitter) -> None:
    operands, result = op.equation.split("->")
    terms = [Term(*each) for each in zip(node.inputs, operands.split(","), strict=True)]
    dims = {
        letter: size
        for term in terms
        for letter, size in zip(term.letters, sizes(term.value.shape), strict=True)
    }
    terms = [
        _summed(out, term, result + "".join(each.letters for each in terms if each is not term))
        for term in terms
    ]
    while len(terms) > 1:
        first, second, *others = terms
        wanted = result + "".join(term.letters for term in others)
        terms = [_product(out, first, second, wanted, dims), *others]
    (last,) = terms
    if last.letters == result:
        reshape(out, last.value, node.output.shape, node.output)
    else:
        transpose(out, last.value, _order(last.letters, result), node.output)


def _summed(out: Emitter, term: Term, wanted: str) -> Term:
    """Without the axes that nothing else has."""
    axes = [axis for axis, letter in enumerate(term.letters) if letter not in wanted]
    if not axes:
        return term
    kept = "".join(letter for letter in term.letters if letter in wanted)
    shape = (dim for axis, dim in enumerate(term.value.shape) if axis not in axes)
    value = out.emit(
        "SUM",
        *(term.value, out.integers(*axes)),
        options=ReducerOptions(keep_dims=False),
        type_=term.value.type.with_shape(*shape),
    )
    return Term(value, kept)


def _product(out: Emitter, first: Term, second: Term, wanted: str, dims: Sizes) -> Term:
    pairs = itertools.product(((first, second), (second, first)), (False, True))
    plans = [Plan.of(*pair, wanted, adjoint=adjoint) for pair, adjoint in pairs]
    dense = [plan for plan in plans if not plan.shared and out.array(plan.right.value) is not None]
    if dense:
        return _fully_connected(out, dense[0], dims)
    plan = min(plans, key=lambda plan: _moves(plan, wanted))
    lead = [dims[letter] for letter in plan.shared]
    rows, inner, columns = (
        math.prod(dims[letter] for letter in part) for part in (plan.rows, plan.inner, plan.columns)
    )
    ends = (columns, inner) if plan.adjoint else (inner, columns)
    x = _moved(out, plan.left, plan.left_order, (math.prod(lead), rows, inner))
    y = _moved(out, plan.right, plan.right_order, (math.prod(lead), *ends))
    options = BatchMatMulOptions(adj_y=plan.adjoint)
    type_ = x.type.with_shape(math.prod(lead), rows, columns)
    product = out.emit("BATCH_MATMUL", x, y, options=options, type_=type_)
    shape = tuple(dims[letter] for letter in plan.result)
    return Term(reshape(out, product, shape), plan.result)


def _fully_connected(out: Emitter, plan: Plan, dims: Sizes) -> Term:
    """With a constant factor and nothing shared the product is a dense layer."""
    inner, columns = (
        math.prod(dims[letter] for letter in part) for part in (plan.inner, plan.columns)
    )
    rows = tuple(dims[letter] for letter in plan.rows)
    x = _moved(out, plan.left, plan.left_order, (*(rows or (1,)), inner))
    perm = _order(plan.right.letters, plan.columns + plan.inner)
    weights = arranged(out, plan.right.value, perm, (columns, inner))
    bias = out.constant(np.zeros(columns, x.dtype.numpy))
    options = FullyConnectedOptions(keep_num_dims=x.type.rank > 2)
    type_ = x.type.with_shape(*x.shape[:-1], columns)
    product = out.emit("FULLY_CONNECTED", x, weights, bias, options=options, type_=type_)
    shape = tuple(dims[letter] for letter in plan.result)
    return Term(reshape(out, product, shape), plan.result)


def _moves(plan: Plan, wanted: str) -> int:
    """How many tensors must be transposed."""
    kept = "".join(letter for letter in wanted if letter in plan.result)
    return (
        (plan.left.letters != plan.left_order)
        + (plan.right.letters != plan.right_order)
        + (plan.result != kept)
    )


def _moved(out: Emitter, term: Term, letters: str, shape: tuple[int, ...]) -> Value:
    if term.letters == letters:
        return reshape(out, term.value, shape)
    return reshape(out, transpose(out, term.value, _order(term.letters, letters)), shape)


def _order(letters: str, wanted: str) -> list[int]:
    return [letters.index(letter) for letter in wanted]
