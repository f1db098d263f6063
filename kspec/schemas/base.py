"""The base of all schema models: strict frozen models, and choices by key.

Choices. One of several alternatives is written as a mapping with a single key,
`{csv: digits.csv}`, `{adam: {learning_rate: 0.01}}`, or as the bare key, `adam`. Each
alternative is a `Choice` with its `key`; the field is their union, marked `Keyed()`:

    Source = Annotated[Csv | Parquet, Keyed()]

The value after validation is the alternative itself (`Csv(path=...)`). Its errors have these
types and contexts; `known` lists the keys that may stand there:

    choice_unknown  {found, known}   located at the unknown key
    choice_missing  {known}          located at the mapping
    choice_many     {found, known}   located at each key too many
    choice_form     {known}          neither a key nor a mapping

If a mapping has further keys beside the choice (`{image: {...}, columns: "pixel_*"}`), the
model is an `Entry`: its own fields take these keys, and its field `choice_field` all others.

Locations. An error's `loc` may contain parts that the written mapping does not have: such a
field, a shorthand's field, the form of a `Spread` ("one", "list"), or a missing field. The
route in the YAML is `loc` without these parts.

Validators of several fields raise `located` errors: type `invalid`, the whole sentence in
`ctx["message"]`, and the valid names in `known` if a name is unknown.

Expressions. A `Number` may be written as text (`1/16`). The function that evaluates the text
is in the validation context, `model_validate(raw, context={"evaluate": evaluate})`; its
`ValueError` becomes the error. Without the function, text is refused as not a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    model_serializer,
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

from kspec.schemas.descriptions import descriptions


class Model(BaseModel):
    """Strict and frozen: nothing is converted silently, unknown keys are errors."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        defer_build=True,  # built when first met
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with the fields' docstrings, which are read here only because that is
        slow."""
        described = handler(schema)
        fields = handler.resolve_ref_schema(described).get("properties", {})
        texts = descriptions(cls)
        for name, field in cls.model_fields.items():
            shown = fields.get(field.alias or name, {})
            if name in texts:
                shown["description"] = texts[name]
            if isinstance(field.default, Choice):
                shown["default"] = field.default.written()
        return described


class Choice(Model):
    """One alternative of a choice, chosen by its key."""

    # Built when first met: a spec uses a few of the many layers.
    model_config = ConfigDict(defer_build=True)

    key: ClassVar[str]
    """The key in the YAML."""
    shorthand: ClassVar[str | None] = None
    """The field that is set by a value other than a mapping: `max_pooling2d: 2`."""

    @classmethod
    def open(cls, body: object) -> object:
        """Return the fields from the value of the key."""
        if body is None:
            return {}
        if isinstance(body, Mapping | Choice) or cls.shorthand is None:
            return body
        return {cls.shorthand: body}

    def written(self) -> Any:
        """Return the choice as written in YAML: the bare key if all fields have their defaults."""
        fields = self.model_dump(exclude_defaults=True, by_alias=True)
        return {self.key: fields} if fields else self.key

    @classmethod
    def bare(cls) -> bool:
        """Return whether the key may be written without fields."""
        return not any(field.is_required() for field in cls.model_fields.values())


@dataclass(frozen=True, slots=True)
class Keyed:
    """Marks a union of `Choice` classes, a list or a table of them, as written by key."""

    alternatives: tuple[type[Choice], ...] | Mapping[str, type[Choice]] = ()
    """A list of classes, or classes by key; a table may import a class when it is looked up.
    Empty: the members of the union that is marked."""

    def members(self, union: Any) -> Mapping[str, type[Choice]]:
        """Return the classes by key."""
        if isinstance(self.alternatives, Mapping):
            return self.alternatives
        is_union = get_origin(union) in (Union, UnionType)
        classes = self.alternatives or (get_args(union) if is_union else (union,))
        return {cls.key: cls for cls in classes}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del handler
        members = self.members(source)
        bases = (source,) if isinstance(source, type) else tuple(members.values())
        picker = _Picker(members, bases)
        choices: dict[Any, CoreSchema] = {
            key: core_schema.with_info_plain_validator_function(_validator(members, key))
            for key in members
        }
        return core_schema.no_info_wrap_validator_function(
            picker,
            core_schema.tagged_union_schema(choices, discriminator=_only_key),
            serialization=core_schema.plain_serializer_function_ser_schema(Choice.written),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        inner: Any = schema
        while not isinstance(picker := inner["function"]["function"], _Picker):
            inner = inner["schema"]  # inside of validators that stand after the mark
        keys = {key: _body(cls, handler) for key, cls in picker.alternatives.items()}
        mapping: JsonSchemaValue = {
            "type": "object",
            "properties": keys,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        bare = [key for key, cls in picker.alternatives.items() if cls.bare()]
        return {"anyOf": [{"enum": bare}, mapping]} if bare else mapping


@dataclass(frozen=True, slots=True)
class _Picker:
    """Checks that exactly one known key is written, and converts all forms to a mapping of that
    key."""

    alternatives: Mapping[str, type[Choice]]
    bases: tuple[type[Any], ...]
    """Instances of these classes pass unchanged, such as a third-party layer."""

    def __call__(self, raw: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return raw if isinstance(raw, self.bases) else handler(self.pick(raw))

    def pick(self, raw: Any) -> dict[str, Any]:
        """Return a mapping of the one key to its value."""
        known = [*self.alternatives]
        context = {"known": [*known, *(raw.beside if isinstance(raw, _Rest) else ())]}
        if isinstance(raw, str):
            raw = {raw: None}
        if not isinstance(raw, Mapping):
            raise PydanticCustomError("choice_form", "expected one of: {known}", context)
        unknown = [key for key in raw if key not in self.alternatives]
        chosen = [key for key in raw if key in self.alternatives]
        if unknown:
            raise _at_keys("choice_unknown", "unknown key {found}", unknown, context)
        if not chosen:
            raise PydanticCustomError("choice_missing", "expected one of: {known}", context)
        if len(chosen) > 1:
            raise _at_keys("choice_many", "one key only, not also {found}", chosen[1:], context)
        return dict(raw)


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


def _validator(
    classes: Mapping[str, type[Choice]], key: str
) -> Callable[[dict[str, Any], ValidationInfo], Choice]:
    def validate(raw: dict[str, Any], info: ValidationInfo) -> Choice:
        cls = classes[key]
        return cls.model_validate(cls.open(raw[key]), context=info.context)

    return validate


def _only_key(raw: dict[str, Any]) -> str:
    return next(iter(raw))


def _body(cls: type[Choice], handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    cls.model_rebuild()
    fields = cls.__get_pydantic_json_schema__(cls.__pydantic_core_schema__, handler)
    forms = [fields]
    if cls.shorthand is not None:
        forms.insert(0, handler.resolve_ref_schema(fields)["properties"][cls.shorthand])
    if cls.bare():
        forms.append({"type": "null"})
    return {"anyOf": forms} if len(forms) > 1 else fields


class _Rest(dict[str, Any]):
    """The keys of an `Entry` that belong to its choice; errors also name the entry's own keys."""

    beside: list[str]


