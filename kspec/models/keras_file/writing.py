"""Steps as the YAML of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from kspec.models.keras_file.recorder import Step
from kspec.models.keras_file.refusal import refused
from kspec.spec.blocks import USE


def render(
    name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], steps: list[Step]
) -> str:
    """Return the YAML of a spec: inputs, outputs and the network."""
    lines = ["kspec: 1", f"name: {name}", "", "inputs:"]
    for each, tensor in inputs.items():
        lines.append(f"  {each}: {_flow({'tensor': _tensor('input', each, tensor)})}")
    lines.append("outputs:")
    for each, tensor in outputs.items():
        lines.append(f"  {each}: {_flow(_output(each, tensor))}")
    lines += ["", "network:"]
    before = next(iter(inputs)) if len(inputs) == 1 else None
    for step in steps:
        lines.append(f"  - {_written(step)}")
        lines.append(f"    name: {step.name}")
        if step.inputs != (before,):
            given = step.inputs[0] if len(step.inputs) == 1 else list(step.inputs)
            lines.append(f"    from: {_flow(given)}")
        before = step.name
    return "\n".join(lines) + "\n"


def _written(step: Step) -> str:
    """Return the layer's key with its arguments."""
    if step.again is not None:
        return f"{USE}: {step.again}"
    written = step.layer.written()
    body = _flow(written[step.layer.key]) if isinstance(written, dict) else ""
    return f"{step.layer.key}: {body}".rstrip()


def _output(name: str, tensor: Any) -> dict[str, Any]:
    if tensor.dtype == "float32" and len(tensor.shape) == 2 and tensor.shape[-1] is not None:
        return {"number": {"size": tensor.shape[-1]}}
    return {"tensor": _tensor("output", name, tensor)}


def _tensor(what: str, name: str, tensor: Any) -> dict[str, Any]:
    shape = [
        size if size is not None else f"{name[:50]}_{axis}"
        for axis, size in enumerate(tensor.shape[1:], start=1)
    ]
    if tensor.dtype not in ("float32", "int32") or not shape:
        raise refused("KS738", f"the {what} {name!r} is {tensor.dtype} of {shape}")
    return {"shape": shape} | ({"dtype": "int32"} if tensor.dtype == "int32" else {})


def _flow(value: Any) -> str:
    """Format a value on one line."""
    plain = _lists(value)
    text = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("...\n").strip()


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value
