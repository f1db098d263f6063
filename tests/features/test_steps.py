"""Steps: a closed set, each with a reference that does what its docstring says."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image as Pillow

from kspec.features.cells import look_at_cell, read_cell
from kspec.features.kinds import golden_cell, host_steps
from kspec.features.pictures import golden_picture
from kspec.features.steps import (
    STEPS,
    DecodeImage,
    GraphStep,
    HostStep,
    Normalize,
    Resample,
    Rescale,
    ScalePixels,
)
from kspec.schemas.features import Image


def png(pixels: np.ndarray, **how: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG", **how)
    return stream.getvalue()


def line(values: np.ndarray, wanted: int, method: str) -> np.ndarray:
    """One line as the page says it, a value at a time."""
    size, found = len(values), []
    for i in range(wanted):
        p = (i + 0.5) * (size / wanted)
        if method == "nearest":
            found.append(float(values[min(int(np.floor(p)), size - 1)]))
            continue
        q = min(max(p - 0.5, 0.0), size - 1.0)
        k = int(np.floor(q))
        a, b = float(values[k]), float(values[min(k + 1, size - 1)])
        found.append(a + (b - a) * (q - k))
    return np.array(found)


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (5, 5), (9, 3), (31, 40)])
@pytest.mark.parametrize("wanted", [(1, 1), (5, 5), (8, 3)])
def test_resampling_is_the_published_rule(
    method: str, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 2), np.uint8)
    step = Resample(height=wanted[0], width=wanted[1], method=method)  # type: ignore[arg-type]
    found = step.apply(pixels)
    rows = np.apply_along_axis(line, 0, pixels, wanted[0], method)
    expected = np.apply_along_axis(line, 1, rows, wanted[1], method)
    assert found.dtype == np.float64
    assert found.flags.c_contiguous
    assert np.array_equal(found, expected)


def test_resampling_allocates_by_its_result_alone() -> None:
    pixels = np.zeros((3000, 4000, 3), np.uint8)
    step = Resample(height=8, width=8, method="bilinear")
    step.apply(pixels)
    tracemalloc.start()
    step.apply(pixels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_pixels_are_scaled_in_double_precision() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    found = ScalePixels(maximum=16.0).apply(pixels)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.float32([[[v * (16.0 / 255)] for v in range(256)]]))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_have_the_channels_of_the_step(channels: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 3, 4), np.uint8)
    found = DecodeImage(channels=channels).apply(png(pixels))
    r, g, b, a = (pixels[..., each].astype(int) for each in range(4))
    grey = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
    expected = {1: [grey], 2: [grey, a], 3: [r, g, b], 4: [r, g, b, a]}[channels]
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.stack(expected, axis=-1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright_before_their_size_is_judged(orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = png(np.zeros((2, 3, 3), np.uint8), exif=exif)
    height, width = (2, 3) if orientation < 5 else (3, 2)
    assert DecodeImage(channels=3, height=height, width=width).apply(content).shape[:2] == (
        height,
        width,
    )
    wrong = DecodeImage(channels=3, height=width, width=height)
    for judge in (wrong.apply, wrong.look):
        with pytest.raises(ValueError, match="pixels, the spec says"):
            judge(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", golden_picture(9, 9)[:200]],
)
def test_damage_has_a_reason(content: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_cell(content, Image(height=9, width=9))


def test_a_cell_becomes_the_shape_of_its_kind() -> None:
    for resize in (None, "nearest", "bilinear"):
        for maximum in (255.0, 1.0):
            kind = Image(height=4, width=5, channels=1, maximum=maximum, resize=resize)  # type: ignore[arg-type]
            suffix, content = golden_cell(kind) or ("", b"")
            assert suffix == ".png"
            look_at_cell(content, kind)
            found = read_cell(content, kind)
            assert found.shape == (4, 5, 1)
            assert 0.2 * maximum < found.max() <= maximum


def test_graph_steps_have_a_reference() -> None:
    rows = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)
    assert np.array_equal(Rescale(scale=0.5, offset=-1.0).apply(rows), rows * 0.5 - 1)
    mean, variance = rows.mean(axis=0), rows.var(axis=0)
    found = Normalize().apply(rows, mean, variance)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.var(axis=0), 1, rtol=1e-5)
    assert np.isfinite(Normalize().apply(rows, mean, np.zeros(3, np.float32))).all()


def test_the_set_is_closed_and_each_step_has_one_place() -> None:
    names = [each.model_fields["step"].default for each in STEPS]
    assert len(set(names)) == len(STEPS)
    for each in STEPS:
        place = each.model_fields["place"].default
        assert issubclass(each, {"host": HostStep, "graph": GraphStep}[place]), each
    kind = Image(height=2, width=2)
    assert all(isinstance(each, STEPS) for each in host_steps(kind))
