"""Spectra of signals."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import Layer, Shape, ShapeError, known, show
from kspec.schemas.values import Number, Positive
from kspec.schemas.weights import Above0, NonNegative

Window = Literal["hann", "hamming"]


class MelSpectrogram(Layer):
    """The mel spectrogram of a signal: bands × steps."""

    key: ClassVar[str] = "mel_spectrogram"

    fft_length: Positive = 2048
    """Size of the Fourier transform."""
    sequence_stride: Positive = 512
    """Samples between the starts of successive windows."""
    sequence_length: Positive | None = None
    """Samples in a window; by default `fft_length`."""
    window: Window = "hann"
    """Window function."""
    sampling_rate: Positive = 16000
    """Samples per second."""
    num_mel_bins: Positive = 128
    """Number of bands."""
    min_freq: NonNegative = 20.0
    """Lower end of the lowest band, in hertz."""
    max_freq: Above0 | None = None
    """Upper end of the highest band, in hertz; by default half of `sampling_rate`."""
    power_to_db: bool = True
    """Whether to convert to decibels."""
    top_db: Annotated[Number, Field(ge=0)] = 80.0
    """Dynamic range: decibels are clipped this far below the maximum of the whole batch."""
    mag_exp: Above0 = 2.0
    """Exponent of the magnitudes: 1 energy, 2 power."""
    min_power: Above0 = 1e-10
    """Least power before the logarithm; smaller values are clipped."""
    ref_power: Above0 = 1.0
    """Power of 0 decibels."""

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """Check that a window fits into the transform, and that the bands have a positive width."""
        if self.sequence_length is not None and self.sequence_length > self.fft_length:
            raise located(("sequence_length",), "sequence_length is above fft_length")
        if self.min_freq >= (self.max_freq or self.sampling_rate / 2):
            raise located(("min_freq",), "min_freq is not below max_freq")
        return self

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        if len(shape) != 1:
            raise ShapeError(f"{self.key} needs a vector of samples, found {show(shape)}")
        samples = known(self, shape)
        if samples <= self.fft_length // 2:
            message = f"half of fft_length {self.fft_length} is reflected at either end"
            raise ShapeError(f"{message}, which {samples} samples do not give", "fft_length")
        stride = self.sequence_stride
        return (self.num_mel_bins, (samples + stride + 1) // stride)

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        return {name: value for name, value in given.items() if value is not None}
