"""What layers refuse of their inputs, and what they say; names of sizes that vary stay."""

from typing import Any

import pytest

from kspec.schemas.layers import Shape, ShapeError
from tests.cases import of

CONV = {"filters": 6, "kernel_size": 3}
HEADS = {"num_heads": 2, "key_dim": 4}
GROUPED = {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}
EINSUM = {"equation": "abc,cd->abd", "output_shape": [None, 6]}

REFUSED: tuple[tuple[str, Any, tuple[Shape, ...], str, str | None], ...] = (
    ("dense", 5, ((),), "dense needs a last axis, found ()", None),
    (
        "dense",
        5,
        ((7, "time"),),
        "must know the size of its last axis, found (7, time)",
        None,
    ),
    ("conv2d", CONV, ((64,),), "conv2d needs height × width × channels, found (64,)", None),
    ("conv2d", CONV, ((28, 28),), "conv2d needs height × width × channels, found (28, 28)", None),
    ("conv1d", CONV, ((8, 8, 3),), "conv1d needs steps × channels, found (8, 8, 3)", None),
    ("conv2d", CONV, ((8, 8, None),), "must know the size of its last axis, found (8, 8, ?)", None),
    (
        "conv2d",
        {"filters": 6, "kernel_size": 5},
        ((3, 3, 1),),
        "kernel 5×5 does not fit into 3×3 with padding: valid",
        "kernel_size",
    ),
    (
        "depthwise_conv1d",
        {"kernel_size": 3, "dilation_rate": 4},
        ((8, 1),),
        "kernel 3 (dilated to 9) does not fit into 8 with padding: valid",
        "kernel_size",
    ),
    ("max_pooling2d", [1, 4], (("h", 3, 1),), "window 1×4 does not fit into h×3", "pool_size"),
    ("conv2d", CONV | {"groups": 4}, ((8, 8, 4),), "does not divide 6 filters", "groups"),
    (
        "conv2d",
        CONV | {"groups": 3},
        ((8, 8, 4),),
        "groups: 3 of conv2d does not divide 4 channels of the input",
        "groups",
    ),
    *(
        (
            key,
            CONV | {"strides": 2, "dilation_rate": 2},
            ((16, 4),),
            f"{key} cannot have both strides and dilation_rate above 1",
            "dilation_rate",
        )
        for key in ("conv1d", "conv1d_transpose")
    ),
    (
        "conv2d_transpose",
        CONV | {"strides": [3, 2], "output_padding": 2},
        ((8, 8, 4),),
        "output_padding 2 of conv2d_transpose is not below the stride 2",
        "output_padding",
    ),
    ("global_max_pooling2d", None, ((8, 3),), "needs height × width × channels", None),
    ("batch_normalization", {"axis": 0}, ((8,),), "axis 0 of batch_normalization is the", "axis"),
    ("batch_normalization", {"axis": -3}, ((8,),), "has no axis -3 in (8,)", "axis"),
    ("batch_normalization", {"axis": 1}, ((None, 3),), "must know the size of axis 1", "axis"),
    ("layer_normalization", {"axis": [1, -2]}, ((4, 3),), "names an axis twice", "axis"),
    ("layer_normalization", {"axis": [1, -1]}, ((4, 3),), "counts from both ends", "axis"),
    ("rms_normalization", {"axis": 1}, ((4, 3),), "is over the last axes, found [1]", "axis"),
    ("group_normalization", 3, ((8, 4),), "groups: 3 of group_normalization does not", "groups"),
    ("dropout", {"rate": 0.1, "noise_shape": [1]}, ((4,),), "does not fit (?, 4)", "noise_shape"),
    (
        "dropout",
        {"rate": 0.1, "noise_shape": [None, 3]},
        ((4,),),
        "noise_shape (?, 3) does not fit (?, 4)",
        "noise_shape",
    ),
    ("spatial_dropout2d", 0.1, ((8, 3),), "needs height × width × channels", None),
    ("reshape", [3, 3], ((8,),), "cannot make (3, 3) of (8,): 9 values are not 8", "target_shape"),
    ("reshape", [-1, 3], ((8,),), "reshape cannot make (-1, 3) of (8,)", "target_shape"),
    ("reshape", [-1, -1], ((8,),), "reshape can work out one size only", "target_shape"),
    ("lstm", 4, ((7,),), "lstm needs steps × channels, found (7,)", None),
    ("lstm", {"units": 4, "unroll": True}, (("time", 3),), "unroll needs a known", "unroll"),
    ("conv_lstm2d", CONV, ((5, 8, 8),), "needs time × height × width × channels, found", None),
    ("conv_lstm1d", CONV, ((5, None, 8),), "must know the size of axis 2", None),
    ("attention", None, ((5, 8),), "attention takes a query and a value, and perhaps a", None),
    ("attention", None, ((5, 8), (7, 9)), "query and key of attention need as many", None),
    ("additive_attention", None, ((5, 8), (7, 3), (6, 8)), "need equal steps, found", None),
    ("multi_head_attention", HEADS, ((5, 8), (2, 7, 8)), "need as many axes, found", None),
    (
        "multi_head_attention",
        HEADS | {"attention_axes": -1},
        ((5, 8), (7, 8)),
        "axis -1 is none of the steps of (5, 8)",
        "attention_axes",
    ),
    (
        "multi_head_attention",
        HEADS | {"use_causal_mask": True},
        ((3, 5, 8), (3, 5, 8)),
        "for attention over one axis, found 2",
        "use_causal_mask",
    ),
    (
        "multi_head_attention",
        HEADS | {"sliding_window": 2, "attention_axes": 2},
        ((3, 5, 8), (3, 5, 8)),
        "needs axis 2 to be as long as axis 1, found (3, 5, 8)",
        "sliding_window",
    ),
    ("group_query_attention", GROUPED, ((5, 8), (7, 6)), "as many in query and value", None),
    ("adaptive_max_pooling1d", 1, ((8, 2),), "cannot make 1 places of 8", "output_size"),
    ("adaptive_max_pooling1d", 9, ((8, 2),), "cannot make 9 places of 8", "output_size"),
    ("time_distributed", {"layer": {"dense": 4}}, ((8,),), "needs steps and what is in", None),
    (
        "time_distributed",
        {"layer": {"permute": [2, 1]}},
        ((8, 2),),
        "is not an order of the",
        "layer",
    ),
    (
        "bidirectional",
        {"layer": {"lstm": 4}, "backward_layer": {"gru": {"units": 3, "go_backwards": True}}},
        ((8, 2),),
        "the two layers of bidirectional give (4,) and (3,)",
        "backward_layer",
    ),
    ("masking", None, ((8,),), "masking needs steps × channels", None),
    (
        "reversible_embedding",
        {"input_dim": 9, "output_dim": 4, "reverse": True},
        ((8,),),
        "goes back from 4 values, found (8,)",
        "output_dim",
    ),
    ("einsum_dense", EINSUM, ((8,),), "abc,cd->abd does not fit", "equation"),
    ("einsum_dense", EINSUM, ((8, None),), "must know the size of axis c", "equation"),
    (
        "einsum_dense",
        {"equation": "...c,cd->...d", "output_shape": [4]},
        ((7, 8, 3),),
        "`...` stands for several axes of (7, 8, 3)",
        "equation",
    ),
    (
        "einsum_dense",
        EINSUM | {"bias_axes": "bd"},
        ((8, 4),),
        "the bias must know the size of axis b",
        "bias_axes",
    ),
    ("category_encoding", {"num_tokens": 3}, ((8, 2),), "multi_hot needs a vector", "output_mode"),
    ("resizing", {"height": 4, "width": 4}, ((8, 2),), "needs height × width × channels", None),
    ("mel_spectrogram", None, ((1024,),), "which 1024 samples do not give", "fft_length"),
    ("mel_spectrogram", None, ((8, 2),), "needs a vector of samples, found (8, 2)", None),
    ("random_flip", None, ((8, 2),), "needs height × width × channels", None),
    ("permute", [1, 3], ((8, 2),), "permute [1, 3] is not an order of the axes of (8, 2)", "dims"),
    ("repeat_vector", 3, ((8, 2),), "repeat_vector needs a vector, found (8, 2)", None),
    ("cropping2d", 4, ((8, 9, 3),), "cropping2d leaves nothing of 8×9", "cropping"),
    ("zero_padding1d", 1, ((8,),), "zero_padding1d needs steps × channels, found (8,)", None),
    ("up_sampling3d", 2, ((8, 8, 3),), "needs depth × height × width × channels", None),
    ("add", None, ((8,),), "add takes two inputs or more, found 1", None),
    ("add", None, ((8, 3), (8, 4)), "add needs equal shapes, found (8, 3) and (8, 4)", None),
    ("subtract", None, ((8,), (8,), (8,)), "subtract takes 2 inputs, found 3", None),
    ("concatenate", None, ((8, 3), (7, 3)), "shapes that differ on axis 2 only", "axis"),
    ("concatenate", 1, ((8, 3), (3,)), "found (8, 3) and (3,)", "axis"),
    ("concatenate", 0, ((8, 3), (8, 3)), "axis 0 of concatenate is the batch", "axis"),
    ("dot", 1, ((8, 3), (7, 3)), "dot over axes [1, 1] needs equal sizes", "axes"),
    ("dot", 1, (("time", 3), (8, 3)), "dot over axes [1, 1] needs equal sizes", "axes"),
    ("prelu", None, (("time", 3),), "the size of axis 1 varies", "shared_axes"),
    ("prelu", {"shared_axes": 3}, ((4, 3),), "prelu has no axis 3 in (4, 3)", "shared_axes"),
    ("softmax", 3, ((4, 3),), "softmax has no axis 3 in (4, 3)", "axis"),
    ("sparsemax", None, ((4, None),), "sparsemax must know the size of its last axis", None),
    ("rescaling", [1, 2], ((4, 3),), "2 numbers do not fit the last axis of (4, 3)", "scale"),
    (
        "normalization",
        {"mean": [1, 2], "variance": [1, 2]},
        ((4, 3),),
        "2 means do not fit axis 2 of (4, 3)",
        "mean",
    ),
    ("normalization", None, ((4, None),), "must know the size of axis 2", "axis"),
)


