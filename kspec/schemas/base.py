"""What all schema models share: the strict frozen base, field types, and choices by key.

Choices. Wherever a spec says one of several things, it says it as a mapping with a single
key, `{csv: digits.csv}`, `{adam: {learning_rate: 0.01}}`, or as the bare key, `adam`. Each
alternative is a `Choice` with its `key`; the field is the union of them, marked `Keyed()`:

    Source = Annotated[Csv | Parquet, Keyed()]

The value after validation is the alternative itself (`Csv(path=...)`). Its errors have these
types and contexts; `known` lists the keys that may stand there:

    choice_unknown  {found, known}   located at the unknown key
    choice_missing  {known}          located at the mapping
    choice_many     {found, known}   located at each key too many
    choice_form     {known}          neither a key nor a mapping

Where keys stand beside the choice (`{image: {...}, columns: "pixel_*"}`), the model is an
`Entry`: its own fields are the keys beside, and all others go to its field `choice_field`.

Locations. A part of an error's `loc` that the written mapping does not have is no part of the
route in the YAML: it is such a field, a shorthand's field, the form of a `Spread` ("one",
"list"), or the field that is missing. Leaving out what is not found gives the route.

Validators that look at several fields locate what they find (`located`): type `invalid`, the
whole sentence in `ctx["message"]`, and `known` where a name is unknown.

Expressions. A `Number` may be written as text (`1/16`). The function that evaluates the text
comes in the validation context, `model_validate(raw, context={"evaluate": evaluate})`; a
`ValueError` of it becomes the error. Without one, text is refused as not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    ValidationError,
    core_schema,
)


class Model(BaseModel):
    """Strict and frozen: nothing is converted silently, unknown keys are errors."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        validate_default=False,
    )


class Choice(Model):
    """One alternative of a choice, chosen by its key."""

    key: ClassVar[str]
    """The key in the YAML."""
    shorthand: ClassVar[str | None] = None
    """The field that a value which is no mapping sets: `max_pooling2d: 2`."""

    @classmethod
    def open(cls, body: object) -> object:
        """The fields, from what is written after the key."""
        if body is None:
            return {}
        if isinstance(body, Mapping | Choice) or cls.shorthand is None:
            return body
        return {cls.shorthand: body}


@dataclass(frozen=True, slots=True)
class Keyed:
    """Marks a union of `Choice` classes (or lists them) as written by key."""

    alternatives: tuple[type[Choice], ...] = ()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        table = {cls.key: cls for cls in self.alternatives or members(source)}
        choices: dict[Any, CoreSchema] = {
            key: core_schema.no_info_before_validator_function(
                _opener(key, cls), handler.generate_schema(cls)
            )
            for key, cls in table.items()
        }
        return core_schema.no_info_before_validator_function(
            _picker(tuple(table)),
            core_schema.tagged_union_schema(choices, discriminator=_only_key),
            serialization=core_schema.plain_serializer_function_ser_schema(_close),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        union = schema["schema"]
        forms: list[JsonSchemaValue] = []
        for key, choice in union["choices"].items():
            forms.append(
                {
                    "type": "object",
                    "properties": {key: handler(choice["schema"])},
                    "required": [key],
                    "additionalProperties": False,
                }
            )
        return {"anyOf": [*forms, {"enum": list(union["choices"])}]}


def members(union: Any) -> tuple[type[Choice], ...]:
    """The classes of a union, or the class itself."""
    return get_args(union) if get_origin(union) in (Union, UnionType) else (union,)


def _picker(known: tuple[str, ...]) -> Callable[[Any], dict[str, Any]]:
    def pick(raw: Any) -> dict[str, Any]:
        context = {"known": [*known, *(raw.beside if isinstance(raw, _Rest) else ())]}
        if isinstance(raw, Choice):
            return {raw.key: raw}
        if isinstance(raw, str):
            raw = {raw: None}
        if not isinstance(raw, Mapping):
            raise PydanticCustomError("choice_form", "expected one of: {known}", context)
        unknown = [key for key in raw if key not in known]
        chosen = [key for key in raw if key in known]
        if unknown:
            raise _at_keys("choice_unknown", "unknown key {found}", unknown, context)
        if not chosen:
            raise PydanticCustomError("choice_missing", "expected one of: {known}", context)
        if len(chosen) > 1:
            raise _at_keys("choice_many", "one key only, not also {found}", chosen[1:], context)
        return dict(raw)

    return pick


def _at_keys(kind: Any, text: Any, keys: list[Any], context: dict[str, Any]) -> ValidationError:
    details: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError(kind, text, {**context, "found": key}),
            "loc": (key,),
            "input": key,
        }
        for key in keys
    ]
    return ValidationError.from_exception_data("choice", details)


