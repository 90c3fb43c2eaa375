"""`GeneratorMethods`: `fit_generator` and its kin, older names for what `fit`, `evaluate` and `predict` do as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    ) -> Any:
        """`fit` on a generator or `Sequence`."""
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
    ) -> Any:
        """`evaluate` on a generator or `Sequence`."""
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
    ) -> Any:
        """`predict` on a generator or `Sequence`."""
        return self.predict(generator, **_rest(locals()))
