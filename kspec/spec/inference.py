"""Inference of shapes, element types and weights of every step, without Keras; size bounds.

The rules are methods of the layers' classes. Sizes are exact integers. A named dimension counts as
1, since its size is known at run time only.
"""

from dataclasses import dataclass, field

from pydantic import ValidationError

from kspec.features.kinds import input_kind
from kspec.schemas.features import Input
from kspec.schemas.layers import LAYERS, Layer, Shape, ShapeError
from kspec.schemas.layers.base import DType, Weight, show
from kspec.spec.amounts import spell_bytes, spell_count
from kspec.spec.diagnostics import Diagnostic, Route, Span
from kspec.spec.expanded import Expanded
from kspec.spec.messages import CONTEXT
from kspec.spec.network import Candidate
from kspec.spec.node import Node
from kspec.spec.sizes import BYTES, COPIES, LARGEST_TENSOR, Sizes, Value

LARGEST_WEIGHTS = 2**34
"""Maximum bytes of all weights. Training holds four values for each: the weight, its gradient and
two moments."""
LARGEST_ROW = 2**36
"""Maximum bytes of the tensors of all steps for one row, which is not split over devices."""
LARGEST_BATCH = 2**42
"""Maximum bytes of the tensors of all steps for one batch, which may be split over machines."""


def infer(
    candidates: tuple[Candidate, ...],
    inputs: Node | None,
    batch: Node | None,
    problems: list[Diagnostic],
) -> Sizes:
    """Return the sizes of a network. Each step is judged once, in order; the output of a wrong step
    is unknown to later steps. ``batch`` is the written batch size of training, if there is one."""
    inference = _Inference(problems)
    for name, node in (inputs.mapping if inputs is not None else {}).items():
        inference.take_input(name, node)
    for candidate in candidates:
        inference.take_step(candidate)
    sizes = Sizes(inference.values, inference.weights, inference.parameters, inference.row)
    if batch is not None and type(batch.value) is int:
        _check_batch(sizes, batch, batch.value, problems)
    return sizes


