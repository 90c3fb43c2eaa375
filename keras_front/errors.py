"""Every error that keras_front raises on purpose, as one family.

    KerasFrontError
    ├── ArgumentError (ValueError)          an argument cannot be used; the message says which one would do
    │   ├── ShapeError                      shapes do not fit together
    │   │   └── WrongPlaceError (IndexError)    an index or an axis does not exist
    │   ├── WrongKindError (TypeError)      an argument is of a kind that cannot be used here
    │   ├── TooLargeError (MemoryError)     a size asks for more memory than there is
    │   ├── NotQuantizableError (NotImplementedError)    a layer has no form of integers
    │   ├── UnknownArgumentError (TypeError)     a keyword argument is not one of the function's
    │   └── UnknownNameError                a name, as of a layer in a file, is that of no class or function
    ├── MissingNameError (AttributeError)   a module or an object has no such name
    ├── DtypeError (TypeError)              a dtype cannot be used here
    ├── StateError (RuntimeError)           something was called in the wrong order
    │   └── UninitializedError (AttributeError)  a constructor did not call that of its base
    ├── NotFiniteError (FloatingPointError)  a number became NaN or infinite, with `compile(debug_nans=True)`
    ├── UntraceableError (TypeError)        Python needed the value of a symbolic tensor
    ├── BackendError (RuntimeError)         a backend is incomplete, or tensors of two backends met
    │   ├── BackendNotFoundError (ImportError)   a backend was named that cannot be had
    │   └── DistributionError           several devices or processes cannot work together, or one of them is lost
    ├── DownloadError (OSError)             a file cannot be fetched; the message says where to put it by hand
    ├── MissingPackageError (ImportError)   a package that is not installed is needed for this
    ├── ConfigError (ValueError)            a setting in keras.json or the environment makes no sense
    └── SerializationError (ValueError)     a file or config cannot be read or written
        ├── IncompleteConfigError (TypeError)    what a config says of an object does not make one
        ├── UnreadableFileError (OSError)   a file is not what it was opened as
        │   └── MissingFileError (FileNotFoundError)    there is no such file
        ├── UnwritableFileError (OSError)   a file cannot be written; what was there before still is
        └── UnsafeFileError                 a file would make reading do what it must never do

A `HintWarning` (UserWarning) is no error: something works, but is probably not meant.
Each class is also the built-in error that Keras raised in its place, so `except ValueError` in old code still works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "ArgumentError",
    "BackendError",
    "BackendNotFoundError",
    "ConfigError",
    "DistributionError",
    "DownloadError",
    "DtypeError",
    "HintWarning",
    "IncompleteConfigError",
    "KerasFrontError",
    "MissingFileError",
    "MissingNameError",
    "MissingPackageError",
    "NotFiniteError",
    "NotQuantizableError",
    "SerializationError",
    "ShapeError",
    "StateError",
    "TooLargeError",
    "UninitializedError",
    "UnknownArgumentError",
    "UnknownNameError",
    "UnreadableFileError",
    "UnsafeFileError",
    "UntraceableError",
    "UnwritableFileError",
    "WrongKindError",
    "WrongPlaceError",
    "meant_by",
]


class KerasFrontError(Exception):
    """Base of every error that keras_front raises on purpose.

    Example:
        >>> issubclass(ShapeError, KerasFrontError), issubclass(ShapeError, ValueError)
        (True, True)
    """


class ArgumentError(KerasFrontError, ValueError):
    """An argument cannot be used; the message says what was expected.

    Example:
        >>> from keras_front.layers import Dropout
        >>> Dropout(50)
        Traceback (most recent call last):
            ...
        keras_front.errors.ArgumentError: Dropout: expected rate to be a number between 0 and 1, received 50.
    """


class ShapeError(ArgumentError):
    """Shapes do not fit together.

    Example:
        >>> K.dot(K.ones((2, 3)), K.ones((4, 2)))
        Traceback (most recent call last):
            ...
        keras_front.errors.ShapeError: K.dot: the contracted dimensions of (2, 3) and (4, 2) differ: 3 and 4.
    """


class WrongKindError(ArgumentError, TypeError):
    """An argument is of a kind that cannot be used here, such as a text in the place of a number.

    Example:
        >>> issubclass(WrongKindError, TypeError) and issubclass(WrongKindError, ValueError)
        True
    """


class TooLargeError(ArgumentError, MemoryError):
    """A size asks for more memory than there is.

    Example:
        >>> issubclass(TooLargeError, MemoryError)
        True
    """


class NotQuantizableError(ArgumentError, NotImplementedError):
    """A layer has no form of integers: loops over layers, as Keras 3 writes them, pass it over.

    Example:
        >>> issubclass(NotQuantizableError, NotImplementedError)
        True
    """


class WrongPlaceError(ShapeError, IndexError):
    """An index or an axis does not exist.

    Example:
        >>> issubclass(WrongPlaceError, IndexError)
        True
    """


class UnknownArgumentError(ArgumentError, TypeError):
    """A keyword argument is not one of the function's.

    Example:
        >>> from keras_front.layers import Dense
        >>> try:
        ...     Dense(3, activaton="relu")
        ... except TypeError as error:
        ...     print(str(error)[:78])
        Dense: Keyword argument not understood: 'activaton'. Did you mean 'activation'
    """

    @classmethod
    def of(cls, where: str, name: str, known: Iterable[str], shown: str | None = None) -> UnknownArgumentError:
        """The error for one argument.

        Args:
            where: what was called, for the message.
            name: the argument that it does not have.
            known: the names that it has; the nearest ones are proposed.
            shown: how the message shows the argument; by default its name in quotes.
        """
        known = [
            k for k in dict.fromkeys(known) if not k.startswith("_") and k not in ("self", "cls", "kwargs", "args")
        ]
        near = meant_by(name, known)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"It takes {', '.join(known) or 'none'}."
        python = f"(In Python's words: {where}() got an unexpected keyword argument {name!r}.)"
        return cls(f"{where}: Keyword argument not understood: {shown or repr(name)}. {hint} {python}")

    @classmethod
    def check(
        cls,
        error: TypeError,
        function: Callable[..., Any],
        where: str = "",
        known: Callable[[], Iterable[str]] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """Raise an error that says the nearest name, if Python refused a call because of a keyword.

        Args:
            error: what the call raised, in the `except` clause that caught it.
            function: what was called. An error of something that it calls itself is another matter.
            where: what the message calls it; by default its name.
            known: gives the names that it takes; by default those of its signature.
            given: the keywords of the call. One that it does not take is told before one that is missing.

        Raises: UnknownArgumentError, which is a TypeError as well.
        """
        called, found, name = str(error).partition("() got an unexpected keyword argument ")
        if not found and given:
            called, found, _ = str(error).partition("() missing ")
        if not found or type(error) is not TypeError:
            return
        from inspect import signature, unwrap

        inner = unwrap(function)
        if called == inner.__qualname__:
            names = list(signature(inner).parameters if known is None else known())
            unknown = [name.split("'")[1]] if name else [key for key in given or () if key not in names]
            if unknown:
                raise cls.of(where or inner.__name__, unknown[0], names) from None


# What other libraries call an argument, where no spelling leads from one name to the other; for classes and functions
# see missing_names.py.
_ELSEWHERE = {
    "X": ("x",),
    "alpha": ("kernel_regularizer",),
    "batch_size": ("fit_kwargs",),
    "bias": ("use_bias",),
    "callbacks": ("fit_kwargs",),
    "criterion": ("loss",),
    "dim": ("axis",),
    "early_stopping": ("callbacks",),
    "embedding_dim": ("output_dim",),
    "epochs": ("fit_kwargs",),
    "eta": ("learning_rate",),
    "eval_set": ("validation_data",),
    "hidden_layer_sizes": ("units",),
    "hidden_size": ("units",),
    "hidden_units": ("units",),
    "in_features": ("input_dim",),
    "keepdim": ("keepdims",),
    "learning_rate": ("optimizer",),
    "learning_rate_init": ("learning_rate",),
    "lr": ("learning_rate", "optimizer"),
    "max_iter": ("epochs",),
    "n_epochs": ("epochs",),
    "n_hidden": ("units",),
    "n_iter": ("epochs",),
    "n_iter_no_change": ("callbacks",),
    "neurons": ("units",),
    "nonlinearity": ("activation",),
    "num_embeddings": ("input_dim",),
    "num_epochs": ("epochs",),
    "out_channels": ("filters",),
    "out_features": ("units",),
    "p": ("rate",),
    "random_state": ("seed",),
    "scheduler": ("callbacks",),
    "solver": ("optimizer",),
    "step_size": ("learning_rate",),
    "targets": ("y",),
    "test_size": ("validation_split",),
    "validation_fraction": ("validation_split",),
    "verbose": ("fit_kwargs",),
}


def meant_by(name: str, known: Iterable[str]) -> list[str]:
    """The names that somebody may have meant who wrote another one, nearest first, at most two.

    Args:
        name: what was written.
        known: the names there are.

    Example:
        >>> meant_by("activaton", ["units", "activation"]), meant_by("out_features", ["units", "activation"])
        (['activation'], ['units'])
    """
    from difflib import get_close_matches

    names = list(known)
    elsewhere = [other for other in _ELSEWHERE.get(name, ()) if other in names]
    return elsewhere or get_close_matches(name, names, n=2)


class UnknownNameError(ArgumentError):
    """A name, as of a layer in a file, is that of no class or function that is known.

    Args:
        message: what was expected.
        name: the name.

    Example:
        >>> from keras_front import losses
        >>> try:
        ...     losses.get("mean_squared_eror")
        ... except UnknownNameError as error:
        ...     print(str(error)[:40])
        Unknown loss function 'mean_squared_eror
    """

    def __init__(self, message: str, name: str = ""):
        super().__init__(message)
        self.name = name


class MissingNameError(KerasFrontError, AttributeError):
    """A module or an object has no such name; the message says which was meant.

    Args:
        message: what has no such name, in Python's words.
        name: the name.
        place: where a nearer one is looked for when the message is read: the name of a module, or a class.
        here: what it is called here, if that is known.

    Example:
        >>> from keras_front import layers
        >>> layers.Dens
        Traceback (most recent call last):
            ...
        keras_front.errors.MissingNameError: module 'keras_front.layers' has no attribute 'Dens'. Did you mean 'Dense'?
    """

    def __init__(self, message: str, name: str = "", place: str | type = "", here: str = ""):
        super().__init__(message, name, place, here)
        self.name, self.place, self.here = name, place, here

    def __str__(self) -> str:
        if self.here:
            return f"{self.args[0]}. Here it is {self.here}."
        name = self.name or ""
        near = [] if name.startswith("_") else meant_by(name, self._names())
        return f"{self.args[0]}. Did you mean {' or '.join(map(repr, near))}?" if near else self.args[0]

    def _names(self) -> list[str]:
        from sys import modules

        owner = modules.get(self.place) if isinstance(self.place, str) else self.place
        return [name for name in getattr(owner, "__all__", None) or dir(owner) if not name.startswith("_")]


class HintWarning(UserWarning):
    """Something works, but is probably not meant; the message says why, and what to write instead.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore", HintWarning)  # by itself for a whole program
    """


class DtypeError(KerasFrontError, TypeError):
    """A dtype cannot be used here.

    Example:
        >>> from keras_front.models import Sequential
        >>> try:
        ...     Sequential().add("dense")
        ... except DtypeError as error:
        ...     print(str(error)[:53])
        The added layer must be an instance of class Layer. F
    """


class StateError(KerasFrontError, RuntimeError):
    """Something was called in the wrong order, such as training before `compile`.

    Example:
        >>> from keras_front.models import Sequential
        >>> try:
        ...     Sequential().fit(np.ones((2, 3)), np.ones(2))
        ... except StateError as error:
        ...     print(str(error)[:32])
        fit: the model was not compiled.
    """


class UninitializedError(StateError, AttributeError):
    """A layer, model, loss, metric or optimizer was used whose constructor did not call that of its base.

    Example:
        >>> print(str(UninitializedError.of("Net"))[:70])
        Net: You must call `super().__init__()` in the layer constructor. It l
    """

    @classmethod
    def of(cls, name: str) -> UninitializedError:
        """The error for one class.

        Args:
            name: the name of the class.

        Source: tf.keras 2.15, `engine/base_layer.py` and `engine/training.py`, whose words programs look for.
        """
        return cls(
            f"{name}: You must call `super().__init__()` in the layer constructor. It looks like you are subclassing "
            f"`Model` or `Layer` and you forgot to call `super().__init__()`: write it as the first line of "
            f"`{name}.__init__`, before layers or weights are made."
        )


class SetByConstructor:
    """In a base class, an attribute that its constructor sets: asked for before, it says that nobody called that.

    What the constructor stores on the object comes before it, so that nothing is asked in vain.

    Example:
        >>> class Base:
        ...     name = SetByConstructor()
        ...     def __init__(self, name):
        ...         self.name = name
        >>> class Forgetful(Base):
        ...     def __init__(self):
        ...         pass
        >>> Base("a").name, hasattr(Forgetful(), "name")
        ('a', False)
    """

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self
        name = kind.__name__
        raise UninitializedError(
            f"{name}: You must call `super().__init__()` in the constructor. Write it as the first line of "
            f"`{name}.__init__`, before anything else is stored."
        )


class NotFiniteError(KerasFrontError, FloatingPointError):
    """A number became NaN or infinite in a model that was compiled with `debug_nans`.

    Example:
        >>> issubclass(NotFiniteError, FloatingPointError)
        True
    """


class UntraceableError(KerasFrontError, TypeError):
    """Python needed the value of a symbolic tensor, which it does not have yet.

    Example:
        >>> from keras_front.layers import Input
        >>> try:
        ...     if Input((3,)) > 0: pass
        ... except UntraceableError as error:
        ...     print("K.switch" in str(error))
        True
    """


class BackendError(KerasFrontError, RuntimeError):
    """A backend is incomplete, or tensors of two backends met in one call.

    Example:
        >>> issubclass(BackendNotFoundError, BackendError), issubclass(BackendError, RuntimeError)
        (True, True)
    """


class BackendNotFoundError(BackendError, ImportError):
    """A backend was named that is not installed or not known.

    Example:
        >>> try:
        ...     K.set_backend("tensroflow")
        ... except ImportError as error:
        ...     print(type(error).__name__)
        BackendNotFoundError
    """


class DistributionError(BackendError):
    """Several devices or processes cannot work together: the backend has no means, or one of them is lost.

    Example:
        >>> print(str(DistributionError.lost([1], 4, 60.0))[:66])
        Lost process 1 of 4 (counted from 0): no answer within 60 seconds.
    """

    @classmethod
    def lost(cls, ranks: Sequence[int], processes: int, timeout: float) -> DistributionError:
        """The error for processes that do not answer.

        Args:
            ranks: their numbers, from 0; none if all answer, but some have gone on without the others.
            processes: how many there are in all.
            timeout: seconds for which the others have waited at most.
        """
        if not ranks:
            return cls(
                f"The {processes} processes of this run do not do the same: one waits for what another never does. "
                "Every process has to make the same calls of fit, evaluate and predict, in the same order, on as many "
                "batches."
            )
        which = f"process {ranks[0]}" if len(ranks) == 1 else f"processes {', '.join(map(str, ranks))}"
        return cls(
            f"Lost {which} of {processes} (counted from 0): no answer within {timeout:g} seconds. The run cannot go on "
            "without it. Look for its own error, and start the run again, with BackupAndRestore from where it ended."
        )


class DownloadError(KerasFrontError, OSError):
    """A file cannot be fetched; the message says which file to put where.

    Example:
        >>> issubclass(DownloadError, OSError)
        True
    """


class MissingPackageError(KerasFrontError, ImportError):
    """A package that is not installed is needed for this.

    Example:
        >>> print(MissingPackageError.of("Pictures", "Matplotlib", "plot"))
        Pictures need Matplotlib, which cannot be imported here. pip install 'keras-front[plot]'
    """

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> MissingPackageError:
        """The error for one package.

        Args:
            what: what needs it, as the subject of a sentence in the plural.
            package: the package.
            extra: the extra of `keras-front` that installs it.
        """
        return cls(f"{what} need {package}, which cannot be imported here. pip install 'keras-front[{extra}]'")


class ConfigError(KerasFrontError, ValueError):
    """A setting in keras.json or in the environment makes no sense.

    Example:
        >>> issubclass(ConfigError, ValueError)
        True
    """


class SerializationError(KerasFrontError, ValueError):
    """A file or a config cannot be read or written.

    Example:
        >>> from keras_front.models import model_from_json
        >>> try:
        ...     model_from_json("{}")
        ... except SerializationError as error:
        ...     print(type(error).__name__)
        SerializationError
    """


class IncompleteConfigError(SerializationError, TypeError):
    """What a config says of an object does not make one: an argument is missing, or one too many.

    Args:
        message: what is wrong.
        described: the part of the config that is meant, `{'class_name', 'config'}`.

    Example:
        >>> issubclass(IncompleteConfigError, TypeError)
        True
    """

    def __init__(self, message: str, described: Any = None):
        super().__init__(message)
        self.described = described


class UnreadableFileError(SerializationError, OSError):
    """A file is not what it was opened as, or is damaged.

    Example:
        >>> issubclass(UnreadableFileError, SerializationError) and issubclass(UnreadableFileError, OSError)
        True
    """


class MissingFileError(UnreadableFileError, FileNotFoundError):
    """There is no such file.

    Example:
        >>> from keras_front.models import load_model
        >>> load_model("nowhere.h5")
        Traceback (most recent call last):
            ...
        keras_front.errors.MissingFileError: No file or directory found at nowhere.h5: expected a file, found none.
    """


class UnwritableFileError(SerializationError, OSError):
    """A file cannot be written; what was there before still is.

    Example:
        >>> issubclass(UnwritableFileError, OSError)
        True
    """


class UnsafeFileError(SerializationError):
    """A file would make reading do what it must never do.

    Example:
        >>> issubclass(UnsafeFileError, SerializationError)
        True
    """
