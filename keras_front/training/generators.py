"""`GeneratorMethods`: `fit_generator` and the like, older names for what `fit`, `evaluate` and `predict` do as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front.callbacks import History
from keras_front.compatibility import accept_legacy_arguments


def _rest(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a method but the first two."""
    return {name: value for name, value in given.items() if name not in ("self", "generator")}


class GeneratorMethods:
    """The methods of Keras 2 that take a generator or a `Sequence`."""

    if TYPE_CHECKING:
        fit: Any
        evaluate: Any
        predict: Any

    @accept_legacy_arguments
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> History:
        """Train on batches of a generator or `Sequence`: `fit`, which takes these as well.

        Args:
            generator: gives `(x, y)` or `(x, y, sample_weight)`, as tuples or lists.
            steps_per_epoch: batches an epoch; None for a `Sequence`: all of them.
            epochs, verbose, callbacks, initial_epoch: as in `fit`.
            validation_data: arrays `(x, y)` or `(x, y, sample_weight)`, a generator or a `Sequence`.
            validation_steps: batches of a validation generator.
            validation_freq, class_weight: as in `fit`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.
            shuffle: whether a `Sequence` gives its batches in random order.

        Returns: the `History`.
        """
        return self.fit(generator, **_rest(locals()))

    @accept_legacy_arguments
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> float | list[float]:
        """The loss and the metrics on batches of a generator or `Sequence`: `evaluate`, which takes these as well.

        Args:
            generator: as in `fit_generator`.
            steps: how many batches; None for a `Sequence`: all of them.
            callbacks, verbose: as in `evaluate`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Returns: a number, or a list in the order of `metrics_names`.
        """
        return self.evaluate(generator, **_rest(locals()))

    @accept_legacy_arguments
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> np.ndarray | list[np.ndarray]:
        """The outputs for batches of a generator or `Sequence`: `predict`, which takes these as well.

        Args:
            generator: gives inputs, or tuples that begin with inputs; a list is a list of inputs.
            steps: how many batches; None for a `Sequence`: all of them.
            callbacks, verbose: as in `predict`.
            max_queue_size, workers, use_multiprocessing: as in `fit`.

        Returns: one NumPy array, or a list of them for several outputs.
        """
        return self.predict(generator, **_rest(locals()))
