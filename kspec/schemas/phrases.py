"""Short descriptions of the values that a field accepts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kspec.schemas.values import LARGEST

Schema = dict[str, Any]

BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
KINDS: Mapping[str, str] = MappingProxyType(
    {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
)
LINKS: Mapping[str, str] = MappingProxyType(
    {
        "celu": "[activation](#activation-layers)",
        "zeros": "[initializer](#initializers)",
        "l1": "[regularizer](#regularizers)",
        "max_norm": "[constraint](#constraints)",
        "adam": "[optimizer](#optimizers)",
        "cosine_decay": "[schedule](#schedules)",
        "sparse_categorical_crossentropy": "[loss](#losses)",
        "lstm": "[recurrent layer](#recurrent-layers)",
        "dense": "[layer](#layers)",
        "max_pooling1d": "[layer](#layers)",
        "simple_rnn_cell": "[cell](#cells)",
        "csv": "[source](#sources)",
        "Data": "[mapping](#data)",
        "Split": "[mapping](#datasplit)",
        "Input": "[input](#inputs)",
        "Output": "[output](#outputs)",
        "Step": "[step](#network)",
        "Train": "[mapping](#train)",
        "EarlyStopping": "[mapping](#trainearly_stopping)",
        "ReduceLROnPlateau": "[mapping](#trainreduce_lr_on_plateau)",
        "RenormClipping": "mapping of `rmin`, `rmax`, `dmax`",
        "Gate": "comparison: `>= 0.97`",
    }
)
"""Links into the reference page for choices (by their first key) and models (by their name)."""


def phrase(schema: Schema) -> str:
    """Describe a property of a JSON Schema in words."""
    for union in ("anyOf", "oneOf"):
        if union in schema:
            parts = [phrase(part) for part in schema[union] if part.get("type") != "null"]
            return ", or ".join(dict.fromkeys(parts))
    if "$ref" in schema:
        return LINKS[schema["$ref"].removeprefix("#/$defs/")]
    if "enum" in schema:
        words = schema["enum"]
        return LINKS.get(words[0]) or ", ".join(code(word) for word in words)
    if "const" in schema:
        return code(schema["const"])
    forms = {"array": _list, "object": _mapping}
    if isinstance(schema.get("type"), list):
        return ", or ".join(KINDS[kind] for kind in schema["type"])
    kind = str(schema.get("type"))
    return forms[kind](schema) if kind in forms else _bounded(schema, KINDS.get(kind, "anything"))


def _bounded(schema: Schema, name: str) -> str:
    bounds = [
        f"{sign} {schema[key]:g}" for key, sign in BOUNDS if schema.get(key, LARGEST) != LARGEST
    ]
    return f"{name} {', '.join(bounds)}" if bounds else name


def _list(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}"
    return f"list of {phrase(schema['items'])}" if schema.get("items") else "list"


def _mapping(schema: Schema) -> str:
    for key in schema.get("properties", ()):
        if key in LINKS:
            return LINKS[key]
    values = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    held = [phrase(each) for each in values if isinstance(each, dict) and each]
    return f"mapping to {held[0]}" if held else "mapping"


def code(value: object) -> str:
    """Format a value as in YAML."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or isinstance(value, dict):
        return "–"
    return f"`{value}`" if value != "" else '`""`'
