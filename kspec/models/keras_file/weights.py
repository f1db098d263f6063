"""The weights of a `.keras` file: HDF5 → variables that do not have values yet.

The path of each variable in the file is found by running Keras' own save traversal. At that path
only a plain dataset is read, with the variable's shape and type and the bytes that these need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import h5py
import keras
import numpy as np
from keras.src.saving import saving_lib

from kspec.compiler.ir import Array
from kspec.models.keras_file.archive import RATIO
from kspec.models.keras_file.refusal import refused

FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE)
LARGEST = 16 << 30
"""Maximum bytes of all variables together."""


class Layout(saving_lib.H5IOStore):  # type: ignore[misc]
    """Records the variables that Keras' save traversal would write, by path."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}

    def __bool__(self) -> bool:
        return True

    def make(self, path: str, metadata: object = None) -> dict[str, Any]:
        del metadata
        return self.groups.setdefault(path, {})


def load(model: keras.Model, made: Iterable[Any], stream: IO[bytes]) -> None:
    """Assign the file's values to every variable; raises KspecError KS735 and KS736.

    ``made`` contains all variables created with the model. Among them are the states of random
    generators, which the model does not list and which are initialised anew.
    """
    places = {id(each): (path, each) for path, each in variables(model)}
    total = sum(_bytes(each) for _, each in places.values())
    if total > LARGEST:
        raise refused("KS734", f"the model's variables would take {total:,} bytes")
    try:
        file = h5py.File(stream, "r")
    except (OSError, ValueError, RuntimeError) as error:
        raise refused("KS735", f"model.weights.h5 is not an HDF5 file: {error}") from error
    with file:
        found = {path: dataset(file, path, each) for path, each in places.values()}
        for path, variable in places.values():
            fill(variable, values(found[path], path))
    for variable in filter(is_random_state, made):
        variable._deferred_initialize()  # noqa: SLF001
    for layer in model._flatten_layers():  # noqa: SLF001
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()


def variables(model: keras.Model) -> Iterator[tuple[str, Any]]:
    """Yield the variables with their paths in the file, without states of random generators."""
    layout = Layout()
    saving_lib._save_state(  # noqa: SLF001
        model, weights_store=layout, assets_store=None, inner_path="", visited_saveables=set()
    )
    for path, group in layout.groups.items():
        for key, variable in group.items():
            if not is_random_state(variable):
                yield "/".join(filter(None, (path, "vars", key))), variable


def is_random_state(variable: Any) -> bool:
    """Return whether the variable is the state of a random generator."""
    return bool(variable.name == "seed_generator_state")


def dataset(file: h5py.File, path: str, variable: Any) -> h5py.Dataset:
    """Return the unread dataset at a path, which must consist of hard links in this file."""
    found = file
    for part in path.split("/"):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            raise refused("KS736", f"the file has no weights {path} for {variable.path}")
        if type(link) is not h5py.HardLink:
            raise refused("KS735", f"{path} is a link to another place")
        found = found[part]
    if not isinstance(found, h5py.Dataset):
        raise refused("KS736", f"{path} is not an array")
    _check_storage(found, path)
    _check_fit(found, path, variable)
    return found


def _check_storage(found: h5py.Dataset, path: str) -> None:
    plan = found.id.get_create_plist()
    if found.is_virtual or found.external:
        raise refused("KS735", f"{path} takes its values from another file")
    if found.dtype.kind not in "fiub" or found.dtype.hasobject:
        raise refused("KS735", f"{path} holds {found.dtype}, not numbers")
    filters = {plan.get_filter(place)[0] for place in range(plan.get_nfilters())}
    if filters - set(FILTERS):
        raise refused("KS735", f"{path} uses an unsupported filter")
    needed, stored = found.size * found.dtype.itemsize, found.id.get_storage_size()
    if needed > stored * (RATIO if filters else 1):
        raise refused("KS735", f"{path} claims {needed:,} bytes, but {stored:,} are there")


def _check_fit(found: h5py.Dataset, path: str, variable: Any) -> None:
    if found.shape != tuple(variable.shape):
        message = f"{path} is {found.shape}, but {variable.path} is {tuple(variable.shape)}"
        raise refused("KS736", message)
    if found.dtype != np.dtype(str(variable.dtype)):
        raise refused("KS736", f"{path} is {found.dtype}, but {variable.path} {variable.dtype}")


def values(found: h5py.Dataset, path: str) -> Array:
    """Return the values of a dataset."""
    try:
        read: Array = np.asarray(found[()])
    except (OSError, ValueError, RuntimeError) as error:
        raise refused("KS735", f"{path} cannot be read: {error}") from error
    return read


def fill(variable: Any, value: Array) -> None:
    """Assign the first value of a variable that is only a shape so far."""
    variable._initializer = lambda shape, dtype: value  # noqa: ARG005, SLF001
    variable._deferred_initialize()  # noqa: SLF001


def _bytes(variable: Any) -> int:
    size = np.dtype(str(variable.dtype)).itemsize
    for each in variable.shape:
        size *= int(each)
    return size
