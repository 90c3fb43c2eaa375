"""What a callback is, and the list that calls them.

`CallbackList` finds out once, when training starts, which callback overrides which hook. The loop then
asks for a hook by name and gets the methods to call, often none: a hook that no callback has costs nothing
(decision D13).

A callback may ask to be called at intervals of time: with `refresh_every = 0.2` its batch hooks are
called at most every 0.2 seconds, so that the loop need not stop at every batch for its sake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from keras_front import conventions
from keras_front.arguments import reading
from keras_front.compatibility import RenamedKeys, checked_constructor
from keras_front.docstrings import Documented
from keras_front.errors import ArgumentError
from keras_front.tracebacks import warn_user

HOOKS = (
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_begin",
    "on_predict_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
)

# The older name of a hook: overriding it is as good as overriding the hook.
OLD_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def epoch_text(epoch: int) -> str:
    """'Epoch 00003', as the dialect writes it.

    Args:
        epoch: the number of the epoch, from 0 on.
    """
    return f"Epoch {epoch + 1:{conventions.current().epoch_format}}"


class Callback(Documented):
    """Base of callbacks: override the hooks you want; those you leave cost nothing.

    Attributes: `model`, the model in training; `params`, a dict with `batch_size`, `epochs`, `steps`, `samples`,
        `verbose`, `do_validation` and `metrics`; `refresh_every`, seconds between two calls of the batch hooks, or None
        for every batch.
    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.
    Example:
        >>> class Losses(Callback):
        ...     def on_train_begin(self, logs=None):
        ...         self.losses = []
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.losses.append(logs["loss"])
    """

    refresh_every: float | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = checked_constructor(reading(cls.__init__))  # type: ignore[method-assign]

    def __init__(self) -> None:
        self.validation_data: Any = None
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Keep what is known about the training; `fit` calls it before anything else.

        Args:
            params: see the attribute `params`.
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Keep the model; `fit` calls it before anything else.

        Args:
            model: the model in training.
        """
        self.model = model

    def on_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `fit`: the older name of `on_train_batch_begin`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples.
        """

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `fit`: the older name of `on_train_batch_end`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples, and the means of loss and metrics up to now; values
                are read from the engine when they are looked at.
        """

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each epoch of `fit`.

        Args:
            epoch: number of the epoch, from 0.
            logs: an empty dict.
        """

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each epoch of `fit`, validation included.

        Args:
            epoch: number of the epoch, from 0.
            logs: the means of loss and metrics over the epoch, those of the validation with `val_` before their
                names. What is written into it stands in the history.
        """

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `fit`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples.
        """
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `fit`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples, and the means of loss and metrics up to now; values
                are read from the engine when they are looked at.
        """
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples.
        """

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples, and the means of loss and metrics up to now; values
                are read from the engine when they are looked at.
        """

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before each batch of `predict`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples.
        """

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after each batch of `predict`.

        Args:
            batch: number of the batch in its epoch, from 0.
            logs: `batch` and `size`, its number of samples.
        """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called once before training.

        Args:
            logs: an empty dict.
        """

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called once after training, also when it was stopped.

        Args:
            logs: an empty dict.
        """

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called before `evaluate`, and before the validation in `fit`.

        Args:
            logs: an empty dict.
        """

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called after `evaluate`, and after the validation in `fit`.

        Args:
            logs: an empty dict.
        """

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called before `predict`.

        Args:
            logs: an empty dict.
        """

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called after `predict`.

        Args:
            logs: an empty dict.
        """


_IN_EVERY_FIT: ContextVar[tuple[Callable[[], Any], ...]] = ContextVar("keras_front_in_every_fit", default=())


@contextmanager
def in_every_fit(make: Callable[[], Any]) -> Iterator[None]:
    """A context in which every `fit` has one callback more, after those that it was given.

    Args:
        make: gives the callback of a `fit`, or None for none.

    Example:
        >>> from keras_front.callbacks import LambdaCallback
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> with in_every_fit(lambda: LambdaCallback(on_train_end=lambda logs: print("trained"))):
        ...     model = Sequential([Dense(1, input_shape=(2,))])
        ...     model.compile("sgd", "mse")
        ...     _ = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        trained
    """
    token = _IN_EVERY_FIT.set((*_IN_EVERY_FIT.get(), make))
    try:
        yield
    finally:
        _IN_EVERY_FIT.reset(token)


