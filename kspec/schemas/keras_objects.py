"""Models that describe Keras objects as plain data."""

from typing import Any, ClassVar

from kspec.schemas.base import Choice, Model


class _OwnName:
    """A descriptor: the name of the class that it is read from."""

    def __get__(self, instance: object, owner: type) -> str:
        return owner.__name__


class KerasObject(Choice):
    """A Keras object. Its fields are the arguments of the Keras class, with their defaults."""

    keras: ClassVar[str] = _OwnName()  # type: ignore[assignment]
    """Name of the Keras class, by default the name of this class; `module:Class` for a class
    outside Keras."""
    module: ClassVar[str | None] = None
    """Module of the Keras class, if Keras does not find the class by its name alone."""

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments for the class as JSON data; nested objects are configs."""
        fields = type(self).model_fields.items()
        return {field.alias or name: plain(getattr(self, name)) for name, field in fields}

    def config(self) -> dict[str, Any]:
        """Return the config for `keras.saving.deserialize_keras_object` and similar functions."""
        named = {"class_name": self.keras, "config": self.arguments()}
        return named if self.module is None else {"module": self.module, **named}


def plain(value: Any) -> Any:
    """Return a field's value as JSON data."""
    if isinstance(value, KerasObject):
        return value.config()
    if isinstance(value, Model):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value
