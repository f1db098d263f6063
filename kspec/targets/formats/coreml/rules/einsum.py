"""Einstein's summation, as one product of matrices with everything else moved around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Node, Shape
from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Emission, Rule, Var
from kspec.targets.formats.coreml.rules.shape import sizes

RULES: Table[Rule] = Table("coreml")


@dataclass(frozen=True, slots=True)
class _Term:
    """A tensor whose axes have letters."""

    var: Var
    letters: str


@RULES(ops.Einsum)
def einsum(node: Node, emit: Emission) -> Var:
    assert isinstance(node.op, ops.Einsum)
    operands, result = node.op.equation.split("->")
    names = operands.split(",")
    dims: dict[str, Dim] = {}
    terms = []
    for number, (letters, value) in enumerate(zip(names, node.inputs, strict=True)):
        dims.update(zip(letters, value.shape, strict=True))
        others = "".join(each for at, each in enumerate(names) if at != number) + result
        terms.append(_summed(node, emit, _Term(emit[value], letters), others, f"operand{number}"))
    last = terms[0] if len(terms) == 1 else _product(node, emit, terms, result, dims)
    perm = [last.letters.index(letter) for letter in result]
    if perm == sorted(perm):
        return emit("identity", node.name, x=last.var)
    return emit("transpose", node.name, x=last.var, perm=perm)


def _summed(node: Node, emit: Emission, term: _Term, wanted: str, part: str) -> _Term:
    """Without the axes that nothing else has."""
    axes = [axis for axis, letter in enumerate(term.letters) if letter not in wanted]
    if not axes:
        return term
    name = f"{node.name}/{part}/sum"
    var = emit("reduce_sum", name, x=term.var, axes=axes, keep_dims=False)
    return _Term(var, "".join(letter for letter in term.letters if letter in wanted))


def _product(
    node: Node, emit: Emission, terms: list[_Term], result: str, dims: dict[str, Dim]
) -> _Term:
    """(shared, rows, inner) by (shared, inner, columns): axes that both have are shared where the
    result has them too, and inner where it does not."""
    left, right = terms
    both = [letter for letter in left.letters if letter in right.letters]
    shared = "".join(letter for letter in both if letter in result)
    inner = "".join(letter for letter in both if letter not in result)
    rows = "".join(letter for letter in left.letters if letter not in both)
    columns = "".join(letter for letter in right.letters if letter not in both)
    x = _arranged(node, emit, left, (*shared, rows, inner), dims, "left")
    y = _arranged(node, emit, right, (*shared, inner, columns), dims, "right")
    merged = emit("matmul", f"{node.name}/product", x=x, y=y, transpose_x=False, transpose_y=False)
    letters = shared + rows + columns
    if len(rows) == len(columns) == 1:
        return _Term(merged, letters)
    shape = sizes(node, emit, tuple(dims[letter] for letter in letters), "split")
    return _Term(emit("reshape", f"{node.name}/split", x=merged, shape=shape), letters)


def _arranged(
    node: Node,
    emit: Emission,
    term: _Term,
    groups: tuple[str, ...],
    dims: dict[str, Dim],
    part: str,
) -> Var:
    """The tensor with one axis for each group of letters, in that order."""
    order = [term.letters.index(letter) for letter in "".join(groups)]
    var = term.var
    if order != sorted(order):
        var = emit("transpose", f"{node.name}/{part}/moved", x=var, perm=order)
    if all(len(group) == 1 for group in groups):
        return var
    merged: Shape = tuple(_merged([dims[letter] for letter in group]) for group in groups)
    shape = sizes(node, emit, merged, f"{part}/shape")
    return emit("reshape", f"{node.name}/{part}/merged", x=var, shape=shape)


def _merged(dims: list[Dim]) -> Dim:
    numbers = [dim for dim in dims if isinstance(dim, int)]
    if len(numbers) == len(dims):
        return math.prod(numbers)
    return dims[0] if len(dims) == 1 else "*".join(map(str, dims))
