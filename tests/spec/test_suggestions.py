"""Only near misses are suggested, by one rule; a layer that is left out gets its reason."""

from pathlib import Path

import pytest

from kspec.schemas.layers import DECIDED_OUT, LAYERS
from kspec.spec import KspecError, parse
from kspec.spec.suggestions import edits, nearest

LAYER_KEYS = list(LAYERS)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("desne", "dense"),
        ("Dense", "dense"),
        ("conv_2d", "conv2d"),
        ("Conv2D", "conv2d"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ("batchnorm", "batch_normalization"),
        ("layernorm", "layer_normalization"),
        ("maxpool2d", "max_pooling2d"),
        ("avgpool2d", "average_pooling2d"),
        ("flaten", "flatten"),
        ("droput", "dropout"),
        ("separable-conv2d", "separable_conv2d"),
        ("text_vectorization", None),
        ("string_lookup", None),
        ("transformer", None),
        ("quantize", None),
        ("lambda", None),
        ("xyz", None),
        ("", None),
        ("e" * 500, None),
    ],
)
def test_layers_that_are_near(word: str, expected: str | None) -> None:
    assert nearest(word, LAYER_KEYS) == expected


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("andriod", ["ios", "android", "browser"], "android"),
        ("sam", ["valid", "same"], "same"),
        ("brnch", ["stem", "branch"], "branch"),
        ("learning_rat", ["learning_rate", "epsilon"], "learning_rate"),
        ("epoch", ["epochs", "batch_size"], "epochs"),
        ("optimiser", ["optimizer", "metrics"], "optimizer"),
        ("ab", ["xy"], None),
        ("price", ["size", "voice"], None),
        ("a", [], None),
    ],
)
def test_names_that_are_near(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("same", "sam", 1)],
)
def test_edits(one: str, other: str, count: int) -> None:
    assert edits(one, other) == edits(other, one) == count


@pytest.mark.parametrize(
    "key", ["text_vectorization", "TextVectorization", "lambda", "stft_spectrogram", "tfsm_layer"]
)
def test_a_layer_that_is_left_out_gets_its_reason(key: str) -> None:
    text = (
        "kspec: 1\nname: m\ninputs: {x: {number: 4}}\noutputs: {y: {number: 1}}\n"
        f"network:\n  - {key}: {{max_tokens: 9}}\n  - {{dense: 1, name: y}}\n"
    )
    with pytest.raises(KspecError) as caught:
        parse(text.encode(), Path("model.yaml"))
    (found,) = caught.value.diagnostics
    name = next(each for each in DECIDED_OUT if each.lower() == key.replace("_", "").lower())
    assert found.code == "KS312"
    assert found.message == f"the layer `{key}` of Keras is not available in a spec"
    assert found.help == DECIDED_OUT[name]
