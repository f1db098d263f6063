"""The error of a failed trace, and the reason extracted from an exception of Keras or a layer."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path

import keras
from keras.src.utils.module_utils import tensorflow

import kspec
from kspec.compiler.ir import Route

_BACKEND = (tensorflow.errors.OpError,) if keras.backend.backend() == "tensorflow" else ()
NOT_TRACED = (
    *_BACKEND,
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)
"""Exceptions that a layer's code, or Keras, may raise when the layer is called on symbols."""

LONGEST = 300
"""Greatest length of a quoted message, in characters."""
OTHERWISE = "write it with other functions of keras.ops, or compute it outside of the model"
"""What to do about a layer or operation that cannot be lowered, where nothing else is said."""
READS = (
    "it reads the values of a tensor, which are unknown when the model is compiled; write it "
    "with functions of keras.ops"
)
REASONS = (
    (
        r"symbolic `tf.Tensor` as a Python `bool`|symbolic tf.Tensor|truth value of .* is unknown",
        READS,
    ),
    (
        r"A KerasTensor cannot be used as input to a TensorFlow function",
        "it calls the backend directly; write it with functions of keras.ops",
    ),
    (
        (
            r"KerasTensor is symbolic|symbolic KerasTensor cannot|'KerasTensor' object cannot be "
            r"interpreted|not '?KerasTensor|Cannot convert .*KerasTensor"
        ),
        READS,
    ),
    (
        (
            r"'NoneType' and '(int|float)'|'(int|float)' and 'NoneType'|'NoneType' object cannot "
            r"be interpreted as an integer|'NoneType' has no len|convert a value \(None\)"
        ),
        "it computes with a size that the model leaves open (None); give the input a known shape",
    ),
    (
        r"has no attribute '_keras_history'",
        "it returns a tensor that does not depend on its inputs",
    ),
)
"""Fragments of Keras messages about symbolic calls, and what each means for a layer."""


_NODES = re.compile(r"\{\{\w+ [^}]*\}\}|\[Op:\w+\]( name:\s*\S*)?|Node: \S+|/job:\S+|\bname:\s*$")
"""What TensorFlow adds to its messages: `{{function_node …}}`, `[Op:GatherV2] name:`."""
_GATHERED = re.compile(r"indices\S* = (-?\d+) is not in \[0, (\d+)\)")


class TraceError(Exception):
    """A layer or operation that cannot be lowered. ``layer`` locates the layer's line; ``code`` is
    the diagnostic code."""

    def __init__(
        self, layer: str, message: str, route: Route = (), *, code: str = "KS711", help_: str = ""
    ) -> None:
        super().__init__(f"{layer}: {message}" if layer else message)
        self.layer = layer
        self.message = message
        self.route = route
        self.code = code
        self.help = help_ or None


def reason(error: BaseException) -> str:
    """Return why a layer cannot be traced, with the line of its code and the failing function of
    ``keras.ops`` if they are known."""
    why = "it draws random numbers, which no artifact does" if _draws(error) else said(error)
    return f"does not trace{_place(error)}: {why}"


def said(error: BaseException) -> str:
    """Return the first line of an exception's message, without the text that Keras adds."""
    text = str(error).rpartition("Error encountered:")[2]
    inner = re.findall(r"\x1b\[1m(.*?)\x1b\[0m", text, re.DOTALL)
    lines = (inner[-1] if inner else text).strip().splitlines()
    for pattern, meaning in REASONS:
        if re.search(pattern, text):
            return meaning
    return cleaned(lines[0])[:LONGEST] if lines else type(error).__name__


def cleaned(text: str) -> str:
    """Return a message of TensorFlow without the names of its nodes, devices and operations."""
    found = _GATHERED.search(text)
    if found is not None:
        return f"it reads the index {found[1]} of an axis of {found[2]}"
    return _NODES.sub("", text).strip()


def _draws(error: BaseException) -> bool:
    """Return whether an exception comes from a function of ``keras.random``."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(_KERAS / "random") for frame in frames)


def failing_layer(error: BaseException) -> str | None:
    """Return the name of the innermost layer whose code raised an exception."""
    found, step = None, error.__traceback__
    while step is not None:
        owner = step.tb_frame.f_locals.get("self")
        if isinstance(owner, keras.Layer) and not isinstance(owner, keras.Model):
            found = owner.name
        step = step.tb_next
    return found


def _place(error: BaseException) -> str:
    own, called = "", ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(_KERAS / "ops"):
            called = called or f", keras.ops.{frame.name}" * (not frame.name.startswith("_"))
        elif not any(path.is_relative_to(each) for each in _PACKAGES):
            own, called = f" at {path.name}:{frame.lineno}", ""
    return own + called if own else ""


_KERAS = Path(keras.__file__).parent / "src"
_PACKAGES = (
    Path(kspec.__file__).parent,
    *(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")),
)