class Entry(Model):
    """A choice and further keys in the same mapping."""

    choice_field: ClassVar[str]
    """The field that contains the choice."""
    planned: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys of choices planned for a later version, each with what to write until then."""

    @model_validator(mode="before")
    @classmethod
    def gather(cls, raw: Any) -> Any:
        """Separate the entry's own keys from the choice."""
        if isinstance(raw, str):
            return {cls.choice_field: raw}
        if not isinstance(raw, Mapping) or isinstance(raw.get(cls.choice_field), Choice):
            return raw
        beside = cls.keys_beside()
        own = {key: value for key, value in raw.items() if key in beside}
        rest = _Rest({k: v for k, v in raw.items() if k not in beside})
        rest.beside = sorted(beside)
        return own | {cls.choice_field: rest}

    @model_serializer(mode="wrap")
    def hoist(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the entry as written: the choice among the entry's own keys."""
        fields: dict[str, Any] = dump(self)
        choice: Any = fields.pop(self.choice_field, {})
        return {**({choice: None} if isinstance(choice, str) else choice), **fields}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return one mapping with the keys of the choice and of the entry."""
        written = super().__get_pydantic_json_schema__(schema, handler)
        entry = handler.resolve_ref_schema(written)
        choice = entry["properties"].pop(cls.choice_field)
        mapping = choice["anyOf"][-1] if "anyOf" in choice else choice
        entry["properties"] = mapping["properties"] | entry["properties"]
        entry["required"] = [key for key in entry["required"] if key != cls.choice_field]
        if not entry["required"]:
            del entry["required"]
        return written

    @classmethod
    def keys_beside(cls) -> frozenset[str]:
        """Return the keys that may be written beside the choice."""
        fields = cls.model_fields.items()
        return frozenset(f.alias or name for name, f in fields if name != cls.choice_field)


def located(loc: tuple[str | int, ...], message: str, **context: Any) -> ValidationError:
    """Return a validation error located inside the model."""
    error = PydanticCustomError("invalid", "{message}", {"message": message, **context})
    return ValidationError.from_exception_data(
        "model", [{"type": error, "loc": loc, "input": None}]
    )
