"""Types of fields: sizes, names, numbers that may be expressions, lists that may be one item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Strict,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema


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
