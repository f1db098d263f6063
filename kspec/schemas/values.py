"""Types of fields: sizes, names, numbers or expressions, lists or single items."""

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
    """Marks a tuple that may be written as one item, which then stands for all items."""

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
    """Marks text that must match a pattern. Errors have the type `text_form` and contain `found`
    and `help`."""

    pattern: str
    found: str
    """Message for text that does not match: `cannot be a name`."""
    help: str
    """The expected form."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}

    def check(self, text: str) -> str:
        """Return the text if it matches; raise an error otherwise."""
        if re.fullmatch(self.pattern, text) is None:
            context = {"found": self.found, "help": self.help}
            raise PydanticCustomError("text_form", "the text {found}: {help}", context)
        return text


def fault(kind: Any, message: str) -> PydanticCustomError:
    """Return an error with its own message; `kind` is `path`, `gate` or `parameter`."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def _form(raw: object) -> str:
    return "list" if isinstance(raw, list | tuple) else "one"


def _evaluate(raw: object, info: ValidationInfo) -> object:
    if isinstance(raw, str) and info.context and "evaluate" in info.context:
        return info.context["evaluate"](raw)
    return raw


def form_of(raw: object) -> str:
    """Return the form of a value: truth, number, text, list or mapping."""
    if isinstance(raw, bool):
        return "truth"
    for kinds, form in ((int | float, "number"), (str, "text"), (list | tuple, "list")):
        if isinstance(raw, kinds):
            return form
    return "mapping"


def written(**forms: str) -> Discriminator:
    """Return a discriminator that selects the member of a union by the form of the value.

    The keywords map each form to its name in the message. If the union has numbers and no text,
    text is an expression.
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
"""Marks a tuple field that is written as a YAML list only."""

LARGEST = 2**31 - 1
"""Maximum of sizes and counts: the largest int32."""
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
"""Marks a number that may be written as an expression; follows the bounds in `Annotated`."""
Number = Annotated[float, Evaluated]
"""A finite number, or an expression of numbers as text: `1/16`."""


def _not_zero(size: int) -> int:
    if size == 0:
        raise ValueError("0 is not a size: write 1 or more, or -1")
    return size


PositiveOrRest = Annotated[int, Field(ge=-1, le=LARGEST), AfterValidator(_not_zero)]
"""A whole number ≥ 1, or -1 for a size computed from the others."""
