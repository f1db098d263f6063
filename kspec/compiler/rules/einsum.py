"""Rules for Einstein summation, as matrix products."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras import layers
from keras.src.ops import numpy as knp

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Value
from kspec.compiler.rules.arithmetic import add, bias_shape, promoted
from kspec.compiler.substitutes import traceable
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: einsum")


@dataclass(frozen=True, slots=True)
class Term:
    """A tensor whose axes are labelled with letters."""

    value: Value
    letters: str


@rules(knp.Einsum)
def einsum(tracer: Tracer, op: Any, *operands: Any, **_: Any) -> Value:
    return summed_product(tracer, op.subscripts, promoted(tracer, *operands))


@rules(layers.EinsumDense)
def einsum_dense(tracer: Tracer, layer: Any, inputs: Value, **_: Any) -> Any:
    """Lower without tracing: Keras infers wrong symbolic shapes for some ellipses."""
    pair = promoted(tracer, inputs, layer.kernel)
    result = summed_product(tracer, layer.equation, pair)
    if layer.bias is not None:
        result = _biased(tracer, result, tracer.value(layer.bias))
    with traceable(layer):
        return tracer.record(layer.activation, result) if layer.activation else result


def _biased(tracer: Tracer, result: Value, bias: Value) -> Value:
    """Add the bias; if the columns of a product were split, add it to the vectors before the split,
    as in a dense layer."""
    split = tracer.nodes[-1]
    shape = bias.shape[next((axis for axis, dim in enumerate(bias.shape) if dim != 1), 0) :]
    columns = split.inputs[0].shape[-1:]
    whole = shape == result.shape[len(result.shape) - len(shape) :]
    if (
        not isinstance(split.op, ops.Reshape)
        or not whole
        or bias_shape(result.shape, bias.shape) != bias.shape
        or columns != (math.prod(map(int, shape)),)
    ):
        return add(tracer, None, result, bias)
    tracer.nodes.pop()
    flat = tracer.emit(ops.Reshape(columns), bias)
    return tracer.emit(ops.Reshape(result.shape), tracer.emit(ops.Add(), split.inputs[0], flat))


def summed_product(tracer: Tracer, subscripts: str, values: Sequence[Value]) -> Value:
    """Compute an equation's sum of products, one pair of tensors at a time."""
    terms, result = written_out(tracer, subscripts, values)
    sizes: dict[str, Dim] = {}
    for term in terms:
        for letter, dim in zip(term.letters, term.value.shape, strict=True):
            known = sizes.get(letter, 1)
            if 1 not in (known, dim) and known != dim:
                raise tracer.error(f"{subscripts}: {letter} is {known} and {dim}")
            sizes[letter] = dim if known == 1 else known
    terms = [_without_ones(tracer, term, sizes) for term in terms]
    terms = [
        _summed(tracer, term, result + "".join(each.letters for each in terms if each is not term))
        for term in terms
    ]
    while len(terms) > 1:
        first, second, *others = terms
        wanted = result + "".join(term.letters for term in others)
        terms = [_product(tracer, first, second, wanted, sizes), *others]
    return _moved(tracer, terms[0], result)


