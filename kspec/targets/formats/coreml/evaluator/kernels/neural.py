"""Neural network operations, channels first: (batch, channels, …spatial).

Windows are computed tap by tap: the elements under one position of the window, for all placements
of the window, are a strided slice of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from kspec.compiler.ir import Array
from kspec.targets.formats.coreml.evaluator.errors import PackageError
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel


def _pairs(pad: Array, pad_type: str) -> list[tuple[int, int]]:
    if pad_type != "custom":
        raise NotImplementedError(f"padding {pad_type}")
    return [(int(low), int(high)) for low, high in pad.reshape(-1, 2)]


def _around(
    x: Array, pad: Array | None, pad_type: str, reach: list[int], strides: Array
) -> list[tuple[int, int]]:
    """Return the padding of each axis. `same` yields ⌈size / stride⌉ positions; the odd element is
    added after."""
    if pad_type != "same":
        assert pad is not None
        return [(0, 0), (0, 0), *_pairs(pad, pad_type)]
    rows = zip(x.shape[2:], reach, strides.tolist(), strict=True)
    totals = [max((-(-size // step) - 1) * step + k - size, 0) for size, k, step in rows]
    return [(0, 0), (0, 0), *((total // 2, total - total // 2) for total in totals)]


def _counts(sizes: list[int], window: list[int], strides: list[int]) -> list[int]:
    rows = zip(sizes, window, strides, strict=True)
    return [(size - reach) // stride + 1 for size, reach, stride in rows]


def _taps(
    x: Array, window: tuple[int, ...], strides: Array, dilations: Array
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield each position of the window with the elements under it, (batch, channels,
    …positions)."""
    steps, gaps = strides.tolist(), dilations.tolist()
    reach = [(k - 1) * gap + 1 for k, gap in zip(window, gaps, strict=True)]
    counts = _counts(list(x.shape[2:]), reach, steps)
    for tap in product(*map(range, window)):
        starts = [place * gap for place, gap in zip(tap, gaps, strict=True)]
        rows = zip(starts, counts, steps, strict=True)
        spatial = (slice(s, s + (n - 1) * step + 1, step) for s, n, step in rows)
        yield tap, x[(slice(None), slice(None), *spatial)]


