"""What stands for a Keras object and can be told to Keras as plain data."""

from __future__ import annotations

from typing import Any, ClassVar

from kspec.schemas.base import Choice, Model


class KerasObject(Choice):
    """Its fields are the arguments of a Keras class, with the defaults of that class."""

    keras: ClassVar[str]
    """Name of the class; of a layer that is not among Keras' own, `module:Class`."""
    module: ClassVar[str | None] = None
    """Where it is, for what Keras does not look for by name."""

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for the class, as JSON data; nested objects as configs."""
        fields = type(self).model_fields.items()
        return {field.alias or name: plain(getattr(self, name)) for name, field in fields}

    def config(self) -> dict[str, Any]:
        """What `keras.saving.deserialize_keras_object` and the like take."""
        named = {"class_name": self.keras, "config": self.arguments()}
        return named if self.module is None else {"module": self.module, **named}


def plain(value: Any) -> Any:
    """A field's value as JSON data."""
    if isinstance(value, KerasObject):
        return value.config()
    if isinstance(value, Model):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value
