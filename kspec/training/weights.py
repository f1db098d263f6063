"""Weights as safetensors: one tensor for each Keras variable, named by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kspec.spec.diagnostics import Diagnostic, KspecError, Route
from kspec.spec.document import Document
from kspec.spec.paths import MAX_BYTES
from kspec.spec.suggestions import nearest
from kspec.spec.untrusted import File, PlaceError
from kspec.training.files import write_whole

if TYPE_CHECKING:
    import keras

Weights = dict[str, np.ndarray[Any, Any]]
RETRAIN = "train the network as it is now"


def read_weights(path: Path) -> Weights:
    """Return the tensors of a weights file by variable path, without TensorFlow.

    Raises KspecError KS630 if the file is missing and KS631 if it is damaged.
    """
    return _read(File(path.parent, path.name, MAX_BYTES))


def _read(file: File) -> Weights:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(file.read())
    except PlaceError as error:
        if error.reason == "missing":
            message, help_ = f"no weights at {file.path}", "train first: `kspec train`"
            raise KspecError(Diagnostic("KS630", message, help=help_)) from None
        raise KspecError(Diagnostic("KS631", f"weights are not read: {error.message}")) from None
    except SafetensorError as error:
        raise KspecError(Diagnostic("KS631", f"{file.path} is damaged: {error}")) from None


def weights_of(model: keras.Model) -> Weights:
    """Return copies of the model's weights by variable path, without seeds and metrics."""
    return {variable.path: variable.numpy() for variable in model.weights}


def pack(tensors: Weights, metadata: dict[str, str] | None = None) -> bytes:
    """Return the safetensors file of these tensors; equal tensors give equal bytes.

    The metadata has one key: several keys would be written in the order of a hash map.
    """
    from safetensors.numpy import save

    # safetensors writes the memory of an array as it lies: a transposed view comes out wrong.
    return save({name: np.array(t, order="C") for name, t in tensors.items()}, metadata)


def save_weights(model: keras.Model, path: Path) -> None:
    """Write the model's weights atomically; equal weights give equal bytes."""
    write_whole(path, pack(weights_of(model)))


def load_weights(model: keras.Model, path: Path) -> None:
    """Set the model's weights from a file of `save_weights`.

    Raises KspecError KS632 with every weight that is missing, unexpected, or of another shape or
    dtype; the model is then unchanged.
    """
    from kspec.models.keras_model import finalize

    stored = read_weights(path)
    variables = {variable.path: variable for variable in model.weights}
    if problems := tuple(_mismatches(variables, stored)):
        raise KspecError(
            *(Diagnostic("KS632", text, help=near or RETRAIN) for text, near in problems)
        )
    _assign(variables, stored)
    finalize(model)


def initialize(model: keras.Model, document: Document) -> None:
    """Set the weights of a new model from the files that the spec names: weights of single steps,
    then weights of the whole network.

    Raises KspecError KS631 for a damaged file and KS633 for a file of another network, each with
    all weights that do not fit; the model must not be used then.
    """
    from kspec.models.keras_model import finalize, keras_name

    whole = {variable.path: variable for variable in model.weights}
    for step in document.steps:
        if (file := step.layer.weights_file()) is not None:
            name = keras_name(step.name)
            variables = {
                variable.path.removeprefix(f"{name}/"): variable
                for variable in model.get_layer(name).weights
            }
            _start(variables, file[1], document, (*step.route, *file[0]))
    if document.spec.weights is not None:
        _start(whole, document.spec.weights, document, ("weights",))
    finalize(model)


def _start(variables: Mapping[str, Any], name: str, document: Document, route: Route) -> None:
    stored = _read(File(document.path.parent, name, MAX_BYTES))
    if problems := tuple(_mismatches(variables, stored)):
        found = (Diagnostic("KS633", text, route, help=near) for text, near in problems)
        raise KspecError(*found, document=document)
    _assign(variables, stored)


def _assign(variables: Mapping[str, Any], stored: Weights) -> None:
    for name, variable in variables.items():
        variable.assign(stored[name])


def _mismatches(variables: Mapping[str, Any], stored: Weights) -> Iterator[tuple[str, str | None]]:
    """Yield what does not fit in a file, each with a name that may be meant."""
    left_over = sorted(stored.keys() - variables.keys())
    for name, variable in variables.items():
        if name not in stored:
            near = nearest(name, left_over)
            yield f"the file has no weight {name!r}", f"it has {near!r}" if near else None
            continue
        found = (stored[name].shape, str(stored[name].dtype))
        wanted = (tuple(variable.shape), str(variable.dtype))
        if found != wanted:
            shown = f"{_form(*found)} in the file, {_form(*wanted)} in the network"
            yield f"the weight {name!r} is {shown}", None
    for name in left_over:
        yield f"the network has no weight {name!r}, which is in the file", None


def _form(shape: tuple[int, ...], dtype: str) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"