def _conv(
    x: Array,
    weight: Array,
    strides: Array,
    pad_type: str,
    dilations: Array,
    groups: Array,
    pad: Array | None = None,
    bias: Array | None = None,
) -> Array:
    """Compute a convolution; ``weight`` is (filters, channels / groups, …window)."""
    batch, channels, count = x.shape[0], x.shape[1], int(groups)
    filters, depth, *window = weight.shape
    if depth * count != channels:
        raise PackageError(f"a kernel of {depth} channels in {count} groups over {channels}")
    reach = [(k - 1) * gap + 1 for k, gap in zip(window, dilations.tolist(), strict=True)]
    padded = np.pad(x, _around(x, pad, pad_type, reach, strides))
    kernel = weight.reshape(count, filters // count, depth, *window)
    total: Array | None = None
    for tap, under in _taps(padded, tuple(window), strides, dilations):
        positions = under.shape[2:]
        part = _tap_product(under.reshape(batch, count, depth, -1), _at(kernel, tap))
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    result = total.reshape(batch, filters, *positions)
    return result if bias is None else result + bias.reshape(-1, *[1] * len(window))


def _at(kernel: Array, tap: tuple[int, ...]) -> Array:
    """Return the kernel at one position of the window; the window spans its last axes."""
    return kernel.reshape(*kernel.shape[: -len(tap)], -1)[
        ..., np.ravel_multi_index(tap, kernel.shape[-len(tap) :])
    ]


def _tap_product(under: Array, kernel: Array) -> Array:
    """Multiply (batch, groups, depth, positions) by (groups, filters, depth)."""
    if kernel.shape[1:] == (1, 1):
        return under * kernel
    return kernel @ under


def _conv_transpose(
    x: Array,
    weight: Array,
    strides: Array,
    pad_type: str,
    pad: Array,
    dilations: Array,
    groups: Array,
    bias: Array | None = None,
) -> Array:
    """Compute a transposed convolution; ``weight`` is (channels, filters, …window). Each input
    element adds the kernel, scaled by the element, at its position times the stride; the padding
    is then cropped."""
    if int(groups) != 1:
        raise NotImplementedError("a transposed convolution in groups")
    batch, channels, *spatial = x.shape
    _, filters, *window = weight.shape
    rows = zip(spatial, window, strides.tolist(), dilations.tolist(), strict=True)
    full = np.zeros(
        (batch, filters, *((n - 1) * s + (k - 1) * d + 1 for n, k, s, d in rows)), x.dtype
    )
    flat, pairs = x.reshape(batch, channels, -1), _pairs(pad, pad_type)
    for tap, place in _taps(full, tuple(window), strides, dilations):
        scaled = _at(weight, tap).T @ flat
        np.add(place, scaled.reshape(batch, filters, *spatial), out=place)
    cuts = (slice(low, n - high) for n, (low, high) in zip(full.shape[2:], pairs, strict=True))
    result = full[(slice(None), slice(None), *cuts)]
    return result if bias is None else result + bias.reshape(-1, *[1] * len(window))


def _max_pool(
    x: Array,
    kernel_sizes: Array,
    strides: Array,
    pad_type: str,
    ceil_mode: Array,
    pad: Array | None = None,
) -> Array:
    pairs = _around(x, pad, pad_type, kernel_sizes.tolist(), strides)
    padded = np.pad(x, pairs, constant_values=-np.inf)
    return _pooled(padded, kernel_sizes, strides, ceil_mode, np.maximum)


def _avg_pool(
    x: Array,
    kernel_sizes: Array,
    strides: Array,
    pad_type: str,
    ceil_mode: Array,
    exclude_padding_from_average: Array,
    pad: Array | None = None,
) -> Array:
    pairs = _around(x, pad, pad_type, kernel_sizes.tolist(), strides)
    inside = np.pad(np.ones((1, 1, *x.shape[2:]), x.dtype), pairs)
    total = _pooled(np.pad(x, pairs), kernel_sizes, strides, ceil_mode, np.add)
    if not exclude_padding_from_average:
        return total / np.float32(kernel_sizes.prod())
    return total / _pooled(inside, kernel_sizes, strides, ceil_mode, np.add)


def _pooled(x: Array, window: Array, strides: Array, ceil_mode: Array, merge: np.ufunc) -> Array:
    if ceil_mode:
        raise NotImplementedError("pooling that rounds up")
    taps = (under for _, under in _taps(x, tuple(window), strides, np.ones_like(strides)))
    total = next(taps).copy()
    for under in taps:
        merge(total, under, out=total)
    return total


def _layer_norm(x: Array, axes: Array, gamma: Array, beta: Array, epsilon: Array) -> Array:
    over = tuple(axes.tolist())
    centred = x - x.mean(over, keepdims=True)
    variance = np.square(centred).mean(over, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * gamma + beta


def _softmax(x: Array, axis: Array) -> Array:
    powers = np.exp(x - x.max(int(axis), keepdims=True))
    return powers / powers.sum(int(axis), keepdims=True)


def _matmul(x: Array, y: Array, transpose_x: Array, transpose_y: Array) -> Array:
    if transpose_x or transpose_y:
        raise NotImplementedError("a product of transposed matrices")
    return x @ y


def _linear(x: Array, weight: Array, bias: Array) -> Array:
    if x.ndim > 3:
        raise PackageError("Core ML's linear takes tensors of rank 3 at most")
    return x @ weight.T + bias


def _resize_bilinear(
    x: Array, target_size_height: Array, target_size_width: Array, sampling_mode: str
) -> Array:
    """Resize with half-pixel centres: grid point i is (i + 0.5) · before / after - 0.5, clipped to
    the input."""
    if sampling_mode != "UNALIGN_CORNERS":
        raise NotImplementedError(sampling_mode)
    for axis, after in ((-2, int(target_size_height)), (-1, int(target_size_width))):
        before = x.shape[axis]
        spacing = before / after
        grid = np.clip(np.arange(after) * spacing + 0.5 * spacing - 0.5, 0, before - 1)
        low = np.floor(grid).astype(int)
        share = (grid - low).astype(x.dtype)
        share = share[:, None] if axis == -2 else share
        upper = np.take(x, np.minimum(low + 1, before - 1), axis)
        x = np.take(x, low, axis) * (1 - share) + upper * share
    return x


def _upsample_nearest(x: Array, scale_factor_height: Array, scale_factor_width: Array) -> Array:
    for axis, factor in ((-2, int(scale_factor_height)), (-1, int(scale_factor_width))):
        x = np.take(x, np.arange(x.shape[axis] * factor) // factor, axis)
    return x


KERNELS: dict[str, Kernel] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "layer_norm": _layer_norm,
    "softmax": _softmax,
    "matmul": _matmul,
    "linear": _linear,
    "resize_bilinear": _resize_bilinear,
    "upsample_nearest_neighbor": _upsample_nearest,
}
