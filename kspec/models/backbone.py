"""A network of `keras.applications` as a Keras layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common import global_state

NAMES = "object_name_uids"
"""Keras' global attribute with the counters for automatic layer names."""


class Backbone(keras.Layer):  # type: ignore[misc]
    """The network without its classifier. It is created when the input shape is known, because
    Keras' padding depends on it. Paths of variables are the network's, with the name of this layer
    as prefix."""

    def __init__(self, application: str, arguments: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.application = application
        self.arguments = dict(arguments)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        with _names_from_one():
            self.network = getattr(keras.applications, self.application)(
                include_top=False, weights=None, input_shape=input_shape[1:], **self.arguments
            )
        self.network.trainable = self.trainable

    def call(self, inputs: Any, training: bool | None = None) -> Any:  # noqa: FBT001 - as in Keras
        return self.network(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        own = {"application": self.application, "arguments": self.arguments}
        return {**super().get_config(), **own}


@contextmanager
def _names_from_one() -> Iterator[None]:
    """Make automatic layer names independent of layers created earlier in the process."""
    outside = global_state.get_global_attribute(NAMES)
    global_state.set_global_attribute(NAMES, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(NAMES, outside)