def _opener(key: str, cls: type[Choice]) -> Callable[[dict[str, Any]], object]:
    return lambda raw: cls.open(raw[key])


def _only_key(raw: dict[str, Any]) -> str:
    return next(iter(raw))


def _close(value: Choice) -> dict[str, Any]:
    return {value.key: value.model_dump(exclude_defaults=True, by_alias=True)}


class _Rest(dict[str, Any]):
    """The keys of an `Entry` that are not its own; errors name the ones that are."""

    beside: list[str]


class Entry(Model):
    """A choice with keys of its own beside it."""

    choice_field: ClassVar[str]
    """The field that holds the choice."""

    @model_validator(mode="before")
    @classmethod
    def gather(cls, raw: Any) -> Any:
        """Separate the keys beside from the choice."""
        if isinstance(raw, str):
            return {cls.choice_field: raw}
        if not isinstance(raw, Mapping) or isinstance(raw.get(cls.choice_field), Choice):
            return raw
        beside = cls.keys_beside()
        own = {key: value for key, value in raw.items() if key in beside}
        rest = _Rest({k: v for k, v in raw.items() if k not in beside})
        rest.beside = sorted(beside)
        return own | {cls.choice_field: rest}

    @classmethod
    def keys_beside(cls) -> frozenset[str]:
        """The keys that may stand beside the choice."""
        fields = cls.model_fields.items()
        return frozenset(f.alias or name for name, f in fields if name != cls.choice_field)


@dataclass(frozen=True, slots=True)
class Spread:
    """A tuple that may be written as one item, which then stands for all of them."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        item, *others = get_args(source)
        count = 1 if Ellipsis in others else 1 + len(others)
        listed = handler(Annotated[source, Listed])
        one = core_schema.no_info_after_validator_function(
            lambda value: (value,) * count, handler.generate_schema(item)
        )
        return core_schema.tagged_union_schema({"one": one, "list": listed}, discriminator=_form)


def _form(raw: object) -> str:
    return "list" if isinstance(raw, list | tuple) else "one"


def _evaluate(raw: object, info: ValidationInfo) -> object:
    if isinstance(raw, str) and info.context and "evaluate" in info.context:
        return info.context["evaluate"](raw)
    return raw


def form_of(raw: object) -> str:
    """How a value is written: truth, number, text, list or mapping."""
    if isinstance(raw, bool):
        return "truth"
    for kinds, form in ((int | float, "number"), (str, "text"), (list | tuple, "list")):
        if isinstance(raw, kinds):
            return form
    return "mapping"


def written(**forms: str) -> Discriminator:
    """Tells the members of a union, tagged by form, by how the value is written.

    The keywords are the forms and what they are called in the message. Text is an expression
    where a number may stand and text may not.
    """

    def tag(raw: object) -> str:
        form = form_of(raw)
        return "number" if form == "text" and "text" not in forms and "number" in forms else form

    return Discriminator(
        tag,
        custom_error_type="form",
        custom_error_message=f"expected {' or '.join(forms.values())}",
    )


def located(loc: tuple[str | int, ...], message: str, **context: Any) -> ValidationError:
    """An error of a validator that concerns a place inside the model."""
    error = PydanticCustomError("invalid", "{message}", {"message": message, **context})
    return ValidationError.from_exception_data(
        "model", [{"type": error, "loc": loc, "input": None}]
    )


Listed = Strict(strict=False)
"""Marks a tuple field: a YAML list is its only form."""

LARGEST = 2**31 - 1
"""No size or count is above it: it is the largest int32."""
Positive = Annotated[int, Field(ge=1, le=LARGEST)]
"""A whole number ≥ 1."""
Natural = Annotated[int, Field(ge=0, le=LARGEST)]
"""A whole number ≥ 0."""
Seed = Annotated[int, Field(ge=0, le=LARGEST)]
"""A seed of a random generator."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
"""Letters, digits, - and _, beginning with a letter."""
Number = Annotated[
    float,
    BeforeValidator(_evaluate),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
"""A finite number, or an expression of numbers as text: `1/16`."""
