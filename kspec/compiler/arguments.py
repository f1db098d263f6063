"""Arguments of operations that must be known when a model is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras.src.ops import core, einops, image
from keras.src.ops import numpy as knp


class ComputedError(TypeError):
    """A model computes an argument that must be known at compile time."""


def computed_arguments(operation: Any, kinds: tuple[type, ...] = (keras.KerasTensor,)) -> list[str]:
    """Return the names of constructor arguments that contain symbols or values of these kinds."""
    return [
        name
        for name, value in vars(operation).items()
        if not name.startswith("_")
        and any(isinstance(each, kinds) for each in keras.tree.flatten(value))
    ]


CALLED_WITH: Mapping[type, str] = {
    core.Switch: "branches",
    einops.Rearrange: "pattern",
    image.ScaleAndTranslate: "output_shape",
    knp.GetItem: "key",
}
"""The second call argument of each operation where that argument is not a tensor."""


def computed_call(operation: Any, args: tuple[Any, ...], kind: type) -> str | None:
    """Return the name of the non-tensor call argument if it contains values of the kind."""
    name = CALLED_WITH.get(type(operation))
    if name is None or len(args) < 2:
        return None
    return name if any(isinstance(each, kind) for each in keras.tree.flatten(args[1])) else None


def known_arguments(operation: Any) -> Any:
    """Return the operation with Python numbers in place of NumPy's, which fail tests such as
    ``isinstance(axis, int)``."""
    plain = {
        name: keras.tree.map_structure(_plain, value)
        for name, value in vars(operation).items()
        if not name.startswith("_")
        and any(isinstance(each, np.generic) for each in keras.tree.flatten(value))
    }
    if not plain:
        return operation
    known = object.__new__(type(operation))  # Keras' own constructor would record a call
    vars(known).update({**vars(operation), **plain})
    return known


def _plain(given: Any) -> Any:
    return given.item() if isinstance(given, np.generic) else given


def known_only(operation: Any, argument: str) -> str:
    return (
        f"keras.ops {type(operation).__name__}: `{argument}` is computed by the model, "
        "but must be known when it is compiled"
    )
