"""A `.keras` file → keras.Model."""

from __future__ import annotations

from pathlib import Path

import keras

from kspec.models.keras_file import configuration, network, weights
from kspec.models.keras_file.archive import open_archive


def read(path: str | Path) -> keras.Model:
    """Read a file written by Keras 3 as a built model with weights, for inference.

    Accepted classes are the layers of the catalogue, the operations of `keras.ops` that the
    compiler supports, and Functional and Sequential models of them. Training state is ignored, and
    mixed precision is read as float32. Raises KspecError KS730 to KS737, before anything of a
    declared size is allocated.
    """
    with open_archive(Path(path)) as (config, stream):
        given = configuration.parse(config)
        with network.unallocated() as made:
            model = network.build(given)
        weights.load(model, made, stream)
    return model