@pytest.mark.parametrize(("key", "arguments", "shapes", "message", "field"), REFUSED)
def test_refused(
    key: str, arguments: Any, shapes: tuple[Shape, ...], message: str, field: str | None
) -> None:
    (case,) = of(key, (arguments, shapes))
    with pytest.raises(ShapeError) as caught:
        case.layer().output_shape(shapes)
    assert message in caught.value.message
    assert caught.value.field == field
    assert field is None or field in type(case.layer()).model_fields


@pytest.mark.parametrize(
    ("key", "arguments", "shapes", "expected"),
    [
        ("dense", 5, (("time", 4),), ("time", 5)),
        ("conv1d", CONV | {"padding": "causal"}, (("time", 4),), ("time", 6)),
        ("conv1d", CONV, (("time", 4),), (None, 6)),
        ("conv1d", {"filters": 6, "kernel_size": 1}, (("time", 4),), ("time", 6)),
        ("max_pooling1d", 2, (("time", 4),), (None, 4)),
        ("flatten", None, (("time",),), ("time",)),
        ("flatten", None, (("time", 4),), (None,)),
        ("reshape", [-1, 2, 2], (("time", 4),), ("time", 2, 2)),
        ("reshape", [-1, 8], (("time", 4),), (None, 8)),
        ("zero_padding1d", 0, (("time", 4),), ("time", 4)),
        ("cropping1d", [0, 1], (("time", 4),), (None, 4)),
        ("up_sampling1d", 1, (("time", 4),), ("time", 4)),
        ("conv1d_transpose", CONV | {"padding": "same"}, (("time", 4),), ("time", 6)),
        ("add", None, (("time", 4), ("time", 1)), ("time", 4)),
        ("add", None, (("time", 4), ("word", 4)), (None, 4)),
        ("multiply", None, (("time", 4), (4,)), ("time", 4)),
        ("concatenate", None, (("time", 4), ("time", 3)), ("time", 7)),
        ("global_average_pooling1d", {"keepdims": True}, (("time", 4),), (1, 4)),
        ("permute", [2, 1], (("time", 4),), (4, "time")),
        ("lstm", {"units": 5, "return_sequences": True}, (("time", 4),), ("time", 5)),
        ("embedding", {"input_dim": 9, "output_dim": 4}, (("time",),), ("time", 4)),
        ("multi_head_attention", HEADS, (("time", 4), ("word", 4)), ("time", 4)),
        ("attention", None, (("time", 4), ("word", 4), ("word", 4)), ("time", 4)),
        ("time_distributed", {"layer": {"dense": 5}}, (("time", 4),), ("time", 5)),
        (
            "bidirectional",
            {"layer": {"gru": {"units": 5, "return_sequences": True}}},
            (("time", 4),),
            ("time", 10),
        ),
        ("einsum_dense", EINSUM, (("time", 4),), ("time", 6)),
        ("masking", None, (("time", 4),), ("time", 4)),
    ],
)
def test_names_of_sizes(
    key: str, arguments: Any, shapes: tuple[Shape, ...], expected: Shape
) -> None:
    (case,) = of(key, (arguments, shapes))
    assert case.layer().output_shape(shapes) == expected
