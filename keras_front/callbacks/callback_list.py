"""`CallbackList` as programs make it for loops of their own: with a history, a progress bar and a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_front.arguments import Flag
from keras_front.compatibility import checked_constructor

from . import base
from .history import History
from .progress import ProgbarLogger

__all__ = ["CallbackList"]


class CallbackList(base.CallbackList):
    """Calls a list of callbacks, each hook only of those that have it.

    Args:
        callbacks: callbacks, called in this order.
        queue_length: accepted because Keras 2 has it; nothing is timed here.
        add_history: put a `History` at the end, which becomes `model.history` as well, unless there is one.
        add_progbar: put a `ProgbarLogger` at the end, unless there is one.
        model: the model that the callbacks are told.
        **params: what they are told of the training, such as `epochs` and `steps`, see `Callback.params`.

    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`; `add_history` and what follows as in tf.keras 2 and Keras 3.

    Example:
        >>> callbacks = CallbackList([base.Callback()], add_history=True, epochs=2)
        >>> callbacks.on_epoch_end(0, {"loss": 1.0})
        >>> callbacks.callbacks[-1].history
        {'loss': [1.0]}
    """

    @checked_constructor
    def __init__(
        self,
        callbacks: Iterable[Any] | None = None,
        queue_length: Any = 10,
        add_history: Flag = False,
        add_progbar: Flag = False,
        model: Any = None,
        **params: Any,
    ):
        if isinstance(queue_length, bool):  # the second argument since tf.keras 2.2
            queue_length, add_history = 10, queue_length
        given = [callbacks] if isinstance(callbacks, base.Callback) else callbacks
        super().__init__(given, queue_length)
        self._history = self._one_of(History, add_history)
        self._progbar = self._one_of(lambda: ProgbarLogger(count_mode="steps"), add_progbar, ProgbarLogger)
        if model is not None:
            if self._history is not None:
                model.history = self._history
            self.set_model(model)
        if params:
            self.set_params(params)

    def _one_of(self, make: Any, is_wanted: Any, kind: Any = None) -> Any:
        found = next((callback for callback in self.callbacks if isinstance(callback, kind or make)), None)
        if found is None and is_wanted:
            found = make()
            self.append(found)
        return found
