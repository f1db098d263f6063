"""A network in every format and in the reference, against Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.reference import evaluate
from kspec.compiler.verifier import verify
from tests.conformance.artifacts import FORMATS, TOLERANCE, RefusedError, run, worst_error
from tests.fuzz.network import Network, build

MOVED = 1e-6
"""The distance that an output may move when an input moves by one unit in the last place."""
BOUND = 1e4
"""The largest output of a network that is judged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of judging one network."""

    problems: tuple[str, ...] = ()
    """Unexplained differences; each names the format and the error."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """The refusals by their origin, `trace` or a format, with the reason."""
    ill_conditioned: bool = False
    """Float32 does not determine the outputs, so nothing was judged."""


def judge(network: Network) -> Verdict:
    """Build, trace, lower, write and run the network, at batch 1 and 3."""
    from kspec.compiler.trace import TraceError, trace

    try:
        model = build(network)
    except (TypeError, ValueError) as error:  # what the spec takes, Keras must take
        return Verdict(problems=(f"keras: {type(error).__name__}: {str(error)[:300]}",))
    shapes = {source.name: ("batch", *source.shape) for source in network.inputs}
    try:
        graph = trace(model, shapes=shapes)
    except TraceError as error:
        return Verdict(refusals={"trace": f"{_key(network, error.layer)}: {error.message[:90]}"})
    verify(graph)
    batches = [network.rows(count) for count in (1, 3)]
    exact = [evaluate(graph, rows, precision=np.float64) for rows in batches]
    if not all(map(well_conditioned, [graph] * 2, batches, exact)):
        return Verdict(ill_conditioned=True)
    expected = [
        {name: np.asarray(each) for name, each in model(rows, training=False).items()}
        for rows in batches
    ]
    folded = run_passes(graph, COMMON)
    verify(folded)
    problems = _differences("trace", exact, expected, exact)
    found = [evaluate(folded, rows) for rows in batches]
    problems += _differences("reference", found, expected, exact)
    refusals = {}
    for name in FORMATS:
        try:
            problems += _differences(name, run(name, folded, batches), expected, exact)
        except RefusedError as refused:
            refusals[name] = str(refused)
        except Exception as error:  # noqa: BLE001 - whatever a writer or runtime raises is a find
            problems.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
    return Verdict(tuple(problems), refusals)


def well_conditioned(graph: Graph, rows: Mapping[str, Array], exact: Mapping[str, Array]) -> bool:
    """Return whether float32 determines the outputs: they are bounded, and stay nearly equal when
    an input moves by one unit in the last place, or when every step rounds to float32. A zero marks
    a padded time step, and stays zero."""
    moved = {
        name: np.where(array == 0, array, np.nextafter(array, np.float32(3)))
        if array.dtype == np.float32
        else array
        for name, array in rows.items()
    }
    others = (evaluate(graph, moved, precision=np.float64), evaluate(graph, rows))
    return all(
        np.isfinite(array).all()
        and np.abs(array).max(initial=0) <= BOUND
        and all(worst_error(other[name], array) <= MOVED for other in others)
        for name, array in exact.items()
    )


def _differences(
    who: str,
    found: list[dict[str, Array]],
    expected: list[dict[str, Array]],
    exact: list[dict[str, Array]],
) -> list[str]:
    """Yield each result that is near neither Keras nor the reference in float64; the reference
    itself is compared with Keras only."""
    problems = []
    for batch, referee, truth in zip(found, expected, exact, strict=True):
        for name, reference in referee.items():
            error = worst_error(batch[name], reference)
            if batch is not truth:
                error = min(error, worst_error(batch[name], truth[name]))
            if not error <= TOLERANCE:
                problems.append(f"{who}: {name} of batch {len(reference)} differs by {error:.1e}")
    return problems


def _key(network: Network, layer: str) -> str:
    return {node.name: node.key for node in network.nodes}.get(
        layer.split("/", maxsplit=1)[0], layer
    )