def of_every_fit() -> list[Any]:
    """The callbacks for a `fit` that begins now; see `in_every_fit`."""
    return [callback for make in _IN_EVERY_FIT.get() if (callback := make()) is not None]


def as_list(callbacks: Any) -> list[Any]:
    """What a method was given as `callbacks`, as a list.

    Args:
        callbacks: a list or tuple of callbacks, one of them, or None for none.

    Example:
        >>> as_list(None)
        []
    """
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


class CallbackList:
    """Calls a list of callbacks, each hook only of those that have it.

    Args:
        callbacks: callbacks, called in this order.
        queue_length: accepted because Keras has it; nothing is timed here.

    Source: Keras 2.3.1, `keras/callbacks/callbacks.py`.

    Example:
        >>> callbacks = CallbackList([Callback()])
        >>> callbacks.on_epoch_end(0, {"loss": 1.0})
    """

    if TYPE_CHECKING:  # made below, one for each hook
        on_train_begin: Callable[..., None]
        on_train_end: Callable[..., None]
        on_epoch_begin: Callable[..., None]
        on_epoch_end: Callable[..., None]
        on_test_begin: Callable[..., None]
        on_test_end: Callable[..., None]
        on_predict_begin: Callable[..., None]
        on_predict_end: Callable[..., None]

    @checked_constructor
    def __init__(self, callbacks: Iterable[Any] | None = None, queue_length: int = 10):
        self.callbacks: list[Any] = []
        if not hasattr(callbacks or (), "__iter__"):
            raise ArgumentError(f"CallbackList: expected callbacks to be a list of them, received {callbacks!r:.60}.")
        for callback in callbacks or ():
            self.append(callback)
        self.params: dict[str, Any] = {}
        self.model: Any = None
        self.queue_length = queue_length

    def append(self, callback: Any) -> None:
        """Add a callback.

        Args:
            callback: it is called after the others.

        Raises: ArgumentError for a class in place of an object, and for what is no callback.
        """
        if isinstance(callback, type):
            name = callback.__name__
            raise ArgumentError(f"callbacks: expected an object, received the class {name}. Write {name}(...).")
        if not hasattr(callback, "set_model"):
            raise ArgumentError(
                f"callbacks: expected objects derived from keras.callbacks.Callback, received {callback!r:.80}. "
                "Of a function make LambdaCallback(on_epoch_end=function)."
            )
        self.callbacks.append(callback)

    def set_validation_data(self, data: Any) -> None:
        """Give every callback `validation_data`, as Keras 2 does.

        Args:
            data: inputs, targets, weights and the learning phase in one list; None if there are no such arrays.
        """
        for callback in self.callbacks:
            callback.validation_data = data

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell every callback about the training.

        Args:
            params: see `Callback.params`.
        """
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tell every callback which model is trained.

        Args:
            model: the model.
        """
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def hooks(self, hook: str) -> list[Callable[..., Any]]:
        """The methods to call at every occurrence of a hook.

        Args:
            hook: its name, such as 'on_train_batch_end'.
        """
        return [m for c in self.callbacks if _interval(c, hook) is None and (m := _named(c, hook)) is not None]

    def timed_hooks(self, hook: str) -> list[tuple[float, Callable[..., Any]]]:
        """Pairs (seconds, method) of the callbacks that are called for a hook only at intervals.

        Args:
            hook: its name, such as 'on_train_batch_end'.
        """
        found = ((_interval(c, hook), _named(c, hook)) for c in self.callbacks)
        return [(seconds, method) for seconds, method in found if seconds is not None and method is not None]

    def _call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            method = _named(callback, hook)
            if method is not None:
                method(*arguments)

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)


def _caller(hook: str) -> Callable[..., None]:
    what = next((word for word in ("epoch", "batch") if word in hook), "")
    if what:

        def call(self: CallbackList, index: int, logs: Mapping[str, Any] | None = None) -> None:
            self._call(hook, index, {} if logs is None else logs)
    else:

        def call(self: CallbackList, logs: Mapping[str, Any] | None = None) -> None:  # type: ignore[misc]
            self._call(hook, {} if logs is None else logs)

    index = f"    index: number of the {what}, from 0.\n" if what else ""
    call.__name__ = hook
    call.__doc__ = (
        f"Call `{hook}` of every callback that has one.\n\nArgs:\n{index}    logs: what is known; None for nothing.\n"
    )
    return call