def written_out(tracer: Tracer, subscripts: str, values: Sequence[Value]) -> tuple[list[Term], str]:
    """Return terms and result in letters. The ellipsis is replaced by new letters; an implicit
    result has the ellipsis, then the letters that occur once."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    names = given.split(",")
    if len(names) != len(values):
        raise tracer.error(f"{subscripts!r} does not fit {len(values)} tensors")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    counts = [
        value.type.rank - len(name.replace("...", "")) if "..." in name else 0
        for name, value in zip(names, values, strict=True)
    ]
    dots = "".join(free[: max(counts)])
    full = [
        name.replace("...", dots[len(dots) - count :])
        for name, count in zip(names, counts, strict=True)
    ]
    if not arrow:
        once = [letter for letter in given if letter.isalpha() and given.count(letter) == 1]
        if len(names) == 1 and once != sorted(once):
            raise tracer.error(f"write the result of {subscripts!r} explicitly")
        once.sort()
        result = "..." + "".join(once)
    result = result.replace("...", dots)
    for name, value in zip(full, values, strict=True):
        if len(set(name)) < len(name):
            raise tracer.error(f"a letter occurs twice in one term of {subscripts!r}")
        if len(name) != value.type.rank:
            raise tracer.error(f"{subscripts!r} does not fit {value}")
    return [Term(*pair) for pair in zip(values, full, strict=True)], result


def _without_ones(tracer: Tracer, term: Term, sizes: Mapping[str, Dim]) -> Term:
    """Drop axes of size 1 that are longer in another tensor, since they are broadcast."""
    rows = list(zip(term.letters, term.value.shape, strict=True))
    kept = [(letter, dim) for letter, dim in rows if dim != 1 or sizes[letter] == 1]
    shape = tuple(dim for _, dim in kept)
    return Term(_reshaped(tracer, term.value, shape), "".join(letter for letter, _ in kept))


def _summed(tracer: Tracer, term: Term, wanted: str) -> Term:
    """Sum a term over the axes that occur nowhere else."""
    axes = tuple(axis for axis, letter in enumerate(term.letters) if letter not in wanted)
    if not axes:
        return term
    kept = "".join(letter for letter in term.letters if letter in wanted)
    return Term(tracer.emit(ops.Sum(axes), term.value), kept)


def _product(tracer: Tracer, x: Term, y: Term, wanted: str, sizes: Mapping[str, Dim]) -> Term:
    """Multiply (shared, rows, inner) by (shared, inner, columns). Letters of both terms are shared
    if they are wanted, and inner if they are summed."""
    if (not set(x.letters) - set(y.letters) and set(y.letters) - set(x.letters)) or _moves(
        y, x, wanted
    ) < _moves(x, y, wanted):
        x, y = y, x
    shared, rows, inner, columns = _groups(x, y, wanted)
    if not inner and not (rows and columns):
        return _elementwise(tracer, x, y, sizes)
    right = _matrix(tracer, _moved_term(tracer, y, shared + inner + columns), shared, sizes, inner)
    left = _moved_term(tracer, x, shared + rows + inner)
    if shared:
        left_value = _matrix(tracer, left, shared, sizes, rows)
    else:  # the rows may keep their axes
        lead = tuple(sizes[letter] for letter in rows) or (1,)
        left_value = _reshaped(tracer, left.value, (*lead, merged(inner, sizes)))
    product = tracer.emit(ops.MatMul(), left_value, right)
    letters = shared + rows + columns
    shape = tuple(sizes[letter] for letter in letters)
    return Term(_reshaped(tracer, product, shape), letters)


def _groups(x: Term, y: Term, wanted: str) -> tuple[str, str, str, str]:
    """Return shared, rows, inner and columns, each in the order with the fewest transposes."""
    both = [letter for letter in x.letters if letter in y.letters]
    shared = "".join(letter for letter in wanted if letter in both)
    shared = "".join(dict.fromkeys(shared))
    inner = "".join(letter for letter in both if letter not in wanted)
    rows = "".join(letter for letter in x.letters if letter not in both)
    columns = "".join(letter for letter in y.letters if letter not in both)
    return shared, rows, inner, columns


def _moves(x: Term, y: Term, wanted: str) -> int:
    """Return the cost of transposes; the right operand counts less, since formats can read it in
    either order."""
    shared, rows, inner, columns = _groups(x, y, wanted)
    result = shared + rows + columns
    kept = "".join(letter for letter in wanted if letter in result)
    return (
        2 * (x.letters != shared + rows + inner)
        + (y.letters not in (shared + inner + columns, shared + columns + inner))
        + 2 * (result != kept)
    )


def _elementwise(tracer: Tracer, x: Term, y: Term, sizes: Mapping[str, Dim]) -> Term:
    """Multiply elementwise, with axes of size 1 for missing letters; no letter is summed."""
    letters = x.letters + "".join(letter for letter in y.letters if letter not in x.letters)
    wide = []
    for term in (x, y):
        order = "".join(letter for letter in letters if letter in term.letters)
        shape = tuple(sizes[letter] if letter in term.letters else 1 for letter in letters)
        wide.append(_reshaped(tracer, _moved_term(tracer, term, order).value, shape))
    return Term(tracer.emit(ops.Multiply(), *wide), letters)


def _matrix(tracer: Tracer, term: Term, shared: str, sizes: Mapping[str, Dim], rows: str) -> Value:
    """Return the tensor with an axis per shared letter, one for the rows and one for the rest."""
    rest = term.letters[len(shared) + len(rows) :]
    lead = tuple(sizes[letter] for letter in shared)
    shape = (*lead, merged(rows, sizes), merged(rest, sizes))
    return _reshaped(tracer, term.value, shape)


def merged(letters: Iterable[str], sizes: Mapping[str, Dim]) -> Dim:
    dims = [sizes[letter] for letter in letters]
    names = [dim for dim in dims if isinstance(dim, str)]
    number = math.prod(dim for dim in dims if isinstance(dim, int))
    if not names:
        return number
    return "*".join([*names, *([str(number)] if number != 1 else [])])


def _reshaped(tracer: Tracer, value: Value, shape: tuple[Dim, ...]) -> Value:
    return value if value.shape == shape else tracer.emit(ops.Reshape(shape), value)


def _moved_term(tracer: Tracer, term: Term, letters: str) -> Term:
    return Term(_moved(tracer, term, letters), letters)


def _moved(tracer: Tracer, term: Term, letters: str) -> Value:
    perm = tuple(term.letters.index(letter) for letter in letters)
    if perm == tuple(range(len(perm))):
        return term.value
    return tracer.emit(ops.Transpose(perm), term.value)
