"""The description of the service at /openapi.json, with the shapes of this model."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Final

from .description import DTYPES, Model
from .inference import LABELS
from .serving import SIGNATURE
from .settings import Settings
from .signature import Input, Output
from .tensors import RANGES

Schema = dict[str, Any]
ERRORS: Final = {
    "400": "The model does not take the request.",
    "408": "The body did not arrive in time.",
    "413": "The body or the number of rows is too large.",
    "415": "The body is compressed.",
    "503": "Too many requests wait, or the server is about to end.",
    "504": "There was no answer in time.",
}


def document(
    model: Model, settings: Settings, classified: Output | None, regressed: Output | None
) -> Schema:
    """Return the OpenAPI 3.1 document."""
    paths: dict[str, Schema] = {
        "/v2/health/live": _get("Whether the process lives", _object(live={"type": "boolean"})),
        "/v2/health/ready": _get(
            "Whether requests should come here", _object(ready={"type": "boolean"}), "503"
        ),
        "/v2": _get("The server", {"type": "object"}),
        "/v1/models": _get("The models", _object(models=_list({"type": "string"}))),
    }
    for version in (model.name, f"{model.name}/versions/{model.version}"):
        paths |= {
            f"/v1/models/{version}": _get("State", _object(model_version_status={"type": "array"})),
            f"/v1/models/{version}/metadata": _get("Signature", _object(model_spec={})),
            f"/v2/models/{version}": _get("Signature", _object(name={}, inputs={}, outputs={})),
            f"/v2/models/{version}/ready": _get("State", _object(ready={"type": "boolean"})),
            f"/v1/models/{version}:predict": _post(
                "Answers to rows or columns", _predict(model, settings), _predictions(), LABELLED
            ),
            f"/v2/models/{version}/infer": _post(
                "Answers to tensors", _infer(model), _object(outputs={}), LABELLED
            ),
        }
        if classified is not None:
            paths[f"/v1/models/{version}:classify"] = _post(
                "Labels and scores", _examples(model, settings), _object(results={})
            )
        if regressed is not None:
            paths[f"/v1/models/{version}:regress"] = _post(
                "Numbers", _examples(model, settings), _object(results={})
            )
    info = {"title": model.name, "version": model.release, "description": model.description}
    error = _object(error={"type": "string"})
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": paths,
        "components": {"schemas": {"Error": error}},
    }


LABELLED: Final = [
    {
        "name": "labels",
        "in": "query",
        "description": "Whether the answer has the labels too.",
        "schema": {"enum": ["true", "false"]},
    }
]


def _predict(model: Model, settings: Settings) -> Schema:
    signature = {"enum": ["", SIGNATURE]}
    columns = {each.name: _batch(_value(each), settings) for each in model.inputs}
    forms = [_closed(columns)]
    if len(model.inputs) == 1:
        forms.append(columns[model.inputs[0].name])
    return {
        "oneOf": [
            _closed({"instances": _rows(model, settings)}, signature_name=signature),
            _closed({"inputs": {"anyOf": forms}}, signature_name=signature),
        ]
    }


def _examples(model: Model, settings: Settings) -> Schema:
    return _closed({"examples": _rows(model, settings)}, signature_name={"enum": ["", SIGNATURE]})


def _rows(model: Model, settings: Settings) -> Schema:
    """Return the schema of rows, which all have the same form."""
    forms = [_batch(_closed({each.name: _value(each) for each in model.inputs}), settings)]
    named = {name: _number(each) for each in model.inputs for name in each.columns}
    if named and all(each.columns for each in model.inputs):
        forms.append(_batch(_closed(named), settings))
    if len(model.inputs) == 1:
        forms.append(_batch(_value(model.inputs[0]), settings))
    return {"anyOf": forms}


def _value(each: Input) -> Schema:
    """Return the schema of one row of an input, as nested lists."""
    found = _number(each)
    for size in reversed(each.shape):
        found = {"type": "array", "items": found, "minItems": 1}
        if isinstance(size, int):
            found |= {"minItems": size, "maxItems": size}
    return found


def _infer(model: Model) -> Schema:
    """Return the schema of an inference request. Unknown keys are ignored, as the protocol says."""
    outputs = [each.name for each in model.outputs]
    outputs += [f"{each.name}{LABELS}" for each in model.outputs if each.decides]
    given = [_tensor(each) for each in model.inputs]
    tensors = {"type": "array", "prefixItems": given, "items": False, "minItems": len(given)}
    found = _object(inputs=tensors)
    found["properties"] |= {
        "id": {"type": "string"},
        "outputs": _list(_object(name={"enum": outputs})) | {"type": ["array", "null"]},
        "parameters": {
            "type": ["object", "null"],
            "properties": {"labels": {"type": "boolean"}, "binary_data_output": {"const": False}},
        },
    }
    return found


def _tensor(each: Input) -> Schema:
    """Return the schema of one row: a schema cannot require as many values as the shape has."""
    sizes = [size if isinstance(size, int) else 1 for size in each.shape]
    count = prod(sizes)
    data = {"type": "array", "items": _number(each), "minItems": count, "maxItems": count}
    return _object(
        name={"const": each.name},
        shape={"const": [1, *sizes]},
        datatype={"const": DTYPES[each.dtype]},
        data=data,
    )


def _number(each: Input) -> Schema:
    kind = "number" if each.dtype == "float32" else "integer"
    least, most = RANGES[each.dtype]
    return {"type": kind, "minimum": least, "maximum": most}


def _batch(row: Schema, settings: Settings) -> Schema:
    return {"type": "array", "items": row, "minItems": 1, "maxItems": settings.rows}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _predictions() -> Schema:
    return {"anyOf": [_object(predictions={}), _object(outputs={})]}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _closed(properties: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**properties, **optional},
        "required": list(properties),
        "additionalProperties": False,
    }


def _get(summary: str, schema: Schema, *errors: str) -> Schema:
    return {"get": {"summary": summary, "responses": _responses(schema, errors)}}


def _post(
    summary: str, body: Schema, schema: Schema, parameters: list[Schema] | None = None
) -> Schema:
    content = {"application/json": {"schema": body}}
    return {
        "post": {
            "summary": summary,
            "parameters": parameters or [],
            "requestBody": {"required": True, "content": content},
            "responses": _responses(schema, tuple(ERRORS)),
        }
    }


def _responses(schema: Schema, errors: tuple[str, ...]) -> Schema:
    found = {"200": {"description": "The answer.", "content": _json(schema)}}
    error = _json({"$ref": "#/components/schemas/Error"})
    return found | {each: {"description": ERRORS[each], "content": error} for each in errors}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
