"""Outputs of labels end in what their loss takes: all activations, and steps that keep values."""

from pathlib import Path
from typing import get_args

import pytest

from kspec.pipeline.check import load_checked
from kspec.schemas.activations import Activation
from kspec.spec import KspecError
from kspec.spec.diagnostics import Diagnostic

CATEGORY = ("{category: [a, b, c]}", "sparse_categorical_crossentropy", 3)
BINARY = ("{binary: [a, b]}", "binary_crossentropy", 1)
FOCAL = ("{binary: [a, b]}", "binary_focal_crossentropy", 1)


def found(
    folder: Path, kind: tuple[str, str, int], *steps: str, logits: bool = False, train: bool = True
) -> list[Diagnostic]:
    """What `check` says of an output of this kind that ends in these steps."""
    output, loss, units = kind
    body = "".join(f"  - {step}\n" for step in steps).replace("UNITS", str(units))
    text = (
        "kspec: 1\nname: m\ninputs: {x: number}\n"
        f"outputs: {{y: {output}}}\nnetwork:\n{body}    name: y\ntargets: {{onnx: {{}}}}\n"
    )
    if train:
        text += "data: {source: {csv: rows.csv}}\n"
        written = f"{{{loss}: {{from_logits: {str(logits).lower()}}}}}"
        text += f"train: {{epochs: 1, loss: {{y: {written}}}}}\n"
    (folder / "model.yaml").write_text(text)
    (folder / "rows.csv").write_text("x,y\n" + "1,a\n" * 9)
    try:
        warnings = load_checked(folder / "model.yaml").warnings
    except KspecError as error:
        warnings = error.diagnostics
    assert {each.code for each in warnings} <= {"KS606", "KS607", "KS608"}
    return list(warnings)


def codes(*arguments: object, **options: bool) -> list[str]:
    return [each.code for each in found(*arguments, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation(tmp_path, activation):
    step = f"dense: {{units: UNITS, activation: {activation}}}"
    sums, unit = activation in ("softmax", "sparsemax"), activation.endswith("_sigmoid")
    unit = (unit and activation != "log_sigmoid") or activation == "sigmoid"
    assert codes(tmp_path, CATEGORY, step) == ([] if sums else ["KS608"] if unit else ["KS606"])
    for binary in (BINARY, FOCAL):
        assert codes(tmp_path, binary, step) == ([] if unit else ["KS606"])
        assert codes(tmp_path, binary, step, logits=True) == (["KS607"] if sums or unit else [])
    assert codes(tmp_path, CATEGORY, step, logits=True) == (["KS607"] if sums or unit else [])
    assert not codes(tmp_path, CATEGORY, step, train=False)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["dense: UNITS"], ["KS606"]),
        (["dense: UNITS", "softmax: {}"], []),
        (["dense: UNITS", "activation: softmax"], []),
        (["dense: UNITS", "activation: softmax", "dropout: 0.1"], []),
        (["dense: UNITS", "dropout: 0.1", "reshape: [3]", "identity: {}"], ["KS606"]),
        (["dense: {units: UNITS, activation: softmax}", "activation: linear"], []),
        (["dense: {units: UNITS, activation: softmax}", "relu: {}"], ["KS606"]),
        (["dense: UNITS", "relu: {max_value: 1}"], []),
        (["dense: UNITS", "leaky_relu: {}"], ["KS606"]),
        # What these give is not known here.
        (["dense: UNITS", "softmax", "rescaling: 0.5"], []),
        (["dense: UNITS", "batch_normalization: {}"], []),
    ],
)
def test_what_the_last_steps_do(tmp_path, steps, expected):
    assert codes(tmp_path, CATEGORY, *steps) == expected


def test_the_place_and_the_way_out(tmp_path):
    [problem] = found(tmp_path, CATEGORY, "dense: 3", "flatten: {}")
    assert (problem.span.line, problem.span.column) == (6, 5)
    assert problem.message == (
        "the output 'y' ends in no activation, and sparse_categorical_crossentropy takes"
        " probabilities"
    )
    assert problem.help == (
        "activation: softmax, or train:"
        " {loss: {y: {sparse_categorical_crossentropy: {from_logits: true}}}}"
    )
    [constant] = found(tmp_path, BINARY, "dense: {units: 1, activation: softmax}")
    assert "which is always 1" in constant.message
