"""Trained weights as safetensors, one tensor for each Keras variable, named by its path."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.training.files import write_whole

if TYPE_CHECKING:
    import keras

Weights = dict[str, np.ndarray[Any, Any]]


def read_weights(path: Path) -> Weights:
    """The tensors of a weights file by variable path; needs no TensorFlow.

    Raises KspecError KS630 when the file is absent and KS631 when it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(path.read_bytes())
    except FileNotFoundError:
        raise KspecError(
            Diagnostic("KS630", f"no weights at {path}", help="train first: `kspec train`")
        ) from None
    except SafetensorError as error:
        raise KspecError(Diagnostic("KS631", f"{path} is damaged: {error}")) from None


def weights_of(model: keras.Model) -> Weights:
    """Copies of the model's weights by variable path: neither seeds nor metrics are weights."""
    return {variable.path: variable.numpy() for variable in model.weights}


def pack(tensors: Weights, metadata: dict[str, str] | None = None) -> bytes:
    """The safetensors file of these tensors; equal tensors give equal bytes.

    With more than one key the metadata would come out in the order of a hash map.
    """
    from safetensors.numpy import save

    # safetensors writes the memory of an array as it lies: a transposed view comes out wrong.
    return save({name: np.array(t, order="C") for name, t in tensors.items()}, metadata)


def save_weights(model: keras.Model, path: Path) -> None:
    """Write the model's weights, whole or not at all; equal weights give equal bytes."""
    write_whole(path, pack(weights_of(model)))


def load_weights(model: keras.Model, path: Path) -> None:
    """Set the model's weights from a file of `save_weights`.

    Raises KspecError KS632 naming every weight that is missing, left over, or of another shape
    or dtype; the model is then as it was.
    """
    from kspec.compiler.keras_model import finalize

    stored = read_weights(path)
    variables = {variable.path: variable for variable in model.weights}
    if problems := tuple(_mismatches(variables, stored)):
        raise KspecError(*problems)
    for name, variable in variables.items():
        variable.assign(stored[name])
    finalize(model)


def _mismatches(variables: Mapping[str, Any], stored: Weights) -> Iterator[Diagnostic]:
    left_over = sorted(stored.keys() - variables.keys())
    for name, variable in variables.items():
        if name not in stored:
            near = difflib.get_close_matches(name, left_over, n=1)
            yield Diagnostic(
                "KS632",
                f"the file has no weight {name!r}",
                help=f"it has {near[0]!r}" if near else "train the network as it is now",
            )
            continue
        found = (stored[name].shape, str(stored[name].dtype))
        wanted = (tuple(variable.shape), str(variable.dtype))
        if found != wanted:
            yield Diagnostic(
                "KS632",
                f"the weight {name!r} is {_form(*found)} in the file, {_form(*wanted)} in the"
                " network",
                help="train the network as it is now",
            )
    for name in left_over:
        yield Diagnostic("KS632", f"the network has no weight {name!r}, which is in the file")


def _form(shape: tuple[int, ...], dtype: str) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"
