"""The layers of a network and the checks of their connections, without Keras."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from kspec.features.kinds import output_kind
from kspec.schemas.features import Output
from kspec.schemas.layers import Layer, Shape
from kspec.schemas.layers.base import show
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import ResolvedStep
from kspec.spec.expanded import Expanded
from kspec.spec.messages import CONTEXT, explain
from kspec.spec.node import Node
from kspec.spec.suggestions import nearest

Shapes = dict[str, Shape | None]
"""The shape of each input and step by name; None if it is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A step and its layer; None if the layer was refused."""

    step: Expanded
    layer: Layer | None

    def resolved(self) -> ResolvedStep | None:
        """Return the resolved step; None if its layer or its sources were refused."""
        step = self.step
        if self.layer is None or step.inputs is None:
            return None
        return ResolvedStep(step.name, self.layer, step.inputs, step.route, step.calls, step.shared)


def build_layers(
    steps: tuple[Expanded, ...], layers: Mapping[str, type[Layer]], problems: list[Diagnostic]
) -> tuple[Candidate, ...]:
    """Return the steps with their layers. A shared layer is built once."""
    built: dict[str, Layer | None] = {}
    for step in steps:
        built[step.name] = (
            built[step.shared] if step.shared else build_layer(step, layers, problems)
        )
    return tuple(Candidate(step, built[step.name]) for step in steps)


def build_layer(
    step: Expanded, layers: Mapping[str, type[Layer]], problems: list[Diagnostic]
) -> Layer | None:
    """Return the layer of a step. If the layer or its arguments are wrong, report that and return
    None."""
    if not step.is_known:
        return None
    try:
        layer = layers[step.key]
    except KspecError as error:
        problems.extend(
            replace(each, route=step.route, span=step.point(), calls=step.calls)
            for each in error.diagnostics
        )
        return None
    body = step.node.mapping.get(step.key)
    try:
        raw = layer.open(body.plain() if body is not None else None)
        return layer.model_validate(raw, context=CONTEXT)
    except ValidationError as error:
        found = explain(error, body if body is not None else step.node, layer)
        problems.extend(replace(each, calls=step.calls) for each in found)
        return None


def check_outputs(
    section: Node | None,
    candidates: tuple[Candidate, ...],
    shapes: Shapes,
    problems: list[Diagnostic],
) -> None:
    """Report each output without a step of its name, or with a step of another shape."""
    steps = {candidate.step.name: candidate for candidate in candidates}
    top = [each for each in steps if "/" not in each]
    for name, node in (section.mapping if section is not None else {}).items():
        if name not in steps:
            near = nearest(name, top)
            help_ = f"did you mean `{near}`? " if near else ""
            help_ += f"write `name: {name}` beside the step whose result it is"
            message = f"no step has the name of the output `{name}`"
            problems.append(Diagnostic("KS403", message, node.route, node.key, help_))
            continue
        shape = shapes.get(name)
        wanted = _wanted_shape(node)
        if shape is not None and wanted is not None and not _fits(shape, wanted[0]):
            step = steps[name].step
            message = f"the output `{name}` is {wanted[1]}, but its step gives {show(shape)}"
            help_ = f"let the step `{name}` end in {show(wanted[0])}"
            problems.append(
                Diagnostic("KS408", message, step.route, step.point(), help_, step.calls)
            )


def _wanted_shape(node: Node) -> tuple[Shape, str] | None:
    """Return the shape that an output must have, and its kind in words; None for a wrong output."""
    try:
        kind = Output.model_validate(node.plain(), context=CONTEXT).kind
    except ValidationError:
        return None
    row = output_kind(kind)
    return row.shape(kind), row.spell(kind)


def _fits(shape: Shape, wanted: Shape) -> bool:
    """Whether sizes agree; a named dimension matches any size that is unknown before run time."""
    return len(shape) == len(wanted) and all(
        found == size or (isinstance(size, str) and not isinstance(found, int))
        for found, size in zip(shape, wanted, strict=True)
    )


def check_use(
    candidates: tuple[Candidate, ...],
    inputs: Node | None,
    outputs: Mapping[str, Node],
    problems: list[Diagnostic],
) -> None:
    """Report each step and input on which no output depends."""
    alive = set(outputs)
    for candidate in reversed(candidates):
        step = candidate.step
        if step.name in alive:
            alive.update((*(step.inputs or ()), *((step.shared,) if step.shared else ())))
    for name, node in (inputs.mapping if inputs is not None else {}).items():
        if name not in alive:
            message = f"no output depends on the input `{name}`"
            help_ = "take it in a step's `from`, or remove it"
            problems.append(Diagnostic("KS404", message, node.route, node.key, help_))
    for candidate in candidates:
        step = candidate.step
        if step.name not in alive:
            message = f"no output depends on the step `{step.name}`"
            help_ = "take it in a step's `from`, make it an output, or remove it"
            problems.append(
                Diagnostic("KS405", message, step.route, step.point(), help_, step.calls)
            )
