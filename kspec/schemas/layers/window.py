"""The shape rule of a window that slides over spatial axes: convolutions and pooling.

valid:          ⌊(size - extent) / stride⌋ + 1, extent = dilation · (kernel - 1) + 1
same, causal:   ⌈size / stride⌉
"""

from kspec.schemas.layers.base import Dim, Layer, ShapeError, times


def slide(
    layer: Layer,
    sizes: tuple[Dim, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    dilation: tuple[int, ...] | None = None,
) -> tuple[Dim, ...]:
    """Return the output sizes of a sliding window; raises `ShapeError` if the window does not
    fit."""
    extents = tuple(
        rate * (size - 1) + 1
        for size, rate in zip(window, dilation or (1,) * len(window), strict=True)
    )
    if padding == "valid":
        check_fit(layer, sizes, window, extents)
    return tuple(
        along(size, extent if padding == "valid" else 1, stride)
        for size, extent, stride in zip(sizes, extents, strides, strict=True)
    )


def along(size: Dim, extent: int, stride: int) -> Dim:
    """Return the number of positions of a window of this extent on an axis; a symbolic dimension
    keeps its name if its size does not change."""
    if isinstance(size, int):
        return (size - extent) // stride + 1
    return size if extent == stride == 1 else None


def check_fit(
    layer: Layer, sizes: tuple[Dim, ...], window: tuple[int, ...], extents: tuple[int, ...]
) -> None:
    """Refuse a window that is larger than the sizes that it slides over."""
    if all(not isinstance(s, int) or e <= s for s, e in zip(sizes, extents, strict=True)):
        return
    field = "pool_size" if "pool_size" in type(layer).model_fields else "kernel_size"
    what = f"{'window' if field == 'pool_size' else 'kernel'} {times(window)}"
    if extents != window:
        what += f" (dilated to {times(extents)})"
    raise ShapeError(
        f"{what} does not fit into {times(sizes)} with padding: valid", field, "use padding: same"
    )
