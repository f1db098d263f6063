"""Answers as HTTP has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from .errors import RequestError

TRUTHS: Mapping[str, bool] = {"true": True, "false": False}


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON; arrays may stand in it, and float32 is written as short as it can be read back."""
    content = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers, "application/json")


def refuse(refusal: RequestError) -> Response:
    """The form of an error that both protocols have."""
    return answer({"error": refusal.message}, refusal.status, refusal.headers)


def wants_labels(request: Request) -> bool:
    """Whether ``?labels=true`` asks for the labels beside the numbers."""
    query = request.scope["query_string"]
    if not query:
        return False
    given = request.query_params.get("labels", "false")
    if given not in TRUTHS:
        raise RequestError(400, "labels is true or false")
    return TRUTHS[given]
