"""Types of fields: sizes, names, numbers that may be expressions, lists that may be one item."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


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


@dataclass(frozen=True, slots=True)
class Form:
    """Marks text that a pattern describes. Errors have the type `text_form` and say what the text
    is not, and how it is written."""

    pattern: str
    found: str
    """What is said of other text: `cannot be a name`."""
    help: str
    """How it is written."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}

    def check(self, text: str) -> str:
        """The text, if the pattern fits."""
        if re.fullmatch(self.pattern, text) is None:
            context = {"found": self.found, "help": self.help}
            raise PydanticCustomError("text_form", "the text {found}: {help}", context)
        return text


def fault(kind: Any, message: str) -> PydanticCustomError:
    """An error of a type that is told in words of its own: `path`, `gate` or `parameter`."""
    return PydanticCustomError(kind, "{message}", {"message": message})


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
Name = Annotated[
    str,
    Field(max_length=64),
    Form(
        r"^[A-Za-z][A-Za-z0-9_-]*$",
        "cannot be a name",
        "names have letters, digits, - and _, and begin with a letter",
    ),
]
"""Letters, digits, - and _, beginning with a letter."""
Evaluated = BeforeValidator(_evaluate)
"""Marks a number, after its bounds, that may be an expression."""
Number = Annotated[float, Evaluated]
"""A finite number, or an expression of numbers as text: `1/16`."""


def _not_zero(size: int) -> int:
    if size == 0:
        raise ValueError("0 is no size: write 1 or more, or -1")
    return size


PositiveOrRest = Annotated[int, Field(ge=-1, le=LARGEST), AfterValidator(_not_zero)]
"""A whole number ≥ 1, or -1 for what is left over."""
