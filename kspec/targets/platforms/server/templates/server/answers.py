"""HTTP responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from .errors import RequestError

TRUTHS: Mapping[str, bool] = {"true": True, "false": False}


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response. Arrays are allowed; float32 values get their shortest decimals."""
    content = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers, "application/json")


def refuse(refusal: RequestError) -> Response:
    """Return an error response, in the form of both protocols."""
    return answer({"error": refusal.message}, refusal.status, refusal.headers)


def wants_labels(request: Request) -> bool:
    """Return whether the query ``?labels=true`` requests labels beside the numbers."""
    query = request.scope["query_string"]
    if not query:
        return False
    given = request.query_params.get("labels", "false")
    if given not in TRUTHS:
        raise RequestError(400, "labels is true or false")
    return TRUTHS[given]
