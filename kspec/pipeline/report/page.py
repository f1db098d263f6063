"""``report.html``: one page with the results of a build, their exactness and their sources. It
contains no script and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from kspec.pipeline import figures
from kspec.pipeline.bundles.manifest import versions_used
from kspec.pipeline.bundles.pack import signature
from kspec.pipeline.compiled import Compiled
from kspec.pipeline.proof.sensitivity import Coverage
from kspec.pipeline.report.drawing import (
    HEIGHT,
    LEFT,
    RIGHT,
    ROW,
    WIDTH,
    Chart,
    draw_chart,
    draw_lanes,
)
from kspec.pipeline.results import Artifact, BuildResult, Plan
from kspec.schemas.layers.base import Layer, Shape, show
from kspec.schemas.train import EarlyStopping
from kspec.spec.diagnostics import Route
from kspec.spec.document import Document
from kspec.spec.render.text import visible
from kspec.training.callbacks import Patience, watch_stopping

TEMPLATES = Path(__file__).parent / "templates"
ARGUMENTS = 96
"""The number of characters of a layer's arguments that are shown; the tooltip has all of them."""
CHARTS = 12
"""The largest number of charts; ``history.json`` has the further measures of a model with many
outputs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline: whether every condition holds, and a sentence."""

    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class GateRow:
    """A gate, and for each target the text and the verdict of its artifacts."""

    gate: str
    bound: str
    cells: Mapping[str, tuple[tuple[str, bool], ...]]


@dataclass(frozen=True, slots=True)
class StepRow:
    """An input or a layer of the network."""

    name: str
    layer: str
    arguments: str
    shape: str
    parameters: int
    sources: tuple[str, ...]
    place: str
    role: str
    """``input``, ``output`` or nothing."""


def render_report(
    document: Document,
    result: BuildResult,
    plan: Plan,
    compiled: Compiled,
    history: Mapping[str, Any],
) -> str:
    """Return the page. ``history`` is the content of ``history.json``: ``epochs`` (means by Keras'
    names), ``stopped_early``, ``seconds``. Equal arguments give equal text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "report.css").read_text("utf-8")
    return environment.get_template("report.html.j2").render(
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        figures=figures,
        document=document,
        result=result,
        plan=plan,
        compiled=compiled,
        verdict=judge_build(result),
        proven=is_proven,
        widest=widest,
        numpy_run=any(figures.is_numpy(each.runtime) for each in result.artifacts),
        limit=ARGUMENTS,
        targets=tuple(dict.fromkeys(each.target for each in result.artifacts)),
        metric_names=tuple(dict.fromkeys(k for each in result.artifacts for k in each.metrics)),
        gates=tuple(gate_rows(result)),
        coverage=spell_coverage(compiled.coverage),
        training=_training(document, history),
        network=_network(document, compiled),
        signature=signature(document, compiled),
        versions=versions_used(result),
    )


def _seen(value: object) -> object:
    """Return a value for the template, with escapes for invisible characters. Markup consists of
    values that this function returned, or of a file of this package."""
    return visible(value) if type(value) is str else value


def is_proven(artifact: Artifact) -> bool:
    """Return whether the worst error is at most atol + rtol of the widest tolerance, which
    follows from |Δ| ≤ atol · s + rtol · |reference| (``kspec.pipeline.proof.comparison``). False
    for NaN."""
    return artifact.worst_error <= sum(widest(artifact).values())


def widest(artifact: Artifact) -> Mapping[str, float]:
    """Return the widest of the tolerances of an artifact's outputs."""
    return max(artifact.tolerances.values(), key=lambda each: each["atol"])


def judge_build(result: BuildResult) -> Verdict:
    """Return the headline of the page."""
    artifacts = result.artifacts
    apart = sum(not is_proven(each) for each in artifacts)
    gates = {each.gate for each in result.gates}
    failed = {each.gate for each in result.gates if not each.passed}
    count = figures.spell_count(len(artifacts), "artifact")
    if not artifacts:
        first = "no artifacts: the spec names no target"
    elif apart:
        differ = "differs" if apart == 1 else "differ"
        first = f"{apart} of {count} {differ} from the trained model"
    else:
        first = f"{count}, each run and equal to the trained model within {_nearness(artifacts)}"
    if failed:
        second = f"{len(failed)} of {figures.spell_count(len(gates), 'gate')} failed"
    else:
        second = "all gates passed" if gates else "the spec has no gates"
    return Verdict(not apart and not failed, f"{first}; {second}")


def _nearness(artifacts: Sequence[Artifact]) -> str:
    """Return ``1e-5`` or ``1e-5 to 1e-2``; “its tolerance” if the relative part was used."""
    bounds = [widest(each)["atol"] for each in artifacts]
    if any(each.worst_error > bound for each, bound in zip(artifacts, bounds, strict=True)):
        return "its tolerance"
    return " to ".join(dict.fromkeys(map(figures.spell_error, (min(bounds), max(bounds)))))


def spell_coverage(found: Coverage) -> str:
    """Return a sentence about what the golden rows show."""
    drawn = f" ({found.drawn} drawn)" if found.drawn else ""
    sample = f", a sample of {found.channels:,}" if found.tested < found.channels else ""
    share = f"{found.seen:,} of the {found.able:,}"
    return (
        f"The {found.rows} golden rows{drawn} show a fault in {share} channels of the weights that"
        f" any row shows; {found.tested:,} were tested{sample}."
    )


