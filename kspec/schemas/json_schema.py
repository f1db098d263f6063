"""The JSON Schema of the spec language, for editors: draft 2020-12, generated from the models.

The schema is weaker than `kspec check`: names of blocks are free, expressions are text, and rules
between keys are missing. A spec that the schema refuses is refused by `kspec check` too.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any

from kspec.schemas.base import Model
from kspec.schemas.layers import catalogue
from kspec.schemas.network import Step
from kspec.schemas.spec import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXPRESSION = {
    "type": "string",
    "pattern": r"^[-+*/%(). 0-9eE]+$|\$\{.+\}",
    "description": "Arithmetic, `1/16`, or a parameter in it, `${2 * width}`.",
}
LITERAL = ("kspec", "name", "version", "params", "gates")
"""Sections without expressions."""
LARGE = 200
"""Minimum length, in characters, of a repeated part that is moved to `$defs`."""

STEP = "#/$defs/step"

Schema = dict[str, Any]


def json_schema(targets: Mapping[str, type[Model]]) -> Schema:
    """Return the schema of version 1. `targets` has the options of each target; if empty, any
    target is accepted."""
    schema = Spec.model_json_schema()
    _open_to_blocks(schema)
    if targets:
        options = {name: _nullable(model.model_json_schema()) for name, model in targets.items()}
        schema["properties"]["targets"] = _closed(options, schema["properties"]["targets"])
    definitions: dict[str, Schema] = schema.pop("$defs")
    step = definitions.pop(Step.__name__)
    whole = _inlined({**schema, "$defs": {"step": step}}, definitions)
    for section, kept in (("properties", LITERAL), ("$defs", ())):
        whole[section] = {
            key: part if key in kept else _with_expressions(part)
            for key, part in whole[section].items()
        }
    whole = _tidy(whole)
    body, shared = _share(whole)
    shared |= body.pop("$defs") | {"expression": EXPRESSION}
    return {"$schema": DIALECT, "title": "kspec", **body, "$defs": dict(sorted(shared.items()))}


def render(targets: Mapping[str, type[Model]]) -> str:
    """Return the text of the file."""
    return json.dumps(json_schema(targets), indent=1, ensure_ascii=False) + "\n"


def _open_to_blocks(schema: Schema) -> None:
    step = schema["$defs"][Step.__name__]
    step["minProperties"] = 1
    step["additionalProperties"] = True
    bare = [cls.key for cls in catalogue() if cls.bare()]
    steps = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"enum": bare}, {"type": "string"}, {"$ref": STEP}]},
    }
    for key in ("network", "blocks"):
        described = {"description": schema["properties"][key]["description"]}
        under = steps if key == "network" else {"type": "object", "additionalProperties": steps}
        schema["properties"][key] = under | described


def _nullable(schema: Schema) -> Schema:
    definitions = schema.pop("$defs", {})
    return {"anyOf": [_inlined(schema, definitions), {"type": "null"}]}


def _closed(options: Mapping[str, Schema], described: Schema) -> Schema:
    return {
        "type": "object",
        "properties": dict(options),
        "additionalProperties": False,
        "description": described["description"],
    }


def _inlined(node: Any, definitions: Mapping[str, Schema]) -> Any:
    """Return the schema without references; no model contains itself."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and node["$ref"] != STEP:
        target = definitions[node["$ref"].removeprefix("#/$defs/")]
        return _inlined(target, definitions) | {k: v for k, v in node.items() if k != "$ref"}
    return {key: _inlined(value, definitions) for key, value in node.items()}


def _with_expressions(node: Any) -> Any:
    """Return the schema with expressions allowed for numbers, booleans and enumerations."""
    if isinstance(node, list):
        return [_with_expressions(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("integer", "number", "boolean") or ("enum" in node):
        kept = {key: node[key] for key in ("description", "default", "examples") if key in node}
        plain = {key: value for key, value in node.items() if key not in kept}
        return {**kept, "anyOf": [plain, {"$ref": "#/$defs/expression"}]}
    untouched = ("default", "examples", "required")
    return {k: v if k in untouched else _with_expressions(v) for k, v in node.items()}


def _tidy(node: Any) -> Any:
    """Return the schema without titles that repeat the keys and with nested `anyOf` flattened."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy = {
        # A list may satisfy several forms of a field: what is valid need not be so in one way.
        "anyOf" if key == "oneOf" else key: _tidy(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
    if "anyOf" in tidy:
        nested = (part["anyOf"] if part.keys() == {"anyOf"} else [part] for part in tidy["anyOf"])
        flat = {json.dumps(part): part for parts in nested for part in parts}
        tidy["anyOf"] = list(flat.values())
    return tidy


def _share(whole: Schema) -> tuple[Schema, dict[str, Schema]]:
    """Return the schema with references to its large repeated parts, and these parts by label."""
    repeated = _repeated(whole)
    labels: dict[str, str] = {}
    body = _shared(whole, repeated, labels, "part")
    shared: dict[str, Schema] = {}
    for text in iter(lambda: next((t for t in labels if labels[t] not in shared), None), None):
        name = labels[text]
        shared[name] = _shared_inside(json.loads(text), repeated, labels, name)
    return body, shared


def _repeated(node: Any) -> frozenset[str]:
    """Return the large parts that occur several times, as text."""
    counts: Counter[str] = Counter()

    def visit(part: Any) -> None:
        for child in part.values() if isinstance(part, dict) else part:
            if isinstance(child, dict | list):
                visit(child)
        if isinstance(part, dict) and (part.get("type") == "object" or "enum" in part):
            counts[json.dumps(part)] += 1

    visit(node)
    return frozenset(text for text, times in counts.items() if times > 1 and len(text) > LARGE)


def _shared(node: Any, repeated: frozenset[str], labels: dict[str, str], name: str) -> Any:
    """Return the schema with references to its repeated parts, and add their labels to `labels`."""
    if isinstance(node, list):
        return [_shared(item, repeated, labels, name) for item in node]
    if not isinstance(node, dict):
        return node
    text = json.dumps(node)
    if text in repeated:
        taken = set(labels.values())
        names = (name if number == 1 else f"{name}_{number}" for number in count(1))
        labels.setdefault(text, next(label for label in names if label not in taken))
        return {"$ref": f"#/$defs/{labels[text]}"}
    return _shared_inside(node, repeated, labels, name)


def _shared_inside(
    node: Schema, repeated: frozenset[str], labels: dict[str, str], name: str
) -> Schema:
    return {
        key: _shared(value, repeated, labels, name if key in KEYWORDS else key)
        for key, value in node.items()
    }


KEYWORDS = frozenset(
    ("anyOf", "oneOf", "items", "prefixItems", "properties", "additionalProperties")
)


if __name__ == "__main__":
    sys.stdout.write(render({}))
