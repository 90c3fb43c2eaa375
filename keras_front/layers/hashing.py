"""`Hashing`: words and integers put into a fixed number of bins, without a vocabulary.

No backend hashes, so the layer works on the host, see `host.py`.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing/hashing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS

from .arguments import Kept, Positive, Reader, Sparse
from .base import LayerArguments
from .feature_preprocessing import OutputMode, encoded
from .fingerprint import farm_fingerprint, siphash
from .host import HostLayer


def _two_words(salt: Any, layer: Any) -> list[int]:
    """A salt as the two words of a key; a single number is both."""
    first, second = (salt, salt) if isinstance(salt, int | np.integer) else salt
    if not all(isinstance(n, int | np.integer) for n in (first, second)):
        raise ValueError
    return [int(first), int(second)]


Salt = Annotated[int | Sequence[int], Reader(_two_words, "an integer or a pair of integers")]


def bins_of(words: Iterable[str | bytes], number: int, salt: list[int] | None = None) -> list[int]:
    """The bin, below `number`, of each word: by FarmHash, or with a salt by SipHash.

    Args:
        words: strings, hashed as UTF-8, or bytes.
        number: how many bins there are.
        salt: the two words of the key of SipHash.
    """
    data = (word if isinstance(word, bytes) else word.encode() for word in words)
    if salt is None:
        return [farm_fingerprint(d) % number for d in data]
    return [siphash(d, salt) % number for d in data]


@LAYERS.register()
class Hashing(HostLayer):
    """Strings or integers as numbers of bins.

    Args:
        num_bins: how many bins there are.
        mask_value: what goes into bin 0, which nothing else does then.
        salt: number or pair of numbers: SipHash is used with it as the key, FarmHash without.
        output_mode: 'int' for the number of the bin, or vectors as from `CategoryEncoding`: 'one_hot', 'multi_hot' or
            'count'.
        sparse: False; there are no sparse tensors.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    Source: Pike and Alakuijala (2014); Aumasson and Bernstein (2012). Integers are hashed as their decimal digits,
        floats after rounding towards zero.
    Example:
        >>> Hashing(num_bins=3)(["A", "B", "A"]).shape
        (3,)
    """

    def __init__(
        self,
        num_bins: Positive,
        mask_value: Kept = None,
        salt: Salt | None = None,
        output_mode: OutputMode = "int",
        sparse: Sparse = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**{**kwargs, "dtype": kwargs.get("dtype") or ("int64" if output_mode == "int" else None)})
        if self.output_mode == "int" and self.dtype not in ("int32", "int64"):
            raise ArgumentError(f"Hashing: output_mode='int' needs dtype int32 or int64, received {self.dtype!r}.")

    def on_host(self, inputs: Any) -> Any:
        """The bins of strings or numbers.

        Args:
            inputs: array, list or scalar of strings or numbers.
        """
        values = np.asarray(inputs if isinstance(inputs, np.ndarray | list | tuple | str | int) else K.to_numpy(inputs))
        bins = self._bins(values)
        if self.output_mode == "int":
            return K.convert(bins, self.dtype)
        return encoded(K.convert(bins), self.num_bins, self.output_mode, self.dtype or config.floatx())

    def host_output(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Shape and dtype of the output for an input of a shape.

        Args:
            shape: the shape of the input, with the batch axis.
        """
        if self.output_mode == "int":
            return shape, str(self.dtype)
        sample = self(np.zeros([1, *(size or 1 for size in shape[1:])], "int64"))
        return (shape[0], *K.int_shape(sample)[1:]), K.dtype(sample)

    def _bins(self, values: np.ndarray) -> np.ndarray:
        whole = values.astype("int64") if values.dtype.kind in "fb" else values
        words = [w if isinstance(w, bytes) else str(w) for w in whole.ravel().tolist()]
        masked = self.mask_value is not None and self.num_bins > 1
        bins = np.asarray(bins_of(words, self.num_bins - masked, self.salt), "int64").reshape(values.shape)
        return np.where(self._is_mask(values), 0, bins + 1) if masked else bins

    def _is_mask(self, values: np.ndarray) -> np.ndarray:
        if values.dtype.kind not in "SO":
            return values == self.mask_value
        found = [v.decode() if isinstance(v, bytes) else v for v in values.ravel().tolist()]
        return np.array([v == self.mask_value for v in found], "bool").reshape(values.shape)