for _hook in HOOKS:
    setattr(CallbackList, _hook, _caller(_hook))
for _hook, _old in OLD_NAMES.items():
    setattr(CallbackList, _old, getattr(CallbackList, _hook))


def listener(callback: Any, hook: str) -> Callable[..., Any] | None:
    """The method of `callback` for `hook`, or None if it only has the empty one of the base class."""
    if _overrides(callback, hook):
        return getattr(callback, hook)
    old = OLD_NAMES.get(hook)
    return getattr(callback, old) if old and _overrides(callback, old) else None


def _named(callback: Any, hook: str) -> Callable[..., Any] | None:
    """The `listener`, whose errors say in a note which callback was running."""
    method = listener(callback, hook)
    if method is None:
        return None

    def call(*arguments: Any) -> None:
        try:
            method(*arguments)
        except Exception as error:
            error.add_note(f"In the callback {type(callback).__name__}, {hook}.")
            raise

    return call


def _overrides(callback: Any, name: str) -> bool:
    if name in getattr(callback, "__dict__", ()):
        return True
    found = getattr(type(callback), name, None)
    return found is not None and found is not getattr(Callback, name)


def _interval(callback: Any, hook: str) -> float | None:
    return getattr(callback, "refresh_every", None) if "batch" in hook else None


class SavesEvery(Callback):
    """Base of callbacks that save after each epoch, or after a number of batches: then `_save_within` is called."""

    save_freq: str | int

    def _save_every(self, save_freq: str | int) -> None:
        """Raise ArgumentError unless `save_freq` is 'epoch' or a number of batches, which are then counted."""
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(
                f"{type(self).__name__}: expected save_freq 'epoch' or a number of batches, received {save_freq!r}."
            )
        self.save_freq = save_freq
        self._epoch = self._batches = 0
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch

    def _after_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batches += 1
        if self._batches >= self.save_freq:  # type: ignore[operator]
            self._batches = 0
            self._save_within(batch, logs or {})

    def _save_within(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Save between two batches."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it saves within an epoch.")


def monitored(logs: Mapping[str, Any], name: str) -> float | None:
    """The value called `name` in `logs`; 'acc' finds 'accuracy' and the other way round. None if there is none."""
    for candidate in (name, other_spelling(name)):
        if candidate in logs:
            return logs[candidate]
    return None


class Records(RenamedKeys):
    """A dict that answers to both spellings of an accuracy: `logs["acc"]` and `logs["accuracy"]`."""

    def other_name(self, key: Any) -> Any:
        """The other spelling of an accuracy.

        Args:
            key: a name that is not there.
        """
        return other_spelling(key) if isinstance(key, str) else None


def other_spelling(name: str) -> str:
    """The other spelling of an accuracy: 'val_acc' for 'val_accuracy' and back; other names stay."""
    if name.endswith("accuracy"):
        return name[: -len("uracy")]
    return name + "uracy" if name == "acc" or name.endswith("_acc") else name


def is_improvement(mode: str, monitor: str) -> tuple[Callable[[float, float], bool], float, int]:
    """How values of `monitor` compare: (better(new, old), the worst value, sign of an improvement).

    `mode` is 'min', 'max' or 'auto': what counts up for names with 'acc' or 'auc' and those starting with
    'fmeasure', down for all others.
    Raises: ArgumentError for another mode; in the dialects of other versions it is 'auto', with a warning.
    """
    if mode not in ("auto", "min", "max") and conventions.current().unknown_mode_is_auto:
        warn_user(f"mode {mode!r} is unknown, fallback to auto mode.", RuntimeWarning)
        mode = "auto"
    if mode not in ("auto", "min", "max"):
        raise ArgumentError(f"mode: expected 'auto', 'min' or 'max', received {mode!r}.")
    rises = "acc" in monitor or monitor.startswith("fmeasure") or "auc" in monitor.lower()
    if mode == "max" or (mode == "auto" and rises):
        return (lambda new, old: new > old), float("-inf"), 1
    return (lambda new, old: new < old), float("inf"), -1
