"""TensorFlow Serving's REST API: /v1/models/NAME, :predict, :classify, :regress, metadata."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from .answers import answer, wants_labels
from .bodies import Body, parse, receive
from .engine import Arrays, Engine
from .errors import RequestError
from .settings import Settings
from .signature import Input, Output
from .tensors import from_columns, from_rows

SIGNATURE: Final = "serving_default"
PREDICT: Final = frozenset({"instances", "inputs", "signature_name"})
EXAMPLES: Final = frozenset({"examples", "signature_name"})
"""Keys of a body. TensorFlow Serving's key ``context`` is not supported."""
_TYPES: Final = {"float32": "DT_FLOAT", "int32": "DT_INT32", "int64": "DT_INT64"}


class Serving:
    """The routes below /v1, for one model."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._model, self._settings = engine, engine.model, settings
        decisions = [each for each in self._model.outputs if each.decides]
        numbers = [each for each in self._model.outputs if each.shape == (1,) and not each.labels]
        self.classified = decisions[0] if len(decisions) == 1 else None
        """The output for :classify: the only output with a decision."""
        self.regressed = numbers[0] if len(numbers) == 1 else None
        """The output for :regress: the only output with one number."""

    async def models(self, _request: Request) -> Response:
        return answer({"models": [self._model.name]})

    async def status(self, _request: Request) -> Response:
        """Answer the status of the model, for TensorFlow Serving and KServe's first protocol."""
        state = {
            "version": self._model.version,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return answer({"name": self._model.name, "ready": True, "model_version_status": [state]})

    async def metadata(self, _request: Request) -> Response:
        signature = {
            "inputs": {each.name: _described(each) for each in self._model.inputs},
            "outputs": {each.name: _described(each) for each in self._model.outputs},
            "method_name": "tensorflow/serving/predict",
        }
        spec = {"name": self._model.name, "signature_name": "", "version": self._model.version}
        return answer(
            {
                "model_spec": spec,
                "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
            }
        )

    async def predict(self, request: Request) -> Response:
        labels = wants_labels(request)
        body = await self._body(request, PREDICT)
        value, model = body.value, self._model
        if ("instances" in value) == ("inputs" in value):
            raise RequestError(400, "the body has neither or both of instances and inputs")
        if "instances" in value:
            rows = from_rows(value["instances"], "instances", body, model, self._settings)
            outputs = await self._engine.infer(rows)
            found = {"predictions": _by_row(outputs, rows.count)}
        else:
            rows = from_columns(self._columns(value["inputs"]), body, model, self._settings)
            outputs = await self._engine.infer(rows)
            only = len(outputs) == 1
            found = {"outputs": next(iter(outputs.values())) if only else outputs}
        if labels:
            found["labels"] = {
                each.name: each.decide(outputs[each.name]) for each in model.outputs if each.decides
            }
        return answer(found)

    async def classify(self, request: Request) -> Response:
        """Answer a list of [label, score] for each example."""
        output, outputs = self.classified, await self._examples(request)
        assert output is not None
        values = outputs[output.name].tolist()
        return answer({"results": [_scores(output, row) for row in values]})

    async def regress(self, request: Request) -> Response:
        """Answer a number for each example."""
        output, outputs = self.regressed, await self._examples(request)
        assert output is not None
        return answer({"results": outputs[output.name].reshape(-1)})

    async def _examples(self, request: Request) -> Arrays:
        body = await self._body(request, EXAMPLES)
        rows = from_rows(body.value.get("examples"), "examples", body, self._model, self._settings)
        return await self._engine.infer(rows)

    async def _body(self, request: Request, known: frozenset[str]) -> Body:
        body = parse(await receive(request, self._settings), self._settings)
        if unknown := body.value.keys() - known:
            raise RequestError(400, f"unknown key {unknown.pop()!r}")
        if body.value.get("signature_name", SIGNATURE) not in ("", SIGNATURE):
            raise RequestError(400, f"the only signature is {SIGNATURE}")
        return body

    def _columns(self, inputs: Any) -> dict[str, Any]:
        if type(inputs) is dict:
            return inputs
        if len(self._model.inputs) != 1:
            raise RequestError(400, "inputs is not an object of inputs")
        return {self._model.inputs[0].name: inputs}


def _by_row(outputs: Arrays, count: int) -> Any:
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return [{name: array[row] for name, array in outputs.items()} for row in range(count)]


def _scores(output: Output, row: list[float]) -> list[tuple[str, float]]:
    scores = output.probabilities(np.array([row]))[0].tolist()
    return list(zip(output.labels, scores, strict=True))


def _described(each: Input | Output) -> dict[str, Any]:
    sizes = ("-1", *(str(size) if isinstance(size, int) else "-1" for size in each.shape))
    return {
        "dtype": _TYPES[each.dtype],
        "tensor_shape": {
            "dim": [{"size": size, "name": ""} for size in sizes],
            "unknown_rank": False,
        },
        "name": f"{each.name}:0",
    }