@dataclass(slots=True)
class _Inference:
    problems: list[Diagnostic]
    values: dict[str, Value | None] = field(default_factory=dict)
    weights: dict[str, tuple[Weight, ...] | None] = field(default_factory=dict)
    first: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    """The inputs for which the layer of each step was built."""
    parameters: int = 0
    row: int = 0

    def take_input(self, name: str, node: Node) -> None:
        self.values[name] = None
        try:
            given = Input.model_validate(node.plain(), context=CONTEXT)
        except ValidationError:
            return  # reported by the validation of the whole spec
        kind = input_kind(given.kind)
        dtype: DType = "int32" if kind.dtype(given.kind) == "int32" else "float32"
        value = Value(kind.shape(given.kind), dtype)
        place = _Place(f"the input `{name}`", node.route, node.key or node.point())
        if not self._fits(value.elements, f"is {show(value.shape)}", place):
            return
        self.values[name] = value
        self.row += value.elements
        if given.normalize:
            layer = LAYERS["normalization"]()
            self._count(f"{name}.normalize", layer, (value.shape,), place)

    def take_step(self, candidate: Candidate) -> None:
        step, layer = candidate.step, candidate.layer
        found = [self.values.get(name) for name in step.inputs or ()]
        taken = tuple(value for value in found if value is not None)
        self.values[step.name] = None
        self.first[step.name] = taken
        if layer is None or not found or len(taken) < len(found):
            return
        value = self._output(layer, step, taken)
        if value is None:
            return
        shapes = tuple(each.shape for each in taken)
        place = _Place(f"`{step.key}`", step.route, step.point(), step.calls)
        if not self._fits(value.elements, f"gives {show(value.shape)}", place) or not self._fits(
            layer.largest_inner(shapes), "computes a tensor inside", place
        ):
            return
        self._add_row(value.elements, place)
        if step.shared is not None:
            self._check_again(layer, step, taken)
        elif not self._count(step.name, layer, shapes, place):
            return
        self.values[step.name] = value

    def _output(self, layer: Layer, step: Expanded, taken: tuple[Value, ...]) -> Value | None:
        if layer.arity == 1 and len(taken) != 1:
            message = f"`{step.key}` takes one input, found {len(taken)}"
            help_ = "join them in a step before: `add`, `concatenate`, …"
            self.problems.append(
                Diagnostic("KS407", message, step.route, step.point(), help_, step.calls)
            )
            return None
        code = "KS406"
        try:
            shape = layer.output_shape(tuple(value.shape for value in taken))
            code = "KS430"
            return Value(shape, layer.output_dtype(tuple(value.dtype for value in taken)))
        except ShapeError as error:
            arguments = step.node.mapping.get(step.key)
            named = arguments.mapping.get(error.field or "") if arguments is not None else None
            route = (*step.route, error.field) if error.field else step.route
            span = named.point() if named is not None else step.point()
            self.problems.append(
                Diagnostic(code, error.message, route, span, error.help, step.calls)
            )
            return None

    def _check_again(self, layer: Layer, step: Expanded, taken: tuple[Value, ...]) -> None:
        """Report inputs that a layer that is called again cannot take."""
        for before, value in zip(self.first[step.shared or ""], taken, strict=False):
            if not layer.takes_again(before.shape, value.shape):
                made, found = show(before.shape), show(value.shape)
                message = f"`{step.shared}` was made for {made}, found {found}"
                help_ = f"a step of its own, `{step.key}`, has variables of its own"
                self.problems.append(
                    Diagnostic("KS406", message, step.route, step.point(), help_, step.calls)
                )

    def _fits(self, elements: int, what: str, place: "_Place") -> bool:
        """Return whether a tensor of one row is within the bound; report it if not."""
        if elements <= LARGEST_TENSOR:
            return True
        size = f"{spell_count(elements)} values, {spell_bytes(BYTES * elements)}"
        message = f"{place.name} {what}: {size} for each row"
        help_ = f"a tensor holds at most {LARGEST_TENSOR:,} values for each row"
        self.problems.append(place.diagnostic("KS431", message, help_))
        return False

    def _count(self, name: str, layer: Layer, shapes: tuple[Shape, ...], place: "_Place") -> bool:
        """Count the weights of a layer; return whether they are within the bounds."""
        weights = layer.weight_shapes(shapes)
        self.weights[name] = weights
        for weight in weights or ():
            if weight.size > LARGEST_TENSOR:
                size = f"{spell_count(weight.size)} values, {spell_bytes(BYTES * weight.size)}"
                message = f"the weight `{weight.path}` of {place.name} is {show(weight.shape)}"
                help_ = f"a weight holds at most {LARGEST_TENSOR:,} values"
                self.problems.append(place.diagnostic("KS432", f"{message}: {size}", help_))
                return False
        before = BYTES * self.parameters
        if weights is None:
            self.parameters += layer.parameter_count(shapes) or 0
        else:
            self.parameters += sum(weight.size for weight in weights)
        after = BYTES * self.parameters
        if before <= LARGEST_WEIGHTS < after:
            message = f"with {place.name}, the weights of the network take {spell_bytes(after)}"
            help_ = (
                f"they may take {spell_bytes(LARGEST_WEIGHTS)}; training would need about "
                f"{spell_bytes(COPIES * after)} for weights, gradients and moments"
            )
            self.problems.append(place.diagnostic("KS433", message, help_))
        return after <= LARGEST_WEIGHTS

    def _add_row(self, elements: int, place: "_Place") -> None:
        before, self.row = self.row, self.row + elements
        if BYTES * before <= LARGEST_ROW < BYTES * self.row:
            size = spell_bytes(BYTES * self.row)
            message = f"up to {place.name}, the steps give {size} for each row"
            help_ = f"all steps together may give {spell_bytes(LARGEST_ROW)} for each row"
            self.problems.append(place.diagnostic("KS434", message, help_))


@dataclass(frozen=True, slots=True)
class _Place:
    """An input or a step, with its name in messages."""

    name: str
    route: Route
    span: Span
    calls: tuple[Route, ...] = ()

    def diagnostic(self, code: str, message: str, help_: str) -> Diagnostic:
        return Diagnostic(code, message, self.route, self.span, help_, self.calls)


def _check_batch(sizes: Sizes, node: Node, batch: int, problems: list[Diagnostic]) -> None:
    needed = BYTES * sizes.row * batch
    if BYTES * sizes.row <= LARGEST_ROW and needed > LARGEST_BATCH:
        row = spell_bytes(BYTES * sizes.row)
        message = f"a batch of {batch:,} rows takes {spell_bytes(needed)}, {row} for each row"
        help_ = f"it may take {spell_bytes(LARGEST_BATCH)}; write a smaller batch_size"
        problems.append(Diagnostic("KS435", message, node.route, node.point(), help_))
