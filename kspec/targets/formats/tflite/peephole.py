"""What can be said shorter once a program is written out in operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from kspec.compiler.ir import Value
from kspec.targets.formats.tflite.builtins import Fused
from kspec.targets.formats.tflite.program import Operator, Program

_ACTIVATIONS: Mapping[str, Fused] = {
    "RELU": Fused.relu,
    "RELU_N1_TO_1": Fused.relu_n1_to_1,
    "RELU6": Fused.relu6,
}


def shorten(program: Program) -> Program:
    """Merge reshapes, let operators apply the activation after them, drop what nobody reads."""
    operators = _drop_unread(program, _merge_reshapes(program))
    return replace(program, operators=_fuse_activations(program, operators))


def _merge_reshapes(program: Program) -> tuple[Operator, ...]:
    """A reshape of a reshape reads the first one's input; one that changes nothing is left out."""
    public = {value.name for value in program.outputs}
    sources: dict[str, Value] = {}
    same: dict[str, Value] = {}
    kept = []
    for old in program.operators:
        operator = replace(old, inputs=tuple(same.get(each.name, each) for each in old.inputs))
        if operator.code == "RESHAPE":
            source = sources.get(operator.inputs[0].name, operator.inputs[0])
            operator = replace(operator, inputs=(source, *operator.inputs[1:]))
            output = operator.output
            sources[output.name] = source
            if source.shape == output.shape and output.name not in public:
                same[output.name] = source
                continue
        kept.append(operator)
    return tuple(kept)


def _drop_unread(program: Program, operators: tuple[Operator, ...]) -> tuple[Operator, ...]:
    needed = {value.name for value in program.outputs}
    kept = []
    for operator in reversed(operators):
        if any(output.name in needed for output in operator.outputs):
            kept.append(operator)
            needed.update(value.name for value in operator.inputs)
    return tuple(reversed(kept))


def _fuse_activations(program: Program, operators: tuple[Operator, ...]) -> tuple[Operator, ...]:
    reads = Counter(value.name for operator in operators for value in operator.inputs)
    reads.update(value.name for value in program.outputs)
    places: dict[str, int] = {}
    kept: list[Operator | None] = []
    for operator in operators:
        source = operator.inputs[0].name
        fused = _ACTIVATIONS.get(operator.code)
        if fused is not None and reads[source] == 1 and source in places:
            before = kept[places[source]]
            if before is not None and _can_fuse(before):
                options = replace(before.options, fused_activation_function=fused)  # type: ignore[type-var]
                kept[places[source]] = None
                operator = replace(before, outputs=operator.outputs, options=options)
        places[operator.outputs[0].name] = len(kept)
        kept.append(operator)
    return tuple(operator for operator in kept if operator is not None)


def _can_fuse(operator: Operator) -> bool:
    options = operator.options
    return getattr(options, "fused_activation_function", None) is Fused.none and (
        operator.output.dtype.is_float
    )
