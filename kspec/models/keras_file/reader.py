"""A `.keras` file → keras.Model."""

from __future__ import annotations

from pathlib import Path

import keras

from kspec.models.keras_file import configuration, network, weights
from kspec.models.keras_file.archive import open_archive


def read(path: str | Path) -> keras.Model:
    """The built model of a file that Keras 3 wrote, with its weights, for inference.

    Its classes are those of the catalogue, the operations of `keras.ops` that the compiler knows,
    and Functional and Sequential models of these; whatever it holds for training is left out, and
    mixed precision is read as float32. Raises KspecError KS730 to KS737, before anything of a
    size that the file declares is allocated.
    """
    with open_archive(Path(path)) as (config, stream):
        given = configuration.parse(config)
        with network.unallocated() as made:
            model = network.build(given)
        weights.load(model, made, stream)
    return model
