"""Limits of a configuration, and errors of Keras as diagnostics that name the layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras import tree

from kspec.models.keras_file.configuration import Json
from kspec.models.keras_file.refusal import IN_PYTHON, refused
from kspec.spec.diagnostics import KspecError

LARGEST = 2**31 - 1
"""Maximum values of a tensor per row."""
LARGEST_INPUT = 2**27
MOST_LAYERS, MOST_STEPS = 20_000, 1000
FAILURES = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError,
    OverflowError, RuntimeError, MemoryError, AssertionError,
)  # fmt: skip
"""Exceptions of Keras and TensorFlow for invalid arguments."""


class NotYetError(Exception):
    """A reference to a tensor of a call that has not been made yet."""


def bounded(given: list[Json], where: str) -> list[Json]:
    if not 0 < len(given) <= MOST_LAYERS:
        raise refused("KS734", f"{where} has {len(given)} layers")
    return given


def check_input(shape: Json, where: str) -> None:
    if not isinstance(shape, list) or not all(_is_size(size) for size in shape):
        raise refused("KS731", f"{where} has no shape that is read")
    values = math.prod(size for size in shape if size is not None)
    if values > LARGEST_INPUT:
        raise refused("KS734", f"{where} declares {values:,} values for a row")


def check_vocabulary(arguments: dict[str, Any], where: str) -> None:
    """Check that a lookup table contains whole numbers: a text would be a path that Keras reads."""
    numbers = arguments.get("vocabulary")
    if not isinstance(numbers, list) or not all(type(each) is int for each in numbers):
        raise refused("KS733", f"{where} has no vocabulary of whole numbers", IN_PYTHON)
    if arguments.get("output_mode") == "tf_idf":
        message = f"{where}: weights of a vocabulary (tf_idf) are not read"
        raise refused("KS733", message, IN_PYTHON)


def _is_size(size: Json) -> bool:
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and size > 0)


def check_outputs(result: Any, where: str) -> None:
    for tensor in tree.flatten(result):
        values = math.prod(size for size in getattr(tensor, "shape", ()) if size is not None)
        if values > LARGEST:
            raise refused("KS734", f"{where} gives {values:,} values for a row")


def made(make_it: Callable[[], Any], where: str) -> Any:
    with named(where):
        return make_it()


@contextmanager
def named(where: str) -> Iterator[None]:
    """Convert failures of Keras to errors that name the layer."""
    try:
        yield
    except (KspecError, NotYetError):
        raise
    except FAILURES as error:
        text = str(error).rpartition("Exception encountered: ")[2].strip()
        first = next(iter(text.splitlines()), type(error).__name__)
        raise refused("KS737", f"{where} cannot be built: {first[:300]}") from error
