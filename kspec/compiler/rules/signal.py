"""Rules for Fourier transforms, as products with matrices of sines and cosines. A complex tensor is
a pair of real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops as kops
from keras.src.ops import math as kmath

from kspec.compiler.ir import Array, Value
from kspec.compiler.rules.arithmetic import as_float
from kspec.compiler.rules.indexing import picked
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: signals")

Pair = tuple[Any, Any]


def waves(rows: int, columns: int, period: int) -> tuple[Array, Array]:
    """cos and -sin of 2π · row · column / period; the product is reduced modulo the period first,
    for the precision of long transforms"""
    angle = 2 * np.pi * (np.outer(np.arange(rows), np.arange(columns)) % period) / period
    return np.cos(angle).astype(np.float32), -np.sin(angle).astype(np.float32)


def transform(x: Pair, axis: int) -> Pair:
    """The discrete Fourier transform along the last axis, or the second to last"""
    real, imaginary = x
    size = real.shape[axis]
    cos, sin = waves(size, size, size)

    def times(x: Any, matrix: Array) -> Any:
        return kops.matmul(x, matrix) if axis == -1 else kops.matmul(matrix, x)

    return (
        times(real, cos) - times(imaginary, sin),
        times(real, sin) + times(imaginary, cos),
    )


def transform_2d(x: Pair) -> Pair:
    return transform(transform(x, -1), -2)


def inverse_2d(x: Pair) -> Pair:
    """The conjugate of the transform of the conjugate, divided by the number of elements"""
    real, imaginary = transform_2d((x[0], -x[1]))
    count = float(real.shape[-1] * real.shape[-2])
    return real / count, -imaginary / count


def fitted(x: Any, size: int) -> Any:
    """Cut the last axis to a size, or pad it with zeros."""
    have = x.shape[-1]
    if have > size:
        return x[..., :size]
    widths = [(0, 0)] * (len(x.shape) - 1)
    return kops.pad(x, [*widths, (0, size - have)]) if have < size else x


def real_transform(x: Any, size: int) -> Pair:
    """The first half of the spectrum, which determines the other half"""
    cos, sin = waves(size, size // 2 + 1, size)
    x = fitted(x, size)
    return kops.matmul(x, cos), kops.matmul(x, sin)


def inverse_real(x: Pair, size: int) -> Any:
    """The signal of a half spectrum: each frequency counts twice, except the first and, for an even
    size, the last"""
    half = size // 2 + 1
    cos, sin = waves(half, size, size)
    twice = np.full((half, 1), 2.0, np.float32)
    twice[0] = 1.0
    if size % 2 == 0:
        twice[-1] = 1.0
    real, imaginary = (fitted(each, half) for each in x)
    return kops.matmul(real, cos * twice / size) + kops.matmul(imaginary, sin * twice / size)


def _pair(tracer: Tracer, given: Any) -> list[Value]:
    return [as_float(tracer, each) for each in given]


@rules(kmath.FFT)
def fft(tracer: Tracer, _op: Any, x: Any) -> Any:
    return tracer.record(lambda *pair: transform(pair, -1), *_pair(tracer, x))


@rules(kmath.FFT2, kmath.IFFT2)
def fft2(tracer: Tracer, op: Any, x: Any) -> Any:
    formula = transform_2d if isinstance(op, kmath.FFT2) else inverse_2d
    return tracer.record(lambda *pair: formula(pair), *_pair(tracer, x))


@rules(kmath.RFFT)
def rfft(tracer: Tracer, op: Any, x: Any) -> Any:
    def formula(x: Any) -> Pair:
        return real_transform(x, op.fft_length or x.shape[-1])

    return tracer.record(formula, as_float(tracer, x))


@rules(kmath.IRFFT)
def irfft(tracer: Tracer, op: Any, x: Any) -> Any:
    def formula(*pair: Any) -> Any:
        return inverse_real((pair[0], pair[1]), op.fft_length or 2 * (pair[0].shape[-1] - 1))

    return tracer.record(formula, *_pair(tracer, x))


@rules(kmath.ExtractSequences)
def extract_sequences(tracer: Tracer, op: Any, x: Any) -> Value:
    """(…, time) → (…, frames, length), by a gather"""
    value = tracer.value(x)
    size = value.shape[-1]
    if not isinstance(size, int):
        raise tracer.error(f"sequences of a time {size}: it must be known")
    count = max(0, 1 + (size - op.sequence_length) // op.sequence_stride)
    starts = np.arange(count) * op.sequence_stride
    places = starts[:, None] + np.arange(op.sequence_length)[None, :]
    return picked(tracer, value, places, value.type.rank - 1)


def window_of(op: Any) -> Array | None:
    """Return the window of a short-time transform, padded with zeros on both sides."""
    size = op.sequence_length
    before = (op.fft_length - size) // 2
    if op.window is None:
        return None
    if isinstance(op.window, str):
        angle = 2 * np.pi * np.arange(size) / size
        low = {"hann": 0.5, "hamming": 0.54}[op.window]
        window = low - (1 - low) * np.cos(angle)
    else:
        window = np.asarray(op.window)
    ends = (before, op.fft_length - size - before)
    return np.pad(window, ends).astype(np.float32)


@rules(kmath.STFT)
def stft(tracer: Tracer, op: Any, x: Any) -> Any:
    """The spectra of overlapping frames, each multiplied by the window"""
    window = window_of(op)

    def formula(x: Any) -> Pair:
        if op.center:
            ends = [(0, 0)] * (len(x.shape) - 1) + [(op.fft_length // 2,) * 2]
            x = kops.pad(x, ends, mode="reflect")
        frames = kops.extract_sequences(x, op.fft_length, op.sequence_stride)
        cos, sin = waves(op.fft_length, op.fft_length // 2 + 1, op.fft_length)
        if window is not None:  # the window is part of the matrices
            cos, sin = cos * window[:, None], sin * window[:, None]
        return kops.matmul(frames, cos), kops.matmul(frames, sin)

    return tracer.record(formula, as_float(tracer, x))


@rules(kmath.ISTFT)
def istft(tracer: Tracer, op: Any, x: Any) -> Any:
    """The inverse frames, multiplied by the synthesis window and added where they overlap"""
    size, stride = op.fft_length, op.sequence_stride
    window = window_of(op)
    if window is not None:
        power = np.zeros(-(-size // stride) * stride)
        power[:size] = window.astype(np.float64) ** 2
        total = np.tile(power.reshape(-1, stride).sum(0), len(power) // stride)[:size]
        window = (window / total).astype(np.float32)

    def formula(*pair: Any) -> Any:
        frames = inverse_real((pair[0], pair[1]), size)
        if window is not None:
            frames = frames * window
        count = frames.shape[-2]
        lead = tuple(frames.shape[:-2])
        flat = kops.reshape(frames, (-1, count, size))
        result = overlapped(flat, stride)
        start = size // 2 if op.center else 0
        stop = size + stride * (count - 1)
        if op.length is not None:
            stop = start + op.length
        elif op.center:
            stop -= size // 2
        result = result[:, start:stop]
        return kops.reshape(result, (*(-1 if n is None else n for n in lead), result.shape[-1]))

    return tracer.record(formula, *_pair(tracer, x))


def overlapped(frames: Any, stride: int) -> Any:
    """(rows, frames, size) → (rows, time): cut each frame into parts as long as the stride; join
    the first parts, shift the joined second parts by one stride, and so on; add them all."""
    _, count, size = frames.shape
    parts = -(-size // stride)
    if parts * stride != size:
        frames = kops.pad(frames, ((0, 0), (0, 0), (0, parts * stride - size)))
    total = 0.0
    for part in range(parts):
        row = frames[:, :, part * stride : (part + 1) * stride]
        total = total + kops.pad(row, ((0, 0), (part, parts - 1 - part), (0, 0)))
    flat = kops.reshape(total, (-1, (count + parts - 1) * stride))
    return flat[:, : size + stride * (count - 1)]
