"""The recurrent part of a ConvLSTM.

It is that of an LSTM whose rows are the places of images and whose products are convolutions.
The gradient of the recurrent kernel is one convolution over all steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import convolution
from .recurrent import LSTM

LEADS = (2, 1, 1)  # axes before the images of outputs, h and c, and of z, h and c


class ConvLSTM(LSTM):
    """An LSTM over images: each place of an image is a row, and the products are convolutions."""

    def __init__(
        self, steps: int, h_shape: Sequence[int], kernel_shape: Sequence[int], dtype: Any, activation: str,
        recurrent_activation: str, data_format: str,
    ):  # fmt: skip
        self.channels_first = {"channels_first": True, "channels_last": False}[data_format]
        batch, *space = (h_shape[0], *h_shape[2:]) if self.channels_first else h_shape[:-1]
        filters, window = kernel_shape[-2], kernel_shape[:-2]
        self.places = math.prod(space)
        super().__init__(steps, batch * self.places, filters, dtype, activation, recurrent_activation)
        self.image, self.wide_image = (batch, *space, filters), (batch, *space, 4 * filters)
        self.kernel_shape = tuple(kernel_shape)
        ones, padding = (1,) * len(space), [((n - 1) // 2, n // 2) for n in window]
        self.how = (ones, padding, ones, 1, np.dtype(dtype).str)
        self.conv = convolution.plan_forward(self.image, self.kernel_shape, *self.how)
        self.wide = np.empty((math.prod(window) * filters, 4 * filters), dtype)
        self.kernel = self._split(self.wide)
        self.rows = np.empty((batch * self.places, 4 * filters), dtype)
        self.product = self._split(self.rows)

    def _more_back_memory(self) -> None:
        super()._more_back_memory()
        self.back = np.empty_like(self.wide)
        steps, batch = self.shape[0], self.image[0]
        every = (steps * batch, *self.image[1:])
        self.conv_input_gradient = convolution.plan_input_gradient(self.image, self.kernel_shape, *self.how)
        self.conv_kernel_gradient = convolution.plan_kernel_gradient(every, self.kernel_shape, *self.how)

    def _last(self, x: np.ndarray, lead: int) -> np.ndarray:
        """A view of images after `lead` axes (the batch is the last of them) with the channels at the end."""
        return np.moveaxis(x, lead, -1) if self.channels_first else x

    def _rows(self, x: np.ndarray, lead: int) -> np.ndarray:
        """Images as rows; a view, if the channels come last."""
        x = self._last(x, lead)
        return x.reshape(*x.shape[: lead - 1], -1, x.shape[-1])

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, *space, 4 filters), h, c, kernel, mask (steps, batch) or None; the results."""
        marks = None if args[4] is None else np.repeat(args[4], self.places, axis=1)
        given = [self._rows(t, lead) for t, lead in zip(args[:3], LEADS, strict=True)]
        rows = [self._rows(t, lead) for t, lead in zip(outs, LEADS, strict=True)]
        super().forward((*given, args[3].reshape(self.wide.shape), marks), rows)
        self._back_in_place(outs, rows)

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, c and kernel from those of the results; see `LSTM.backward`."""
        given = [self._rows(t, lead) for t, lead in zip(gs, LEADS, strict=True)]
        rows = [self._rows(t, lead) for t, lead in zip(outs, LEADS, strict=False)]
        kernels = [t.reshape(self.wide.shape) for t in (args[3], outs[3])]
        super().backward(given, (None, None, None, kernels[0]), (*rows, kernels[1]))
        self._back_in_place(outs, rows)

    def _back_in_place(self, outs: Sequence[Any], rows: Sequence[Any]) -> None:
        """With the channels first rows are copies, whose numbers belong into the results."""
        if self.channels_first:
            for out, found, lead in zip(outs, rows, LEADS, strict=False):
                place = self._last(out, lead)
                np.copyto(place, found.reshape(place.shape))

    def _add_product(self, h: Any, gates: Any) -> None:
        self.conv(h.reshape(self.image), self.wide.reshape(self.kernel_shape), self.rows.reshape(self.wide_image))
        np.add(gates, self.product, gates)

    def _back_kernel(self, kernel: np.ndarray) -> None:
        self._arrange(kernel, self._split(self.back))

    def _back_product(self, gates: Any, dh: Any) -> None:
        np.copyto(self.product, gates)
        kernel = self.back.reshape(self.kernel_shape)
        self.conv_input_gradient(self.rows.reshape(self.wide_image), kernel, dh.reshape(self.image))

    def _kernel_gradient(self, flow: np.ndarray) -> np.ndarray:
        found = np.empty(self.kernel_shape, flow.dtype)
        states = self.hs[:-1].reshape(-1, *self.image[1:])
        self.conv_kernel_gradient(states, flow.reshape(-1, *self.wide_image[1:]), found)
        return found.reshape(self.wide.shape)
