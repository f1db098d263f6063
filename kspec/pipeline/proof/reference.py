"""The trained model as a reference: its traced graph in float64, and its own error in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.compiler.reference import evaluate
from kspec.pipeline.proof.comparison import errors_of, scale_of
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.verdict import ELSEWHERE, Yardsticks, measure, widest, within
from kspec.spec.diagnostics import Diagnostic

Outputs = Mapping[str, Array]
Predict = Callable[[Mapping[str, Array]], Outputs]
"""The trained model in Keras: outputs by name for inputs of (rows, …) by name."""
CHUNK = 64
"""Rows that are evaluated at once."""
SINGLE = 8
"""Rows that the model is asked for one by one."""
UNDECIDED = 1e-2
"""The share of an output's largest value from which rounding decides the output."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A trained model, and the graph that was traced from it, before any pass: passes fold
    constants in float32."""

    graph: Graph
    predict: Predict

    def rows(
        self, inputs: Mapping[str, Array], targets: Mapping[str, Array], known: Yardsticks
    ) -> Rows:
        """The rows with the exact outputs; the yardsticks are those known from other rows, and
        Keras' error on these where it is larger."""
        exact = self.exact(inputs)
        own = widest((_measured(exact, self.predict(inputs)), known))
        return Rows(inputs, exact, targets, own)

    def proven(self, inputs: Mapping[str, Array]) -> tuple[Rows, tuple[Diagnostic, ...]]:
        """The rows with the exact outputs, and the yardstick of each output: the largest error of
        Keras on all rows at once and row by row, and of NumPy in float32.

        Also KS723 for each output in which the graph is not the model. There Keras' error is held
        against that of NumPy in float32: by its own measure a wrong graph would excuse itself.
        """
        exact = self.exact(inputs)
        at_once = self.predict(inputs)
        narrow = _chunked(lambda part: evaluate(self.graph, part), inputs)
        rounding = _measured(exact, narrow)
        own = widest((_measured(exact, at_once), _measured(exact, self._single(inputs)), rounding))
        problems = [
            problem
            for name in exact
            for problem in _check(name, exact[name], at_once[name], rounding, own)
        ]
        return Rows(inputs, exact, {}, own), tuple(problems)

    def exact(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs of the graph in float64, rounded to their types."""
        wide = _chunked(lambda part: evaluate(self.graph, part, precision=np.float64), inputs)
        with np.errstate(over="ignore"):
            return {
                value.name: wide[value.name].astype(value.dtype.numpy)
                for value in self.graph.outputs
            }

    def _single(self, inputs: Mapping[str, Array]) -> Outputs:
        """The first rows, one by one."""
        count = min(SINGLE, _count(inputs))
        parts = [
            self.predict({name: array[row : row + 1] for name, array in inputs.items()})
            for row in range(count)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _check(
    name: str, exact: Array, keras: Array, rounding: Yardsticks, own: Yardsticks
) -> tuple[Diagnostic, ...]:
    scale = scale_of(exact)
    if not within(keras, exact, ELSEWHERE, scale, rounding[name]):
        error = float(errors_of(keras, exact, scale).max())
        message = f"the graph differs from the trained model at output {name!r} by {error:.3g}"
        return (Diagnostic("KS723", message),)
    largest = float(np.abs(exact[np.isfinite(exact)].astype(np.float64)).max(initial=0.0))
    if exact.dtype.kind == "f" and own[name].peak > UNDECIDED * largest:
        return (
            Diagnostic(
                "KS723",
                f"float32 does not determine output {name!r}: rounding alone moves it by"
                f" {own[name].peak:.3g}, and its largest value is {largest:.3g}",
                help="look for a division by a number near 0, or for weights that have grown",
            ),
        )
    return ()


def _measured(exact: Outputs, found: Outputs) -> Yardsticks:
    return {name: measure(array[: len(found[name])], found[name]) for name, array in exact.items()}


def _chunked(
    function: Callable[[Mapping[str, Array]], Outputs], inputs: Mapping[str, Array]
) -> Outputs:
    parts = [
        function({name: array[start : start + CHUNK] for name, array in inputs.items()})
        for start in range(0, _count(inputs), CHUNK)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _count(inputs: Mapping[str, Array]) -> int:
    return len(next(iter(inputs.values())))
