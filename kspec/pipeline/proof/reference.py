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
"""The trained model in Keras: returns outputs by name for inputs of (rows, …) by name."""
CHUNK = 64
"""The number of rows in one evaluation."""
SINGLE = 8
"""The number of rows that the model also predicts one by one."""
ALONE = 1e-6
"""The largest relative difference at which two float64 evaluations of a row count as equal."""
UNDECIDED = 1e-2
"""The share of an output's largest value at which rounding determines the output."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A trained model and the graph that was traced from it, before any pass: passes fold constants
    in float32."""

    graph: Graph
    predict: Predict

    def rows(
        self, inputs: Mapping[str, Array], targets: Mapping[str, Array], known: Yardsticks
    ) -> Rows:
        """Return the rows with the exact outputs. The yardsticks are the known ones, or Keras'
        errors on these rows where they are larger."""
        exact = self.exact(inputs)
        own = widest((_measured(exact, self.predict(inputs)), known))
        return Rows(inputs, exact, targets, own)

    def proven(self, inputs: Mapping[str, Array]) -> tuple[Rows, tuple[Diagnostic, ...]]:
        """Return the rows with the exact outputs, and the yardstick of each output: the largest
        error of Keras on all rows at once and row by row, and of NumPy in float32.

        Also return KS744 for outputs that depend on other rows of the batch, else KS723 for each
        output in which the graph differs from the model. For KS723, Keras' error is compared with
        the error of NumPy in float32: Keras' own error would excuse a wrong graph.
        """
        exact = self.exact(inputs)
        if mixed := self._mixed(inputs, exact):
            return Rows(inputs, exact), mixed
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
        """Return the graph's outputs in float64, rounded to the outputs' types."""
        wide = _chunked(lambda part: evaluate(self.graph, part, precision=np.float64), inputs)
        with np.errstate(over="ignore"):
            return {
                value.name: wide[value.name].astype(value.dtype.numpy)
                for value in self.graph.outputs
            }

    def _mixed(self, inputs: Mapping[str, Array], exact: Outputs) -> tuple[Diagnostic, ...]:
        """Return KS744 if the outputs for the first or the last row of a batch differ from the
        outputs for that row alone."""
        batch = {name: array[:CHUNK] for name, array in inputs.items()}
        for place in dict.fromkeys((0, _count(batch) - 1)):
            row = {name: array[place : place + 1] for name, array in batch.items()}
            alone = self.exact(row)
            for name, single in alone.items():
                if not _same(exact[name][place : place + 1], single):
                    return (_depends(self.graph, name, batch, row, place),)
        return ()

    def _single(self, inputs: Mapping[str, Array]) -> Outputs:
        """Return the model's outputs for the first rows, one by one."""
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


def _same(in_batch: Array, alone: Array) -> bool:
    """Return whether two float64 evaluations of a row agree. Integers may differ: in a tie, either
    one is right."""
    if in_batch.dtype.kind != "f" or in_batch.shape != alone.shape:
        return in_batch.shape == alone.shape
    relative = max(ALONE, 4 * float(np.finfo(in_batch.dtype).eps))
    floor = relative * scale_of(in_batch)
    wide, other = in_batch.astype(np.float64), alone.astype(np.float64)
    return bool(np.allclose(wide, other, rtol=relative, atol=floor, equal_nan=True))


def _depends(
    graph: Graph, output: str, batch: Mapping[str, Array], row: Mapping[str, Array], place: int
) -> Diagnostic:
    together = evaluate(graph, batch, precision=np.float64, keep=True)
    alone = evaluate(graph, row, precision=np.float64, keep=True)
    size = _count(batch)
    node = next(
        (
            each
            for each in graph.nodes
            if len(together[each.name].shape)
            and len(together[each.name]) == size
            and not _same(together[each.name][place : place + 1], alone[each.name])
        ),
        None,
    )
    where = f", from layer {node.origin.layer!r} on" if node and node.origin.layer else ""
    return Diagnostic(
        "KS744",
        f"output {output!r} of a row depends on the other rows of its batch{where}",
        node.origin.route if node else (),
        help="compute every row from that row alone",
    )


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
