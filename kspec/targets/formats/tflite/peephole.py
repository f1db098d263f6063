"""Simplifications of a program of operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from kspec.compiler.ir import Value
from kspec.targets.formats.tflite.builtins import Fused, Fusing, ReducerOptions
from kspec.targets.formats.tflite.program import Operator, Program

_ACTIVATIONS: Mapping[str, Fused] = {
    "RELU": Fused.relu,
    "RELU_N1_TO_1": Fused.relu_n1_to_1,
    "RELU6": Fused.relu6,
}


def shorten(program: Program) -> Program:
    """Remove operators without effect, duplicates and unused operators; fuse pairs of operators."""
    operators = _drop_unread(program, _drop_repeated(program))
    return replace(program, operators=_absorb(program, operators))


def _drop_repeated(program: Program) -> tuple[Operator, ...]:
    """Remove duplicates. A reshape of a reshape reads the input of the first. A result that another
    operator has, or that equals the input of a reshape, is read from there."""
    public = {value.name for value in program.outputs}
    sources: dict[str, Value] = {}
    same: dict[str, Value] = {}
    given: dict[object, Value] = {}
    kept = []
    for old in program.operators:
        operator = replace(old, inputs=tuple(same.get(each.name, each) for each in old.inputs))
        if len(operator.outputs) > 1 or operator.output.name in program.variables:
            kept.append(operator)
            continue
        output = operator.output
        if operator.code == "RESHAPE":
            source = sources.get(operator.inputs[0].name, operator.inputs[0])
            operator = replace(operator, inputs=(source, *operator.inputs[1:]))
            sources[output.name] = source
        key = operator.code, operator.inputs, operator.options, output.type
        unchanged = operator.code == "RESHAPE" and operator.inputs[0].shape == output.shape
        known = operator.inputs[0] if unchanged else given.setdefault(key, output)
        if known is not output and output.name not in public:
            same[output.name] = known
        else:
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


def _absorb(program: Program, operators: tuple[Operator, ...]) -> tuple[Operator, ...]:
    """Fuse two operators if only the second reads the output of the first."""
    reads = Counter(value.name for operator in operators for value in operator.inputs)
    reads.update(value.name for value in program.outputs)
    kept: dict[str, Operator] = {}
    for operator in operators:
        source = operator.inputs[0].name
        before = kept.get(source)
        merged = None
        if before is not None and reads[source] == 1:
            merged = _activated(before, operator) or _kept_axes(before, operator, program)
        if merged is not None:
            del kept[source]
        kept[operator.outputs[0].name] = merged or operator
    return tuple(kept.values())


def _activated(before: Operator, operator: Operator) -> Operator | None:
    """Return the operator fused with the activation that follows it."""
    activation = _ACTIVATIONS.get(operator.code)
    options = before.options
    if activation is None or not isinstance(options, Fusing):
        return None
    if options.fused_activation_function is not Fused.none:
        return None
    fused = replace(options, fused_activation_function=activation)
    return replace(before, outputs=operator.outputs, options=fused)


def _kept_axes(before: Operator, operator: Operator, program: Program) -> Operator | None:
    """Return a reduction that keeps its axes, if a reshape restores them."""
    if operator.code != "RESHAPE" or not isinstance(before.options, ReducerOptions):
        return None
    x, axes = before.inputs
    reduced = program.constants[axes.name]
    shape = tuple(1 if axis in reduced else dim for axis, dim in enumerate(x.shape))
    if operator.output.shape != shape:
        return None
    return replace(before, outputs=operator.outputs, options=ReducerOptions(keep_dims=True))