def gate_rows(result: BuildResult) -> Iterator[GateRow]:
    """Return a row for each gate: a table of gates by targets."""
    for gate, bound in dict.fromkeys((each.gate, each.bound) for each in result.gates):
        cells: dict[str, tuple[tuple[str, bool], ...]] = {}
        for each in result.gates:
            if each.gate == gate:
                cell = (figures.spell_gate(bound, each.value), each.passed)
                cells[each.target] = (*cells.get(each.target, ()), cell)
        yield GateRow(gate, bound, cells)


def _training(document: Document, history: Mapping[str, Any]) -> Mapping[str, Any]:
    epochs = history["epochs"]
    best, monitor = best_epoch(document, epochs)
    train = document.spec.train
    restored = train and train.early_stopping and train.early_stopping.restore_best_weights
    return {
        "epochs": len(epochs),
        "planned": train.epochs if train else len(epochs),
        "seconds": history["seconds"],
        "stopped_early": history["stopped_early"],
        "best": best + 1,
        "monitor": monitor,
        "restored": bool(restored),
        "charts": tuple(learning_charts(epochs, best)),
        "size": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT},
    }


def best_epoch(document: Document, epochs: Sequence[Mapping[str, float]]) -> tuple[int, str]:
    """Return the best epoch, counted from 0, and the measure that decides: the one that early
    stopping watches, else the validation loss, else the loss."""
    train = document.spec.train
    rule = train.early_stopping if train else None
    if rule is None or any(rule.monitor not in epoch for epoch in epochs):
        known = "val_loss" if epochs and "val_loss" in epochs[0] else "loss"
        rule = EarlyStopping(monitor=known)
    state = Patience()
    for index, epoch in enumerate(epochs):
        if rule.monitor in epoch:
            state, _ = watch_stopping(state, epoch[rule.monitor], index, rule)
    return max(state.best_epoch, 0), rule.monitor


def learning_charts(epochs: Sequence[Mapping[str, float]], best: int) -> Iterator[Chart]:
    """Return curves by measure: the loss, the metrics, the losses of single outputs, and the
    learning rate if it changed."""
    names = dict.fromkeys(name.removeprefix("val_") for epoch in epochs for name in epoch)
    order = sorted(names, key=lambda name: (name != "loss", name.endswith("_loss"), name))
    rates = {epoch.get("learning_rate") for epoch in epochs}
    measures = [name for name in order if name != "learning_rate"][:CHARTS]
    for name in measures:
        kinds = {"training": name, "validation": f"val_{name}"}
        series = {kind: [epoch.get(key) for epoch in epochs] for kind, key in kinds.items()}
        yield draw_chart(name.replace("_", " "), series, best)
    if len(rates) > 1:
        rate = {"training": [epoch.get("learning_rate") for epoch in epochs]}
        yield draw_chart("learning rate", rate, best)


def _network(document: Document, compiled: Compiled) -> Mapping[str, Any]:
    rows = tuple(network_rows(document, compiled))
    width, lanes = draw_lanes([(each.name, each.sources) for each in rows])
    chain = not rows[0].sources and all(
        after.sources == (row.name,) for row, after in pairwise(rows)
    )
    return {
        "rows": tuple(zip(rows, lanes, strict=True)),
        "lanes": {"width": width, "height": ROW},
        "chain": chain,
    }


def network_rows(document: Document, compiled: Compiled) -> Iterator[StepRow]:
    """Return the inputs and the steps, each with the shape of its output (without the batch axis)
    and the number of its constants in the trained model."""
    spec = document.spec
    shapes: dict[str, Shape] = {each.name: each.shape[1:] for each in compiled.graph.inputs}
    sizes = _parameters(compiled)
    for name, shape in shapes.items():
        kind, place = type(spec.inputs[name].kind).key, _place(document, ("inputs", name))
        yield StepRow(name, kind, "", show(shape), sizes.get(name, 0), (), place, "input")
    for step in document.steps:
        shapes[step.name] = step.layer.output_shape(tuple(shapes[each] for each in step.inputs))
        yield StepRow(
            step.name,
            step.layer.key,
            _arguments(step.layer),
            show(shapes[step.name]),
            sizes.get(step.name, 0),
            step.inputs,
            ", from ".join(_place(document, each) for each in (step.route, *step.calls[::-1])),
            "output" if step.name in spec.outputs else "",
        )


def _parameters(compiled: Compiled) -> Mapping[str, int]:
    """Return the number of constants in each layer of the traced model; scalars are not counted."""
    counted: dict[str, int] = {}
    seen: set[str] = set()
    for node in compiled.graph.nodes:
        for value in node.inputs:
            array = compiled.graph.constant(value)
            if array is not None and array.ndim and value.name not in seen:
                seen.add(value.name)
                counted[node.origin.layer] = counted.get(node.origin.layer, 0) + array.size
    return counted


def _place(document: Document, route: Route) -> str:
    """Return the line in the spec; a setting from the command line is marked."""
    span = document.span(route)
    return str(span.line) if span.file == str(document.path) else f"{span.file}:{span.line}"


def _arguments(layer: Layer) -> str:
    """Return what the spec sets, without the defaults."""
    written = layer.written()
    given = {} if isinstance(written, str) else written[layer.key]
    fields = type(layer).model_fields
    names = {fields[name].alias or name for name in layer.model_fields_set}
    return ", ".join(f"{name}: {_flow(value)}" for name, value in given.items() if name in names)


def _flow(value: Any) -> str:
    """Return a value roughly as YAML writes it on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
