"""Replacements for functions of Keras while layers are recorded.

Keras evaluates these functions eagerly, which fails for symbolic shapes, for a variable or constant
tensor as the left operand of a symbol, and for computed bounds; or Keras records another operation.
The replacements are global to the process. One thread records at a time; in every other thread the
replacements behave as Keras' own functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import RLock, get_ident
from typing import Any

import keras
from keras import tree
from keras.src import backend
from keras.src.backend.common.variables import Variable
from keras.src.ops.core import Cond
from keras.src.ops.numpy import Clip

from kspec.compiler.arguments import ComputedError, computed_arguments, known_only
from kspec.compiler.stand_ins import Fill, Plus, Positions

LOCK = RLock()
"""Held while functions of Keras, or attributes of a layer, are replaced."""

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "__lt__": keras.ops.less,
    "__le__": keras.ops.less_equal,
    "__gt__": keras.ops.greater,
    "__ge__": keras.ops.greater_equal,
    "__eq__": keras.ops.equal,
    "__ne__": keras.ops.not_equal,
}
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "__add__": keras.ops.add,
    "__sub__": keras.ops.subtract,
    "__mul__": keras.ops.multiply,
    "__truediv__": keras.ops.divide,
    "__floordiv__": keras.ops.floor_divide,
    "__mod__": keras.ops.mod,
    "__pow__": keras.ops.power,
    "__matmul__": keras.ops.matmul,
    **COMPARISONS,
}


@contextmanager
def recording(symbols: Sequence[Any]) -> Iterator[None]:
    """Record symbolic shapes, variables and constant tensors as left operands, and computed bounds
    while the block runs. Errors keep their original messages and the frames of Keras."""
    tensor = type(keras.ops.convert_to_tensor(0.0))
    with LOCK, ExitStack() as stack:
        stack.enter_context(unfiltered())
        if symbols:
            for name, make in _SIZED.items():
                stack.enter_context(_replaced(backend.numpy, name, make, list(symbols)))
        for name, operator in OPERATORS.items():
            stack.enter_context(_replaced(Variable, name, _before_symbol, operator))
        for name, operator in COMPARISONS.items():
            stack.enter_context(_replaced(tensor, name, _before_symbol, operator))
        for name in ("__add__", "__radd__"):
            stack.enter_context(_replaced(keras.KerasTensor, name, _plus, name == "__radd__"))
        stack.enter_context(
            _replaced(keras.Operation, "symbolic_call", _with_known_arguments, None)
        )
        stack.enter_context(_replaced(keras.Variable, "assign", _refused, None))
        # NumPy defers an operator to its right operand, the symbol.
        stack.enter_context(_set(keras.KerasTensor, "__array_ufunc__", None))
        yield


@contextmanager
def unfiltered() -> Iterator[None]:
    """Disable Keras' filtering of tracebacks while the block runs."""
    filtered = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        yield
    finally:
        if filtered:
            keras.config.enable_traceback_filtering()


@contextmanager
def _replaced(owner: Any, name: str, make: Callable[..., Any], argument: Any) -> Iterator[None]:
    """Replace a function for this thread; other threads keep the original."""
    before, thread = getattr(owner, name), get_ident()
    made = make(before, argument)

    def call(*args: Any, **kwargs: Any) -> Any:
        return (made if get_ident() == thread else before)(*args, **kwargs)

    with _set(owner, name, call):
        yield


@contextmanager
def _set(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute, which may be inherited, while the block runs."""
    own = name in vars(owner)
    before = getattr(owner, name, None)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


def _with_known_arguments(before: Callable[..., Any], _: None) -> Callable[..., Any]:
    """Record an operation with known constructor arguments; bounds of ``clip`` may be computed, and
    ``cond`` computes both branches."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if type(self) is Cond:
            return _select(*args, **kwargs)
        computed = () if isinstance(self, keras.Layer) else computed_arguments(self)
        if not computed:
            return before(self, *args, **kwargs)
        if type(self) is Clip:
            (x,) = args
            low = x if self.x_min is None else keras.ops.maximum(x, self.x_min)
            return low if self.x_max is None else keras.ops.minimum(low, self.x_max)
        raise ComputedError(known_only(self, computed[0]))

    return call


def _select(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Select between the results of both functions. Keras would record their closures as outputs
    of ``cond``."""
    return tree.map_structure(
        lambda one, other: keras.ops.where(pred, one, other), true_fn(), false_fn()
    )


def _refused(_before: Callable[..., Any], _: None) -> Callable[..., Any]:
    """Refuse an assignment, which would also change the model that is compiled."""

    def call(self: Any, *_: Any, **__: Any) -> Any:
        raise TypeError(
            f"it changes its variable {self.name!r} when it is called, and no artifact keeps a "
            "state; take the state as an input, and return it as an output"
        )

    return call


def _before_symbol(before: Callable[..., Any], operator: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, other: Any) -> Any:
        symbolic = isinstance(other, keras.KerasTensor)
        return operator(self, other) if symbolic else before(self, other)

    return call


def _plus(_before: Callable[..., Any], after: bool) -> Callable[..., Any]:  # noqa: FBT001
    def call(self: Any, other: Any) -> Any:
        return Plus()(other, self) if after else Plus()(self, other)

    return call


def _broadcast_to(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
    def call(x: Any, shape: Any) -> Any:
        return Fill(shape)(around, x) if _unknown(shape) else before(x, shape)

    return call


def _tile(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
    def call(x: Any, repeats: Any) -> Any:
        if not _unknown(repeats):
            return before(x, repeats)
        sizes = (1,) * (len(repeats) - len(x.shape)) + tuple(x.shape)
        if any(times is None and size != 1 for times, size in zip(repeats, sizes, strict=True)):
            raise ValueError("an axis that is repeated an unknown number of times must have size 1")
        known = before(x, tuple(times or 1 for times in repeats))
        pairs = zip(repeats, known.shape, strict=True)
        return Fill([None if times is None else size for times, size in pairs])(around, known)

    return call


def _repeat(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
    def call(x: Any, repeats: Any, axis: int | None = None) -> Any:
        if repeats is not None or axis is None:
            return before(x, repeats, axis)
        times: list[int | None] = [1] * len(x.shape)
        times[axis] = None
        return _tile(backend.numpy.tile, around)(x, times)

    return call


def _filled(number: int) -> Callable[..., Callable[..., Any]]:
    def make(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
        def call(shape: Any, dtype: Any = None) -> Any:
            if not _unknown(shape):
                return before(shape, dtype)
            ones = [1 for _ in shape]
            value = backend.numpy.full(ones, number, dtype or keras.config.floatx())
            return Fill(shape)(around, value)

        return call

    return make


def _full(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
    def call(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
        if not _unknown(shape):
            return before(shape, fill_value, dtype)
        return Fill(shape)(around, before([1 for _ in shape], fill_value, dtype))

    return call


def _arange(before: Callable[..., Any], around: list[Any]) -> Callable[..., Any]:
    def call(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
        if step in (None, 1) and (start is None or (start == 0 and stop is None)):
            return Positions(dtype or "int32")(around)
        return before(start, stop, step, dtype)

    return call


_SIZED: Mapping[str, Callable[..., Callable[..., Any]]] = {
    "broadcast_to": _broadcast_to,
    "repeat": _repeat,
    "tile": _tile,
    "zeros": _filled(0),
    "ones": _filled(1),
    "full": _full,
    "arange": _arange,
}


def _unknown(shape: Any) -> bool:
    return isinstance(shape, tuple | list) and any(dim is None for dim in shape)
