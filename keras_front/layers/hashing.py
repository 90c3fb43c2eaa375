"""`Hashing`, `HashedCrossing`: words and integers put into a fixed number of bins, without a vocabulary.

No backend hashes, so the layer works on the host, see `host.py`.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing/hashing.py` and `hashed_crossing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, DtypeError, ShapeError
from keras_front.graph.layer import LAYERS

from .arguments import CHOICE, Kept, Positive, Reader, Sparse
from .base import LayerArguments
from .feature_preprocessing import OutputMode, encoded
from .fingerprint import farm_fingerprint, joined_fingerprints, siphash
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
        bins = self._bins(host_array(inputs))
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


_CROSSING_SEED = 0xDECAFCAFFE  # with which TensorFlow's crossing of columns begins


@LAYERS.register()
class HashedCrossing(HostLayer):
    """Several features as one: each combination of their values in a bin, by its hash.

    Args:
        num_bins: how many bins there are.
        output_mode: 'int' for the number of the bin, or 'one_hot' for a vector.
        sparse: False; there are no sparse tensors.

    Shape: a list of two or more inputs of strings or integers, each (), (batch,) or (batch, 1) -> the same for 'int',
        (batch, num_bins) for 'one_hot'.
    Source: Keras 3, `layers/preprocessing/hashed_crossing.py`; the hash is that of `tf.sparse.cross_hashed`.
    Example:
        >>> HashedCrossing(num_bins=5)([["A", "B"], [101, 102]]).tolist()
        [1, 1]
    """

    def __init__(
        self,
        num_bins: Positive,
        output_mode: Annotated[Literal["int", "one_hot"], CHOICE] = "int",
        sparse: Sparse = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**{**kwargs, "dtype": kwargs.get("dtype") or ("int64" if output_mode == "int" else None)})

    def on_host(self, inputs: Any) -> Any:
        """The bins of combinations.

        Args:
            inputs: a list of arrays, lists or scalars of strings or integers.

        Raises: ArgumentError for less than two; DtypeError for other numbers; ShapeError for other shapes.
        """
        columns = [_column(self.name, item) for item in self._checked(inputs)]
        words = zip(*(column.ravel().tolist() for column in columns), strict=True)
        bins = np.array([self._bin(row) for row in words], "int64").reshape(columns[0].shape)
        if self.output_mode == "int":
            return K.convert(bins, self.dtype)
        return encoded(K.convert(bins), self.num_bins, "one_hot", self.dtype or config.floatx())

    def host_output(self, shape: Any) -> tuple[tuple[Any, ...], str]:
        """Shape and dtype of the output for inputs of some shapes.

        Args:
            shape: the shapes of the inputs, with the batch axis.
        """
        first = self._checked(shape)[0]
        if self.output_mode == "int":
            return tuple(first), str(self.dtype)
        return (first[0], self.num_bins), str(self.dtype or config.floatx())

    def _checked(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple) or len(inputs) < 2:
            raise ArgumentError(f"{self.name}: expected a list of at least two inputs, received {inputs!r:.60}.")
        return inputs

    def _bin(self, values: tuple[Any, ...]) -> int:
        found = _CROSSING_SEED
        for value in values:
            number = value if isinstance(value, int) else farm_fingerprint(_as_bytes(value))
            found = joined_fingerprints(found, number)
        return found % self.num_bins


def _as_bytes(word: Any) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def _column(name: str, values: Any) -> np.ndarray:
    array = host_array(values)
    if array.dtype.kind not in "iuUSTO":
        raise DtypeError(f"{name}: expected inputs of integers or strings, received {array.dtype}.")
    if array.ndim > 2 or array.shape[1:] not in ((), (1,)):
        raise ShapeError(f"{name}: expected inputs of shape (), (batch,) or (batch, 1), received {array.shape}.")
    return array


def host_array(values: Any) -> np.ndarray:
    """An array of what a layer on the host is called on: an array, a tensor of any backend, lists, or a scalar."""
    plain = isinstance(values, np.ndarray | np.generic | list | tuple | str | bytes | int)
    return np.asarray(values if plain else K.to_numpy(values))
