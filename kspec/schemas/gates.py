"""Conditions that every artifact must meet before it is shipped."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from kspec.schemas.base import Model
from kspec.schemas.values import Form, fault

TEXT = re.compile(r"\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(B|KB|MB|GB|%|ms|s)?\s*")
UNITS: Mapping[str | None, float] = MappingProxyType(
    {None: 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "%": 0.01, "ms": 1e-3, "s": 1}
)
COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
)

GateName = Annotated[
    str,
    Form(
        r"^([A-Za-z*?][A-Za-z0-9_*?-]*\.)?[a-z][a-z0-9_]*$",
        "is not a metric",
        "write a metric, or a target and a metric: `accuracy`, `android.size`, `*.flips`",
    ),
]
"""A metric, or a glob of targets and a metric: `accuracy`, `android.size`, `*.flips`."""


class Gate(Model):
    """A bound of a metric, written `>= 0.97` or `<= 200 KB`."""

    comparison: Literal["<=", ">=", "<", ">"]
    """How the metric compares to the limit."""
    limit: float
    """The limit in bytes (1 KB is 1000), seconds, or as a share of 1."""
    text: str
    """The comparison as written."""

    @model_validator(mode="before")
    @classmethod
    def parse(cls, raw: Any) -> Any:
        """Parse the text."""
        if isinstance(raw, dict | Gate):
            return raw
        match = TEXT.fullmatch(raw) if isinstance(raw, str) else None
        if match is None:
            raise fault("gate", 'a gate is a comparison: ">= 0.97", "<= 200 KB", "<= 0.5 %"')
        comparison, number, unit = match.groups()
        return {"comparison": comparison, "limit": float(number) * UNITS[unit], "text": raw.strip()}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of the text."""
        del schema, handler
        return {"type": "string", "pattern": f"^{TEXT.pattern}$"}

    def holds(self, value: float) -> bool:
        """Return whether a value, in the limit's unit, is within the bound; NaN never is."""
        return not math.isnan(value) and COMPARE[self.comparison](value, self.limit)
