"""Lookup of Pydantic locations in the models: the models, fields and keys at a location."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kspec.schemas.base import Choice, Entry, Keyed
from kspec.schemas.descriptions import descriptions

Loc = tuple[str | int, ...]


def description_at(model: type[BaseModel], loc: Loc) -> str | None:
    """Return the first line of the docstring of the field at `loc`."""
    for found in models_at(model, loc[:-1]):
        for name, field in found.model_fields.items():
            if loc[-1] in (name, field.alias):
                return descriptions(found).get(name, "").partition("\n")[0] or None
    return None


def keys_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """Return the keys of the models at `loc`, required keys first."""
    keys = [
        (not field.is_required(), key)
        for found in models_at(model, loc)
        for name, field in found.model_fields.items()
        for key in _written(found, name, field)
    ]
    return tuple(dict.fromkeys(key for _, key in sorted(keys, key=lambda each: each[0])))


def beside_at(model: type[BaseModel], loc: Loc) -> frozenset[str]:
    """Return the keys beside the choice of the entries at `loc`."""
    found = [each.keys_beside() for each in models_at(model, loc) if issubclass(each, Entry)]
    return frozenset().union(*found)


def planned_at(model: type[BaseModel], loc: Loc) -> Mapping[str, str]:
    """Return the planned choices of the entries at `loc`, with what to write until then."""
    found: dict[str, str] = {}
    for each in models_at(model, loc):
        if issubclass(each, Entry):
            found |= each.planned
    return found


def home_of(model: type[BaseModel], loc: Loc, key: str) -> str | None:
    """Return the place, one level below the models at `loc`, of a key that they do not have: the
    `learning_rate` of `train` belongs to its optimizer. None without such a place."""
    for found in models_at(model, loc):
        for name, field in found.model_fields.items():
            inner = [each for kind in _field_types(field) for each in _direct(kind)]
            home = _home(inner, key, type(field.default))
            if home is not None:
                is_inline = issubclass(found, Entry) and name == found.choice_field
                return home if is_inline else f"{field.alias or name}: {{{home}}}"
    return None


def _home(models: Sequence[type[BaseModel]], key: str, default: type) -> str | None:
    """Return how `key` is written in a field of one of these models."""
    for each in sorted(models, key=lambda model: model is not default):
        # The base of several choices has no key of its own.
        own = getattr(each, "key", None) if issubclass(each, Choice) else None
        if own == key:
            return f"{key}: …"
        if any(key == (field.alias or name) for name, field in each.model_fields.items()):
            return f"{own}: {{{key}: …}}" if own else f"{key}: …"
    return None


def _direct(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a value of this annotation itself may be, without list items."""
    if isinstance(annotation, Keyed):
        yield from annotation.members(None).values() if annotation.alternatives else ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) not in (dict, tuple, list):
        for argument in get_args(annotation):
            yield from _direct(argument)


def _written(model: type[BaseModel], name: str, field: FieldInfo) -> tuple[str, ...]:
    """Return the keys of a field in YAML: its name, or the keys of an entry's choice."""
    if issubclass(model, Entry) and name == model.choice_field:
        models = [each for found in _field_types(field) for each in _models(found)]
        return tuple(each.key for each in models if issubclass(each, Choice))
    return (field.alias or name,)


def models_at(model: type[BaseModel], loc: Loc) -> tuple[type[BaseModel], ...]:
    """Return the models of the values at `loc`."""
    types: list[Any] = [model]
    for part in loc:
        below = [each for found in types for each in _below(found, part)]
        types = below or types
    return tuple(each for found in types for each in _models(found))


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield the annotations at `part` of a location; nothing for a part inside Pydantic."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part in (name, field.alias):
                yield from _field_types(field)
        return
    choices = [
        each
        for each in _models(annotation)
        if issubclass(each, Choice) and getattr(each, "key", None) == part
    ]
    if choices:
        yield from choices
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        yield arguments[1]
    elif origin in (tuple, list) and isinstance(part, int):
        yield arguments[min(part, len(arguments) - 1) if arguments[-1] is not ... else 0]
    else:
        for argument in arguments:
            yield from _below(argument, part)


def _field_types(field: FieldInfo) -> Iterator[Any]:
    alternatives: list[Any] = [
        each
        for mark in field.metadata
        if isinstance(mark, Keyed) and mark.alternatives
        for each in mark.members(field.annotation).values()
    ]
    yield from alternatives or [field.annotation]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        if isinstance(argument, Keyed):
            yield from argument.members(None).values() if argument.alternatives else ()
        else:
            yield from _models(argument)
