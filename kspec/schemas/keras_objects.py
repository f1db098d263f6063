"""Models that describe Keras objects as plain data."""

from typing import Any, ClassVar

from kspec.schemas.base import Choice, Model


class _OwnName:
    """The name of the class that it is read from."""

    def __get__(self, instance: object, owner: type) -> str:
        return owner.__name__


class KerasObject(Choice):
    """A Keras object. Its fields are the arguments of the Keras class, with their defaults."""

    keras: ClassVar[str] = _OwnName()  # type: ignore[assignment]
    """Name of the Keras class, by default that of this class; `module:Class` for a class that
    Keras does not have."""
    module: ClassVar[str | None] = None
    """Module of the Keras class, where Keras does not find the class by its name alone."""

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
