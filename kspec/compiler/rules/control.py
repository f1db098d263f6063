"""Rules for control flow. Scans become loops; loops of known length are unrolled; ``switch``
computes every branch and selects one. A branch or body must receive all tensors as arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras import ops as kops
from keras import tree
from keras.src.ops import core

from kspec.compiler import ops
from kspec.compiler.ir import DType, Value
from kspec.compiler.ops.recurrent import Direction
from kspec.compiler.rules.arithmetic import cast, clipped
from kspec.compiler.rules.cells import scan as over_steps
from kspec.compiler.rules.creation import known_array
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: control flow")

_MOST = 256
"""Greatest number of iterations of an unrolled loop."""
_FEW = 8
"""Greatest number of iterations unrolled if the IR's loop is possible."""


def values_of(tracer: Tracer, given: Any) -> Any:
    return tree.map_structure(lambda each: None if each is None else tracer.value(each), given)


def _count(tracer: Tracer, given: Any, length: int | None = None) -> int:
    leaves = [each for each in tree.flatten(given) if each is not None]
    size = leaves[0].shape[0] if leaves else length
    if not isinstance(size, int):
        raise tracer.error(f"a loop over {size} elements: the number must be known")
    if size > _MOST:
        raise tracer.error(f"a loop of {size} iterations: at most {_MOST} are unrolled")
    return size


def _element(given: Any, at: int) -> Any:
    return tree.map_structure(lambda each: None if each is None else each[at], given)


def _stacked(results: list[Any]) -> Any:
    return tree.map_structure(
        lambda *each: None if each[0] is None else kops.stack(each, axis=0), *results
    )


@rules(core.Scan)
def scan(tracer: Tracer, op: Any, f: Any, init: Any, xs: Any = None) -> Any:
    """Unroll a short scan; otherwise emit a loop over the sequences, of any length."""
    given, start = values_of(tracer, xs), values_of(tracer, init)
    sequences = [each for each in tree.flatten(given) if each is not None]
    if sequences and not (isinstance(sequences[0].shape[0], int) and sequences[0].shape[0] <= _FEW):
        return _looped(tracer, f, start, given, reverse=op.reverse)
    turns = list(range(_count(tracer, given, op.length)))

    def formula(carry: Any, xs: Any) -> Any:
        kept: dict[int, Any] = {}
        for at in reversed(turns) if op.reverse else turns:
            carry, kept[at] = f(carry, _element(xs, at))
        return carry, _stacked([kept[at] for at in turns])

    return tracer.record(formula, start, given)


def _looped(tracer: Tracer, f: Any, start: Any, given: Any, *, reverse: bool) -> Any:
    """Emit a loop. Scanned values have the time axis first; Scan expects a batch axis before it,
    here of size 1."""
    sequences = [each for each in tree.flatten(given) if each is not None]
    wide = [tracer.emit(ops.Reshape((1, *each.shape)), each) for each in sequences]
    structure: list[Any] = []

    def step(states: list[Value], steps: list[Value]) -> tuple[list[Value], list[Value]]:
        narrow = (tracer.emit(ops.Reshape(each.shape[1:]), each) for each in steps)
        element = tree.map_structure(lambda each: None if each is None else next(narrow), given)
        carry, result = tracer.record(f, tree.pack_sequence_as(start, states), element)
        structure[:] = [result]
        results = [tracer.value(each) for each in tree.flatten(result) if each is not None]
        outputs = [tracer.emit(ops.Reshape((1, *each.shape)), each) for each in results]
        return [tracer.value(each) for each in tree.flatten(carry)], outputs

    direction: Direction = "reverse" if reverse else "forward"
    states, outputs = over_steps(tracer, step, tree.flatten(start), wide, direction)
    rows = (tracer.emit(ops.Reshape(each.shape[1:]), each) for each in outputs)
    stacked = tree.map_structure(lambda each: None if each is None else next(rows), structure[0])
    return tree.pack_sequence_as(start, states), stacked


@rules(core.Map)
def map_(tracer: Tracer, _op: Any, f: Any, xs: Any) -> Any:
    given = values_of(tracer, xs)
    turns = range(_count(tracer, given))
    return tracer.record(lambda xs: _stacked([f(_element(xs, at)) for at in turns]), given)


@rules(core.VectorizedMap)
def vectorized_map(tracer: Tracer, op: Any, elements: Any) -> Any:
    given = values_of(tracer, elements)
    turns = range(_count(tracer, given))
    return tracer.record(
        lambda xs: _stacked([op.function(_element(xs, at)) for at in turns]), given
    )


@rules(core.ForiLoop)
def fori_loop(tracer: Tracer, op: Any, init_val: Any) -> Any:
    first, last = (int(known_array(tracer, each, "bound")) for each in (op.lower, op.upper))
    if last - first > _MOST:
        raise tracer.error(f"a loop of {last - first} iterations: at most {_MOST} are unrolled")

    def formula(state: Any) -> Any:
        for at in range(first, last):
            state = op.body_fun(at, state)
        return state

    return tracer.record(formula, values_of(tracer, init_val))


@rules(core.AssociativeScan)
def associative_scan(tracer: Tracer, op: Any, f: Any, elems: Any) -> Any:
    """Combine each element with all elements before it, sequentially."""
    given = values_of(tracer, elems)

    def formula(xs: Any) -> Any:
        def part(x: Any, at: int) -> Any:
            axis = op.axis % len(x.shape)
            return x[(slice(None),) * axis + (slice(at, at + 1),)]

        axis = op.axis % len(tree.flatten(xs)[0].shape)
        size = tree.flatten(xs)[0].shape[axis]
        if size is None or size > _MOST:
            raise ValueError(f"a scan over {size} elements: at most {_MOST} are unrolled")
        rows = [tree.map_structure(lambda x, at=at: part(x, at), xs) for at in range(size)]
        if op.reverse:
            rows.reverse()
        joined = rows[:1]
        for row in rows[1:]:
            joined.append(f(joined[-1], row))
        if op.reverse:
            joined.reverse()
        return tree.map_structure(lambda *each: kops.concatenate(each, axis=axis), *joined)

    return tracer.record(formula, given)


@rules(core.Switch)
def switch(tracer: Tracer, _op: Any, index: Any, branches: Any, *operands: Any) -> Any:
    """Compute every branch and select by the index."""
    at = cast(tracer, tracer.value(index), DType.int32)
    at = clipped(tracer, at, 0, len(branches) - 1)
    given = [values_of(tracer, each) for each in operands]
    results = [tracer.record(branch, *given) for branch in branches]
    chosen = results[-1]
    for number, result in reversed(list(enumerate(results[:-1]))):
        here = tracer.emit(ops.Equal(), at, tracer.value(at.dtype.numpy.type(number)))

        def choose(this: Value, other: Value, here: Value = here) -> Value:
            return tracer.emit(ops.Where(), here, this, other)

        chosen = tree.map_structure(choose, result, chosen)
    return chosen


rules.refuse(
    "its functions take no arguments, so what they read is not recorded; use keras.ops.where",
    core.Cond,
)
rules.refuse(
    "its number of iterations depends on data; use keras.ops.scan, or fori_loop of known length",
    core.WhileLoop,
)
