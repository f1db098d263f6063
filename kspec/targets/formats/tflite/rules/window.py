"""Windows of convolutions and pooling, and their padding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kspec.compiler.ir import Shape, Value
from kspec.compiler.ops.neural import Pairs, Windowed, same_padding
from kspec.targets.formats.tflite.builtins import Padding
from kspec.targets.formats.tflite.program import Emitter
from kspec.targets.formats.tflite.rules.shape import pad, reshape, sizes


@dataclass(frozen=True, slots=True)
class Window:
    """A window over the spatial axes of (batch, …spatial, channels)."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: Pairs

    @classmethod
    def of(
        cls, op: Windowed, x: Value, size: tuple[int, ...], dilations: tuple[int, ...] = ()
    ) -> Window:
        spread = dilations or (1,) * len(size)
        return cls(size, op.strides, spread, op.pads(x.shape[1:-1], size, spread))

    @property
    def reach(self) -> tuple[int, ...]:
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilations, strict=True))

    def flat(self) -> Window:
        """The window over two axes; a window over one axis gets a first axis of size 1."""
        if len(self.size) > 1:
            return self
        return Window(
            (1, *self.size), (1, *self.strides), (1, *self.dilations), ((0, 0), *self.padding)
        )

    def over(self, *axes: int) -> Window:
        """Return the window over some of its axes."""

        def pick(row: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(row[axis] for axis in axes)

        padding = tuple(self.padding[axis] for axis in axes)
        return Window(pick(self.size), pick(self.strides), pick(self.dilations), padding)

    def places(self, shape: Shape) -> tuple[int, ...]:
        """Return the number of window positions along each spatial axis of an input."""
        rows = zip(sizes(shape[1:-1]), self.reach, self.strides, self.padding, strict=True)
        return tuple((n + sum(ends) - reach) // s + 1 for n, reach, s, ends in rows)


def on_images(
    out: Emitter, x: Value, output: Value, apply: Callable[[Value, Value | None], Value]
) -> None:
    """Apply an operator to images, and to (batch, length, channels) as images of height 1."""
    if x.type.rank == 4:
        apply(x, output)
        return
    image = reshape(out, x, (x.shape[0], 1, *x.shape[1:]))
    reshape(out, apply(image, None), output.shape, output)


def placed(
    out: Emitter, x: Value, window: Window, value: float = 0.0
) -> tuple[Value, Window, Padding]:
    """Return the input, the window and the kernel's padding. Padding that is neither SAME nor VALID
    is applied to the input by a separate operator."""
    if not any(map(any, window.padding)):
        return x, window, Padding.valid
    if window.padding == same_padding(x.shape[1:-1], window.size, window.strides, window.dilations):
        return x, window, Padding.same
    low, high = ([0, *side, 0] for side in zip(*window.padding, strict=True))
    bare = replace(window, padding=((0, 0),) * len(window.size))
    return pad(out, x, low, high, value), bare, Padding.valid
