"""`use`: the layers of a step, or of a call of a block, once more."""

from functools import partial
from pathlib import Path

import pytest

from kspec.spec import Document, KspecError, parse

TWINS = """\
kspec: 1
name: twins
inputs: {one: {image: {height: 8, width: 8}}, two: {image: {height: 8, width: 10}}}
outputs: {near: {number: 4}, same: {number: 2}}
blocks:
  encoder(width):
    - conv2d: {filters: "${width}", kernel_size: 3}
    - bend
    - dense: 4
  bend:
    - batch_normalization:
    - global_average_pooling2d:
      name: seen
network:
  - encoder: {width: 5}
    name: left
    from: one
  - use: left
    name: right
    from: two
  - use: right
    name: third
    from: one
  - average:
    name: near
    from: [left, right, third]
  - dense: 2
    from: right/bend/seen
    name: first
  - use: first
    from: left/bend
    name: second
  - add:
    name: same
    from: [first, second]
"""


def parsed(text: str) -> Document:
    return parse(text.encode(), Path("twins.yaml"))


def test_a_call_of_a_block_is_used_again():
    steps = {step.name: step for step in parsed(TWINS).steps}
    inside = ("conv2d", "bend/batch_normalization", "bend/seen", "dense")
    for name, start in (("right", "two"), ("third", "one")):
        copies = [steps[f"{name}/{each}"] for each in inside]
        assert [each.shared for each in copies] == [f"left/{each}" for each in inside]
        before = [start, *(f"{name}/{each}" for each in inside[:-1])]
        assert [each.inputs for each in copies] == [(each,) for each in before]
        assert all(each.layer is steps[each.shared].layer for each in copies)
    assert steps["near"].inputs == ("left/dense", "right/dense", "third/dense")
    assert (steps["second"].shared, steps["second"].inputs) == ("first", ("left/bend/seen",))
    assert steps["first"].inputs == ("right/bend/seen",)
    assert steps["right/conv2d"].route == ("network", 1, "use")


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "line"),
    [
        ("use: left", "use: lefd", "KS401", "no step or input is called `lefd`", 18),
        (
            "use: left",
            "use: one",
            "KS412",
            "`one` is neither a step above nor a call of a block",
            18,
        ),
        ("use: left", "use: near", "KS401", "no step or input is called `near`", 18),
        ("from: two", "from: [one, two]", "KS412", "`left` takes one input, found 2", 18),
        (
            "width: 10}",
            "width: 10, channels: 1}",
            "KS406",
            "`left/conv2d` was made for (8, 8, 3), found (8, 10, 1)",
            18,
        ),
        ("bend", "use", "KS307", "`use` is a layer already", 10),
        (
            "use: left",
            "use:",
            "KS203",
            "expected the name of a step or block call, found nothing",
            18,
        ),
    ],
)
def test_what_cannot_be_used_is_refused(old, new, code, message, line):
    with pytest.raises(KspecError) as caught:
        parsed(TWINS.replace(old, new))
    found = [(each.code, each.message, each.span.line) for each in caught.value.diagnostics]
    assert (code, message, line) in found


def test_layers_that_are_used_again_have_their_variables_once(tmp_path):
    keras = pytest.importorskip("keras")
    from kspec.features.samples import draw_rows
    from kspec.models.keras_model import build_model, randomize, trace_document
    from kspec.models.prediction import predict
    from kspec.pipeline.proof.reference import Reference

    document = parsed(TWINS)
    model = build_model(document)
    randomize(model)
    kernels = [each.path for each in model.weights if each.name == "kernel"]
    assert kernels == ["left.conv2d/kernel", "left.dense/kernel", "first/kernel"]
    graph = trace_document(model, document)
    rows = draw_rows(graph, 3)
    given = keras.ops.stack([rows["one"], rows["two"][:, :, :8]])
    seen = [model.get_layer("left.conv2d")(each) for each in given]
    assert seen[0].shape == seen[1].shape
    judged, problems = Reference(graph, partial(predict, model)).proven(rows)
    assert problems == ()
    assert judged.yardsticks.keys() == judged.expected.keys()


AGAIN = """\
kspec: 1
name: again
inputs: {{a: {{tensor: {first}}}, b: {{tensor: {other}}}}}
outputs: {{y: {{tensor: {first}}}, z: {{tensor: {other}}}}}
network:
  - {layer}
    name: y
    from: [a{more}]
  - use: y
    name: z
    from: [b{again}]
"""


@pytest.mark.parametrize(
    ("layer", "first", "other", "fits"),
    [
        ("relu:", [5, 8], [7, 6], True),
        ("prelu:", [5, 8], [7, 8], False),
        ("dense: 8", [5, 8], [7, 8], True),
        ("dense: 8", [5, 8], [5, 6], False),
        ("batch_normalization: {axis: 1}", [5, 8], [5, 6], True),
        ("batch_normalization: {axis: 1}", [5, 8], [7, 8], False),
        ("rms_normalization:", [5, 8], ["time", 8], True),
        ("rms_normalization:", [5, 8], [5, 6], False),
        ("normalization:", [5, 8], [5, 6], False),
        ("additive_attention:", [5, 8], [7, 8], True),
        ("additive_attention:", [5, 8], [5, 6], False),
        ("bidirectional: {layer: {lstm: {units: 4, return_sequences: true}}}",
         [5, 8], ["time", 8], True),
        ("bidirectional: {layer: {lstm: {units: 4, return_sequences: true}}}",
         [5, 8], [5, 6], False),
    ],
)  # fmt: skip
def test_layers_take_again_what_their_variables_allow(layer, first, other, fits):
    pair = {"more": ", a", "again": ", b"} if "attention" in layer else {"more": "", "again": ""}
    text = AGAIN.format(layer=layer, first=first, other=other, **pair)
    try:
        codes = [step.shared for step in parsed(text).steps]
    except KspecError as error:
        codes = [each.code for each in error.diagnostics]
    assert ("KS406" not in codes) is fits
