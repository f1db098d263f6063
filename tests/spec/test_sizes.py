"""Sizes: what a network gives and holds, and networks that nothing can hold."""

import re
from pathlib import Path
from typing import Any

import pytest

from kspec.pipeline.check import check
from kspec.schemas.layers import Layer
from kspec.spec import Document, KspecError, parse
from kspec.spec.amounts import spell_bytes, spell_count

IMAGE = "{image: {height: 64, width: 64}}"
CONCATENATIONS = "\n".join(
    f"  - {{concatenate: {{}}, from: [c{n}, c{n}], name: c{n + 1}}}" for n in range(30)
)
LARGE: dict[str, tuple[str, str, str, str]] = {
    "input": ("{image: {height: 1000000000, width: 1000000000}}", "- flatten", "KS431", "inputs"),
    "tensor": ("{tensor: [50000, 50000]}", "- flatten", "KS431", "inputs"),
    "chain": ("{number: 4}", f"- {{dense: 8, name: c0}}\n{CONCATENATIONS}", "KS431", "name: c28}"),
    "kernel": (IMAGE, "- conv2d: {filters: 2147483647, kernel_size: 60}", "KS431", "conv2d"),
    "window": (
        "{image: {height: 30000, width: 30000, channels: 1}}",
        "- conv2d: {filters: 64, kernel_size: 29999}",
        "KS432",
        "conv2d",
    ),
    "units": (IMAGE, "- flatten\n  - dense: 2000000000", "KS432", "dense: 2000000000"),
    "state": (IMAGE, "- reshape: [64, 192]\n  - lstm: 200000", "KS432", "lstm"),
    "cells": (
        IMAGE,
        "- reshape: [64, 192]\n  - rnn: {cell: {stacked_rnn_cells: [{gru_cell: 100000}]}}",
        "KS432",
        "rnn",
    ),
    "both": (
        IMAGE,
        "- reshape: [64, 192]\n  - bidirectional: {layer: {lstm: 200000}}",
        "KS432",
        "bidirectional",
    ),
    "table": (
        "{tensor: {shape: [4], dtype: int32}}",
        "- embedding: {input_dim: 2000000000, output_dim: 64}\n  - flatten",
        "KS432",
        "embedding",
    ),
    "heads": (
        IMAGE,
        "- {multi_head_attention: {num_heads: 100000, key_dim: 10000}, from: [x, x]}",
        "KS431",
        "multi_head",
    ),
    "scores": (
        "{tensor: [60000, 4]}",
        "- {attention: {use_scale: true}, from: [x, x]}\n  - flatten",
        "KS431",
        "attention",
    ),
    "einsum": (
        "{tensor: [64, 64]}",
        '- einsum_dense: {equation: "abc,cde->abde", output_shape: [null, 70000, 70000]}',
        "KS431",
        "einsum_dense",
    ),
    "repeated": (
        IMAGE,
        "- flatten\n  - dense: 30000\n  - {dense: 30000, repeat: 8}",
        "KS433",
        "repeat: 8",
    ),
    "up": (IMAGE, "- {up_sampling2d: 2, repeat: 20}", "KS431", "up_sampling2d"),
    "volume": (
        "{tensor: [300, 300, 300, 1]}",
        "- {conv3d: {filters: 64, kernel_size: 3, padding: same}, repeat: 12}",
        "KS434",
        "conv3d",
    ),
    "padded": (IMAGE, "- zero_padding2d: 2000000000", "KS431", "zero_padding2d"),
    "vectors": (IMAGE, "- flatten\n  - repeat_vector: 2000000000", "KS431", "repeat_vector"),
    "resized": (IMAGE, "- resizing: {height: 1000000, width: 1000000}", "KS431", "resizing"),
    "encoded": (
        "{tensor: {shape: [4, 4], dtype: int32}}",
        "- category_encoding: {num_tokens: 2000000000, output_mode: one_hot}",
        "KS431",
        "category_encoding",
    ),
    "norm": ("{tensor: [40000, 50000]}", "- {prelu: {}, repeat: 3}", "KS433", "repeat: 3"),
    "separable": (
        IMAGE,
        "- separable_conv2d: {filters: 1, kernel_size: 1, depth_multiplier: 600000}",
        "KS431",
        "separable_conv2d",
    ),
}


def text_of(kind: str, steps: str, end: str = "") -> str:
    """A spec whose network begins with these steps."""
    return (
        f"kspec: 1\nname: m\ninputs:\n  x: {kind}\noutputs: {{y: {{number: 1}}}}\nnetwork:\n"
        f"  {steps}\n  - flatten\n  - {{dense: 1, name: y}}\n{end}"
    )


def document(text: str) -> Document:
    return parse(text.encode(), Path("model.yaml"))


