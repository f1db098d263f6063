"""Convolutions, pooling and resizing, in either layout of channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Shape
from kspec.compiler.ops.neural import Channels
from tests.graphs.builder import Builder, Domain, GraphCase, single

_STILL = {
    rank: {
        "strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "channels": "last",
        "dilations": (1,) * rank,
    }
    for rank in (1, 2, 3)
}
_SPATIAL = {1: (9,), 2: (7, 6), 3: (5, 4, 5)}

# rank, input channels, window, filters, fields other than those of a plain convolution
_CONVS: dict[str, tuple[int, int, tuple[int, ...], int, dict[str, Any]]] = {
    "1d": (1, 3, (3,), 4, {}),
    "1d-causal": (1, 3, (3,), 4, {"padding": ((4, 0),), "dilations": (2,)}),
    "1d-strides": (1, 3, (4,), 2, {"strides": (3,), "padding": ((1, 2),)}),
    "1d-ceiling": (1, 3, (4,), 2, {"strides": (3,), "padding": "same"}),
    "1d-depthwise": (1, 3, (3,), 3, {"groups": 3, "padding": ((1, 1),)}),
    "2d": (2, 3, (3, 2), 4, {}),
    "2d-pointwise": (2, 3, (1, 1), 5, {}),
    "2d-pointwise-strides": (2, 3, (1, 1), 5, {"strides": (2, 2)}),
    "2d-same": (2, 3, (3, 3), 4, {"padding": ((1, 1), (1, 1))}),
    "2d-strides": (2, 3, (3, 3), 4, {"strides": (2, 3), "padding": ((1, 1), (1, 1))}),
    "2d-asymmetric": (2, 3, (3, 3), 4, {"strides": (2, 2), "padding": ((0, 1), (0, 1))}),
    "2d-ceiling": (2, 3, (3, 2), 4, {"strides": (2, 3), "padding": "same"}),
    "2d-lopsided": (2, 3, (3, 3), 4, {"padding": ((2, 0), (0, 3))}),
    "2d-dilations": (2, 3, (3, 2), 4, {"dilations": (2, 3), "padding": ((2, 2), (1, 2))}),
    "2d-groups": (2, 4, (3, 3), 6, {"groups": 2}),
    "2d-groups-strides": (2, 6, (3, 3), 6, {"groups": 3, "strides": (2, 2)}),
    "2d-depthwise": (2, 4, (3, 3), 4, {"groups": 4, "padding": ((1, 1), (1, 1))}),
    "2d-depthwise-multiplier": (2, 3, (3, 3), 6, {"groups": 3}),
    "2d-depthwise-strides": (
        2,
        4,
        (3, 3),
        4,
        {"groups": 4, "strides": (2, 2), "padding": ((0, 1), (0, 1))},
    ),
    "2d-depthwise-ceiling": (
        2,
        4,
        (3, 3),
        4,
        {"groups": 4, "strides": (2, 2), "padding": "same"},
    ),
    "2d-depthwise-dilations": (
        2,
        4,
        (3, 3),
        4,
        {"groups": 4, "dilations": (2, 2), "padding": ((2, 2), (2, 2))},
    ),
    "2d-relu": (2, 3, (3, 3), 4, {"activation": "relu"}),
    "2d-relu6": (2, 3, (3, 3), 4, {"activation": "relu6"}),
    "2d-depthwise-relu6": (2, 4, (3, 3), 4, {"groups": 4, "activation": "relu6"}),
    "3d": (3, 2, (2, 3, 2), 3, {}),
    "3d-ceiling": (3, 2, (3, 3, 3), 3, {"strides": (2, 1, 2), "padding": "same"}),
    "3d-strides": (3, 2, (3, 3, 3), 3, {"strides": (2, 1, 2), "padding": ((1, 1),) * 3}),
}

_TRANSPOSED: dict[str, tuple[int, int, tuple[int, ...], int, dict[str, Any]]] = {
    "1d": (1, 3, (3,), 4, {}),
    "1d-same": (1, 3, (4,), 2, {"strides": (2,), "padding": ((1, 1),)}),
    "2d": (2, 3, (3, 2), 4, {}),
    "2d-strides": (2, 3, (3, 3), 4, {"strides": (2, 3)}),
    "2d-same": (2, 3, (3, 3), 4, {"strides": (2, 2), "padding": ((0, 1), (0, 1))}),
    "2d-same-even": (2, 3, (4, 4), 4, {"strides": (2, 2), "padding": ((1, 1), (1, 1))}),
    "2d-same-stride1": (2, 3, (3, 3), 4, {"padding": ((1, 1), (1, 1))}),
    "2d-wide-strides": (2, 3, (2, 2), 4, {"strides": (3, 3)}),
    "2d-output-padding": (
        2,
        3,
        (3, 3),
        4,
        {"strides": (2, 2), "padding": ((1, 1), (1, 1)), "output_padding": (1, 0)},
    ),
    "2d-dilations": (2, 3, (2, 3), 4, {"dilations": (2, 2)}),
    "3d": (3, 2, (2, 2, 2), 3, {"strides": (2, 2, 1)}),
}

_POOLS: dict[str, tuple[int, tuple[int, ...], dict[str, Any]]] = {
    "1d": (1, (2,), {"strides": (2,)}),
    "1d-same": (1, (2,), {"strides": (2,), "padding": ((0, 1),)}),
    "1d-ceiling": (1, (4,), {"strides": (2,), "padding": "same"}),
    "2d": (2, (2, 2), {"strides": (2, 2)}),
    "2d-same": (2, (3, 3), {"strides": (2, 2), "padding": ((1, 1), (0, 1))}),
    "2d-ceiling": (2, (3, 2), {"strides": (2, 2), "padding": "same"}),
    "2d-overlapping": (2, (3, 2), {"padding": ((1, 1), (0, 1))}),
    "2d-symmetric": (2, (3, 3), {"strides": (2, 2), "padding": ((1, 1), (1, 1))}),
    "3d": (3, (2, 2, 2), {"strides": (2, 2, 2)}),
    "3d-ceiling": (3, (2, 3, 2), {"strides": (2, 2, 2), "padding": "same"}),
    "3d-same": (3, (3, 3, 3), {"strides": (2, 2, 2), "padding": ((1, 1), (0, 1), (1, 1))}),
}

_RESIZES: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "double": ((4, 3), (8, 6)),
    "triple": ((3, 4), (9, 12)),
    "up": ((4, 5), (7, 6)),
    "down": ((8, 7), (4, 3)),
    "one-axis": ((6, 5), (12, 5)),
}


def convolutions(channels: Channels) -> Iterator[GraphCase]:
    for name, (rank, depth, window, filters, fields) in _CONVS.items():
        op = replace(ops.Conv(**{**_STILL[rank], **fields}), channels=channels)
        kernel = _kernel(channels, window, depth // op.groups, filters)
        image = _image(channels, _SPATIAL[rank], depth)
        yield _convolution(f"Conv-{name}", op, image, kernel, filters)
    op = ops.Conv(**{**_STILL[2], "channels": channels})
    image, kernel = _image(channels, (7, 6), 3), _kernel(channels, (3, 3), 3, 4)
    yield _convolution("Conv-2d-no-bias", op, image, kernel, None)
    for name, (rank, depth, window, filters, fields) in _TRANSPOSED.items():
        extra = {"output_padding": (0,) * rank, **fields, "channels": channels}
        transposed = ops.ConvTranspose(**{**_STILL[rank], **extra})
        kernel = _kernel(channels, window, filters, depth)
        image = _image(channels, _SPATIAL[rank], depth)
        bias = None if name == "2d" else filters
        yield _convolution(f"ConvTranspose-{name}", transposed, image, kernel, bias)


def pools(channels: Channels) -> Iterator[GraphCase]:
    for kind in (ops.MaxPool, ops.AveragePool):
        for name, (rank, window, fields) in _POOLS.items():
            still = {key: _STILL[rank][key] for key in ("strides", "padding")}
            op = kind(**{**still, **fields, "channels": channels, "window": window})
            image = _image(channels, _SPATIAL[rank], 3)
            case = f"{kind.__name__}-{name}{_suffix(channels)}"
            # Below zero throughout, a padding of zeros would win.
            yield single(case, op, *image, domain=Domain(-3.0, -1.0))


def resizes(channels: Channels) -> Iterator[GraphCase]:
    for name, (spatial, size) in _RESIZES.items():
        for interpolation in ("nearest", "bilinear"):
            op = ops.Resize(size, interpolation, channels)
            case = f"Resize-{interpolation}-{name}{_suffix(channels)}"
            yield single(case, op, *_image(channels, spatial, 3))


def _convolution(
    case: str, op: ops.Conv | ops.ConvTranspose, image: Shape, kernel: Shape, bias: int | None
) -> GraphCase:
    build = Builder(case + _suffix(op.channels))
    inputs = [build.input("x", *image), build.random("layer/kernel", *map(int, kernel))]
    if bias is not None:
        inputs.append(build.random("layer/bias", bias))
    return build.case(build.add("out", op, *inputs))


def _image(channels: Channels, spatial: tuple[Dim, ...], depth: int) -> Shape:
    return ("batch", *spatial, depth) if channels == "last" else ("batch", depth, *spatial)


def _kernel(channels: Channels, window: tuple[int, ...], inner: int, outer: int) -> Shape:
    return (*window, inner, outer) if channels == "last" else (outer, inner, *window)


def _suffix(channels: Channels) -> str:
    return "" if channels == "last" else "-channels-first"


CASES = (*convolutions("last"), *pools("last"), *resizes("last"))
CHANNELS_FIRST = (*convolutions("first"), *pools("first"), *resizes("first"))
