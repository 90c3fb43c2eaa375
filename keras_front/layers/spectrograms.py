"""Spectrograms: which frequencies sound when, from signals; by kernels that may be trained, or on the mel scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.backend.ops.arrangement import shape_only
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS
from keras_front.graph.tracking import check_room
from keras_front.initializers import STFT
from keras_front.ops import signals
from keras_front.utils import conv_utils

from .arguments import CHOICE, DataFormat, Flag, Kept, NotNegative, Number, Positive
from .base import Layer, LayerArguments

Mode = Annotated[Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"], CHOICE]

_HERTZ_OF_BREAK, _MELS_OF_E = 700.0, 1127.0  # the mel scale of HTK: 1127 * log(1 + hertz / 700)


@LAYERS.register()
class STFTSpectrogram(Layer):
    """Short-time Fourier transforms of signals, as a convolution whose kernels may be trained.

    Args:
        mode: what is given for each frequency: 'magnitude'; 'log', its natural logarithm; 'psd', the power density, in
            which all frequencies but the first and last count twice, for their negatives; the 'real' or 'imag'inary
            part; 'angle' in radians; or 'stft', the real parts and then the imaginary ones.
        frame_length: samples of a frame.
        frame_step: samples from one frame to the next, at most `frame_length`; None for half of it.
        fft_length: points of a transform, at least `frame_length`; None for the next power of 2.
        window: factors of the samples of a frame: 'hann', 'hamming' or another name of `scipy.signal.windows`, an
            array, or None for ones.
        periodic: whether the window is made for spectra, without its last sample, and not for filters.
        scaling: the window is divided by its norm ('density') or its sum ('spectrum'); None: it is not.
        padding: 'valid' or 'same', as in `Conv1D`.
        expand_dims: whether frequencies get an axis of their own, for layers of images.
        data_format: where the channels of a signal are: 'channels_last' or 'channels_first'; None for the configured
            default.

    Shape: (batch, samples, channels) -> (batch, frames, channels * bins), with `expand_dims` (batch, frames, bins,
        channels); channels first: (batch, channels * bins, frames) and (batch, channels, frames, bins). There are
        `fft_length // 2 + 1` bins, twice as many of 'stft'.
    Weights: real_kernel and imag_kernel, (frame_length, 1, bins), those that the mode needs.
    Raises: ArgumentError for arguments that do not go together.
    Source: Keras 3.15, `layers/preprocessing/stft_spectrogram.py`.
    Example:
        >>> STFTSpectrogram("magnitude", frame_length=8)(np.ones((1, 20, 1))).shape
        (1, 4, 5)
    """

    def __init__(
        self,
        mode: Mode = "log",
        frame_length: Positive = 256,
        frame_step: Positive | None = None,
        fft_length: Positive | None = None,
        window: Kept = "hann",
        periodic: Flag = False,
        scaling: Annotated[Literal["density", "spectrum"], CHOICE] | None = "density",
        padding: Annotated[Literal["valid", "same"], CHOICE] = "valid",
        expand_dims: Flag = False,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if frame_step is not None and frame_step > frame_length:
            raise ArgumentError(
                f"STFTSpectrogram: expected a frame_step of at most frame_length={frame_length}, received {frame_step}."
            )
        if fft_length is not None and fft_length < frame_length:
            raise ArgumentError(
                f"STFTSpectrogram: expected an fft_length of at least frame_length={frame_length}, received "
                f"{fft_length}."
            )

    @property
    def _step(self) -> int:
        return int(self.frame_step or max(self.frame_length // 2, 1))

    @property
    def _bins(self) -> int:
        return int(self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))) // 2 + 1

    @property
    def _parts(self) -> Sequence[Literal["real", "imag"]]:
        parts: tuple[Literal["real", "imag"], ...] = ("real", "imag")
        return [part for part in parts if self.mode == part] or parts

    def build(self, input_shape: Any) -> None:
        for part in self._parts:
            initializer = STFT(part, self.window, self.scaling, self.periodic)
            shape = (self.frame_length, 1, self._bins)
            setattr(self, f"{part}_kernel", self.add_weight(f"{part}_kernel", shape, initializer=initializer))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *rest = input_shape
        samples, channels = rest[::-1] if self.data_format == "channels_first" else rest
        frames = conv_utils.conv_output_length(samples, self.frame_length, self.padding, self._step)
        bins = self._bins * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, channels, frames, bins) if self._first else (batch, frames, bins, channels)
        joined = None if channels is None else channels * bins
        return (batch, joined, frames) if self._first else (batch, frames, joined)

    @property
    def _first(self) -> bool:
        return bool(self.data_format == "channels_first")

    def call(self, inputs: Any) -> Any:
        """The spectra.

        Args:
            inputs: signals.
        """
        x = K.permute_dimensions(inputs, (0, 2, 1)) if self._first else inputs
        channels = K.int_shape(x)[-1]
        found = [self._spectrum(x[:, :, i : i + 1]) for i in range(channels)]
        if self.expand_dims:
            return K.stack(found, axis=1 if self._first else 3)
        joined = found[0] if channels == 1 else K.concatenate(found, axis=-1)
        return K.permute_dimensions(joined, (0, 2, 1)) if self._first else joined

    def _spectrum(self, x: Any) -> Any:
        """The spectra of one channel, (batch, frames, bins)."""
        parts = [
            K.conv1d(x, getattr(self, f"{part}_kernel"), strides=self._step, padding=self.padding,
                     data_format="channels_last")
            for part in self._parts
        ]  # fmt: skip
        if len(parts) == 1:
            return parts[0]
        return _OF_PARTS[self.mode](*parts)


def _magnitude(real: Any, imag: Any) -> Any:
    return K.sqrt(K.maximum(K.square(real) + K.square(imag), K.epsilon()))


def _density(real: Any, imag: Any) -> Any:
    bins = K.int_shape(real)[-1]
    twice = np.where((np.arange(bins) > 0) & (np.arange(bins) < bins - 1), 2.0, 1.0)
    return (K.square(real) + K.square(imag)) * K.constant(twice, K.dtype(real))


_OF_PARTS = {
    "magnitude": _magnitude,
    "log": lambda real, imag: K.log(_magnitude(real, imag)),
    "psd": _density,
    "angle": lambda real, imag: K.arctan2(imag, real),
    "stft": lambda real, imag: K.concatenate([real, imag], axis=-1),
}


def mel_weights(bins: int, mels: int, sampling_rate: float, lowest: float, highest: float) -> np.ndarray:
    """How much of each frequency belongs to each band of the mel scale: overlapping triangles.

    Args:
        bins: number of frequencies, from 0 to half the sampling rate.
        mels: number of bands.
        sampling_rate: samples a second.
        lowest: lower edge of the first band, in hertz.
        highest: upper edge of the last band, in hertz.

    Returns: an array (bins, mels); the frequency 0 belongs to no band.
    Source: Young et al., The HTK Book, section 5.4; TensorFlow, `tf.signal.linear_to_mel_weight_matrix`.
    Example:
        >>> mel_weights(5, 2, 8.0, 0.5, 4.0).round(2).tolist()
        [[0.0, 0.0], [0.43, 0.0], [0.71, 0.29], [0.0, 0.86], [0.0, 0.0]]
    """
    hertz = np.linspace(0.0, sampling_rate / 2, bins)[1:, None]
    found = _MELS_OF_E * np.log1p(hertz / _HERTZ_OF_BREAK)
    low, high = _MELS_OF_E * np.log1p(np.array([lowest, highest]) / _HERTZ_OF_BREAK)
    edges = np.linspace(low, high, mels + 2)
    rising = (found - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - found) / (edges[2:] - edges[1:-1])
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), ((1, 0), (0, 0)))


@LAYERS.register()
class MelSpectrogram(Layer):
    """Spectrograms of signals in bands that lie as people hear: on the mel scale, in decibels.

    Args:
        fft_length: points of a transform.
        sequence_stride: samples from one frame to the next.
        sequence_length: samples of a frame that the window covers; None for `fft_length`.
        window: 'hann', 'hamming', an array of `sequence_length`, or None for ones.
        sampling_rate: samples a second.
        num_mel_bins: number of bands.
        min_freq: lower edge of the first band, in hertz.
        max_freq: upper edge of the last band, in hertz; None for half the sampling rate.
        power_to_db: whether the result is in decibels.
        top_db: what lies more decibels below the largest number of the batch is lifted to that.
        mag_exp: exponent of magnitudes: 1 for these, 2 for power.
        min_power: power below which nothing is told apart.
        ref_power: the power of 0 decibels.

    Shape: (batch, samples) -> (batch, num_mel_bins, frames), or the same without a batch; there are
        `samples // sequence_stride + 1` frames, centred on their samples, and signals are mirrored at their ends.
    Raises: ArgumentError for edges in the wrong order; ShapeError for signals of other axes.
    Source: Keras 3.15, `layers/preprocessing/mel_spectrogram.py`.
    Example:
        >>> MelSpectrogram(fft_length=16, sequence_stride=4, num_mel_bins=3)(np.ones((2, 20))).shape
        (2, 3, 6)
    """

    _casts_inputs = True

    def __init__(
        self,
        fft_length: Positive = 2048,
        sequence_stride: Positive = 512,
        sequence_length: Positive | None = None,
        window: Kept = "hann",
        sampling_rate: Positive = 16000,
        num_mel_bins: Positive = 128,
        min_freq: NotNegative = 20.0,
        max_freq: NotNegative | None = None,
        power_to_db: Flag = True,
        top_db: Number = 80.0,
        mag_exp: Number = 2.0,
        min_power: Number = 1e-10,
        ref_power: Number = 1.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if not min_freq < self._highest:
            raise ArgumentError(
                f"MelSpectrogram: expected a min_freq below max_freq={self._highest} hertz, received {min_freq}."
            )

    @property
    def _highest(self) -> float:
        return float(self.sampling_rate / 2 if self.max_freq is None else self.max_freq)

    def compute_output_shape(self, input_shape: Any) -> Any:
        samples = input_shape[-1]
        return (*input_shape[:-1], self.num_mel_bins, None if samples is None else samples // self.sequence_stride + 1)

    def call(self, inputs: Any) -> Any:
        """The spectrograms.

        Args:
            inputs: signals.
        """
        if K.ndim(inputs) not in (1, 2):
            raise ShapeError(
                f"{self.name}: expected signals of shape (samples,) or (batch, samples), received "
                f"{K.int_shape(inputs)}. Take the axis of channels off."
            )
        if K.int_shape(inputs)[-1] is None:
            return shape_only(
                inputs, self.compute_output_shape(K.int_shape(inputs)), K.dtype(inputs), type(self).__name__
            )
        length = self.sequence_length or self.fft_length
        check_room(self.name, [(self.fft_length,), (self.fft_length // 2 + 1, self.num_mel_bins)], "float64")
        real, imag = signals.stft(inputs, length, self.sequence_stride, self.fft_length, self.window)
        weights = mel_weights(
            self.fft_length // 2 + 1, self.num_mel_bins, self.sampling_rate, self.min_freq, self._highest
        )
        found = K.dot(self._magnitudes(real, imag), K.constant(weights, K.dtype(inputs)))
        return self._decibels(K.permute_dimensions(found, (0, 2, 1) if K.ndim(found) == 3 else (1, 0)))

    def _magnitudes(self, real: Any, imag: Any) -> Any:
        power = K.square(real) + K.square(imag)
        return power if self.mag_exp == 2 else K.pow(power, self.mag_exp / 2)

    def _decibels(self, power: Any) -> Any:
        if not self.power_to_db:
            return power
        found = K.log(K.maximum(power, self.min_power)) * (10 / math.log(10))
        found = found - 10 * math.log10(max(self.ref_power, self.min_power))
        none = K.constant([-math.inf], K.dtype(found))  # the batch may be empty
        return K.maximum(found, K.max(K.concatenate([K.flatten(found), none], axis=0)) - self.top_db)