@pytest.mark.parametrize("case", LARGE)
def test_a_size_that_nothing_holds_is_refused_at_its_line(case: str) -> None:
    kind, steps, code, place = LARGE[case]
    text = text_of(kind, steps)
    with pytest.raises(KspecError) as caught:
        document(text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.span is not None
    line = text.splitlines()[found.span.line - 1]
    assert place in (line if place != "inputs" else "inputs"), line
    assert ("  x: " in line) == (place == "inputs")
    assert re.search(r"\d [GTPE]B\b", found.message)


def test_a_batch_that_nothing_holds_is_refused() -> None:
    text = text_of(IMAGE, "- flatten", "train: {epochs: 1, batch_size: 2000000000}\n")
    with pytest.raises(KspecError) as caught:
        document(text)
    assert [each.code for each in caught.value.diagnostics] == ["KS435"]
    assert "a batch of 2,000,000,000 rows takes 294.9 TB" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("- max_pooling2d: 65", "KS406"),
        ("- max_pooling2d: 2\n  - {max_pooling2d: 2, repeat: 8}", "KS406"),
        ("- reshape: [100, 100]", "KS406"),
        ("- cropping2d: 32", "KS406"),
        ("- conv2d: {filters: 8, kernel_size: 2147483647}", "KS406"),
    ],
)
def test_nothing_is_left(steps: str, code: str) -> None:
    with pytest.raises(KspecError) as caught:
        document(text_of(IMAGE, steps))
    assert [each.code for each in caught.value.diagnostics] == [code]


def test_sizes_of_a_sound_network() -> None:
    steps = (
        "- conv2d: {filters: 8, kernel_size: 3}\n  - batch_normalization\n"
        "  - {name: a, flatten: }\n  - {dense: 5, name: first}\n"
        "  - {use: first, from: a}\n  - {add: , from: [first, use]}"
    )
    sizes = document(text_of("{image: {height: 4, width: 4}, normalize: true}", steps)).sizes
    assert sizes.parameters == 7 + (27 * 8 + 8) + 4 * 8 + (32 * 5 + 5) + (5 + 1)
    assert sizes.row == 48 + 3 * 32 + 4 * 5 + 1
    assert sizes.weights.keys() >= {"x.normalize", "conv2d", "first", "y"}
    assert "use" not in sizes.weights
    assert sizes.training_bytes(10) == 4 * (4 * sizes.parameters + 10 * sizes.row)
    assert sizes.artifact_bytes == 4 * (27 * 8 + 32 * 5 + 5)


def test_names_of_sizes_count_as_one() -> None:
    sizes = document(text_of("{tensor: [time, 3]}", "- global_average_pooling1d")).sizes
    assert sizes.values["x"] is not None
    assert sizes.values["x"].elements == 3


def test_element_types_flow_and_are_judged() -> None:
    whole = "{tensor: {shape: [8, 8, 3], dtype: int32}}"
    steps = "- flatten\n  - embedding: {input_dim: 9, output_dim: 2}"
    sizes = document(text_of(whole, steps)).sizes
    assert [value.dtype for value in sizes.values.values() if value] == [
        "int32", "int32", "float32", "float32", "float32",
    ]  # fmt: skip
    with pytest.raises(KspecError) as caught:
        document(text_of(whole, "- permute: [2, 1, 3]\n  - conv2d: {filters: 4, kernel_size: 3}"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("KS430", "conv2d computes with float32, found int32")


def test_formats_say_what_they_cannot_hold(tmp_path: Path) -> None:
    steps = "- embedding: {input_dim: 20000000, output_dim: 64}\n  - flatten"
    kind = "{tensor: {shape: [4], dtype: int32}}"
    targets = "targets: {android: {}, onnx: {}, server: {}, coreml: {}}\n"
    spec = tmp_path / "model.yaml"
    spec.write_text(text_of(kind, steps, targets))
    found = check(spec)
    assert [(each.code, each.route) for each in found] == [
        ("KS436", ("targets", "android")),
        ("KS436", ("targets", "server")),
    ]
    assert (
        "the weights take 5.1 GB, and a tflite artifact of the target android" in found[0].message
    )
    assert "holds 2.1 GB" in found[0].message


@pytest.mark.parametrize("count", [200, 2000])
def test_each_step_is_judged_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = ("output_shape", "output_dtype", "weight_shapes", "largest_inner")
    calls = dict.fromkeys(rules, 0)
    for cls in {type(each.layer) for each in document(text_of(IMAGE, "- relu")).steps}:
        for name in rules:
            monkeypatch.setattr(cls, name, _counting(getattr(cls, name), name, calls))
    document(text_of(IMAGE, f"- {{relu: , repeat: {count}}}"))
    assert calls == dict.fromkeys(rules, count + 2)


def _counting(rule: Any, name: str, calls: dict[str, int]) -> Any:
    def counting(self: Layer, shapes: Any) -> Any:
        calls[name] += 1
        return rule(self, shapes)

    return counting


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (151_400, "151.4 KB"),
        (2**31, "2.1 GB"),
        (12 * 10**18, "12.0 EB"),
        (2**200, "1.6e+42 EB"),
    ],
)
def test_bytes_are_spelled(count: int, said: str) -> None:
    assert spell_bytes(count) == said


def test_counts_are_spelled() -> None:
    assert spell_count(2**33) == "8,589,934,592"
    assert spell_count(2**100) == "1.3e+30"
