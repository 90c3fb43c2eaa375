"""Arrays on their way to a step: checked once, cast, and put into one flat list, with the weights of samples.

A batch is one flat list: inputs, then targets, then weights, without what is absent. `DataSpec` says what a model
expects of each. Nothing here knows an engine: arrays stay on the host until a loop places them.

Sample weights and class weights become one array for each output, or None where nothing is weighted, so that an
unweighted output costs nothing in a step.

Source: Keras 2.3.1, `keras/engine/training_utils.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import config
from keras_front.backend import dtypes
from keras_front.backend.ops import sparse
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.graph import causes
from keras_front.graph.host_stage import HostStage, text_array
from keras_front.nest import flatten, flatten_as, is_nested, paths
from keras_front.training import hints
from keras_front.training.data.host_arrays import SparseRows, as_array, columns_by_name, in_parts, is_lazy, read_block

Shape = tuple[int | None, ...]


class ArraySpec(NamedTuple):
    """What one input or target must be.

    Attributes:
        name: of the input or output.
        shape: with the batch axis; None: anything.
        dtype: None: as it comes. Targets of a known number of classes without a dtype are class numbers.
        loss: the name of the loss that takes a target; empty for inputs.
        classes: how many classes a target has, where that is known.
        bounds: what the last activation gives, where a loss compares numbers: its name, the least, the largest.
        tables: the layers that use the data as numbers of rows: their names, and how many rows they have.
    """

    name: str
    shape: Shape | None
    dtype: str | None
    loss: str = ""
    classes: int | None = None
    bounds: tuple[str, float, float] | None = None
    tables: tuple[tuple[str, int], ...] = ()

    @property
    def labels(self) -> bool:
        """Whether the data are class numbers, which a loss uses as indices."""
        return self.classes is not None and self.dtype is None

    @property
    def indices(self) -> bool:
        """Whether the data are indices, whose range matters: an engine may go on with others without a word."""
        return self.labels or bool(self.tables)


class BatchLayout(NamedTuple):
    """Which parts a flat batch has: inputs, then targets, then weights of the outputs with True.

    It is one of so many `shares` into which processes divided a batch.
    """

    inputs: int
    targets: int
    weighted: tuple[bool, ...]
    shares: int = 1

    def split(self, batch: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Inputs, targets, and a weight or None for each target."""
        first, second = self.inputs, self.inputs + self.targets
        weights = iter(batch[second:])
        by_output = [next(weights) if has else None for has in self.weighted]
        return list(batch[:first]), list(batch[first:second]), by_output


class DataSpec(NamedTuple):
    """What a model expects of its data.

    Attributes:
        inputs: one entry for each input; none if a step of the user's own knows what they are.
        targets: one entry for each loss whose targets come with the data.
        weight_modes: 'temporal' or None for each of these.
        as_given: whether any targets are taken as they are, because a step of the user's own deals with them.
        stage: what the layers of strings make of the inputs before a step, if there are such layers.
        computed: names of the outputs whose targets `compile` was given as tensors.
        input_nesting: how inputs stand in lists and dicts in each other; None if they do not.
        output_nesting: the same of outputs.
        fed: the places of the outputs whose losses need targets from the data.
    """

    inputs: list[ArraySpec]
    targets: list[ArraySpec]
    weight_modes: list[str | None]
    as_given: bool = False
    stage: HostStage | None = None
    computed: tuple[str, ...] = ()
    input_nesting: Any = None
    output_nesting: Any = None
    fed: tuple[int, ...] = ()

    @property
    def arrays(self) -> list[ArraySpec | None]:
        """The specs of the arrays of inputs and targets as they go into a step."""
        if self.stage is None:
            return [*self.inputs, *self.targets]
        numbers = [spec for spec in self.inputs if spec.dtype != "string"]
        return [*numbers, *([None] * len(self.stage.calls)), *self.targets]

    def _of_outputs(self, data: Any) -> Any:
        """Nested targets or weights as a list of those whose outputs have a loss; anything else as it is."""
        flat = None if data is None else flatten_as(self.output_nesting, data, partial=True)
        return data if flat is None else [flat[place] for place in self.fed]

    def _exchanged(self, x: Any, y: Any) -> bool:
        """Whether `y` fits the one input and `x` the one output."""
        if len(self.inputs) != 1 or len(self.targets) != 1 or not (hasattr(x, "shape") and hasattr(y, "shape")):
            return False
        pairs = ((tuple(y.shape), self.inputs[0]), (tuple(x.shape), self.targets[0]))
        return all(_fits((*shape, 1) if lacks_last_axis(shape, spec) else shape, spec) for shape, spec in pairs)

    def batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        targets: bool = True,
        whole: bool = True,
        rows: bool = True,
    ) -> tuple[list[Any], BatchLayout]:
        """(flat list of arrays, layout) of inputs, targets and weights that fit together.

        What is read in parts is read here, unless `whole` is False. Inputs without targets that no one divides into
        batches may have different lengths, unless `rows` is True.
        Raises: ShapeError, ArgumentError saying which array is wrong and what was expected.
        """
        x = x if self.input_nesting is None else _flat(self.input_nesting, x)
        if self.output_nesting is not None:
            y, sample_weight = self._of_outputs(y), self._of_outputs(sample_weight)
        specs = self.inputs or (free_specs(x, "input") if self.as_given else [])
        try:
            xs = standardize(x, specs, "input", whole)
        except ShapeError as error:
            if y is None or not self._exchanged(x, y):
                raise
            raise ShapeError(f"{error} x and y seem to be exchanged: inputs come first, then the targets.") from None
        if self.stage is not None:
            xs = self.stage.feeds(xs, whole)
        if not targets:
            same_length(xs if rows else [], [], [])
            return xs, BatchLayout(len(xs), 0, ())
        if y is None and self.targets and _holds(x, [spec.name for spec in self.targets]):
            y = x
        specs = free_specs(y, "target") if self.as_given else self.targets
        ys = standardize(y, specs, "target", whole)
        modes = [None] * len(specs) if self.as_given else self.weight_modes
        names, classes = [spec.name for spec in specs], [spec.classes for spec in specs]
        sample_weight = _for_fed(sample_weight, self.computed)
        weights = sample_weights(ys, sample_weight, class_weight, names, modes, classes)
        present = [w for w in weights if w is not None]
        same_length(xs, ys, present)
        if any(a.shape[0] == 0 for a in xs):
            raise ArgumentError("There is no data: expected at least one sample, received arrays of length 0.")
        return xs + ys + present, BatchLayout(len(xs), len(ys), tuple(w is not None for w in weights))


def _flat(nesting: Any, data: Any) -> Any:
    """Data in a nesting as a flat list; anything else as it is."""
    flat = flatten_as(nesting, data)
    return data if flat is None else flat


def _for_fed(sample_weight: Any, computed: Sequence[str]) -> Any:
    """`sample_weight` without those for targets that are tensors, which no Keras has ever weighed."""
    if not isinstance(sample_weight, Mapping) or not set(computed) & set(sample_weight):
        return sample_weight
    warnings.warn(
        f"sample_weight: not used for {list(computed)}, whose targets `compile` was given as `target_tensors`.",
        stacklevel=2,
    )
    return {name: weight for name, weight in sample_weight.items() if name not in computed}


def _holds(data: Any, names: Sequence[str]) -> bool:
    """Whether a dict or data frame has something under each of the names."""
    return set(names) <= set(data) if isinstance(data, Mapping) else columns_by_name(data, names) is not None


def free_specs(data: Any, what: str) -> list[ArraySpec]:
    """Specs that fit whatever arrays there are: one array, a list of arrays, a dict of arrays, or None."""
    names, _ = named(data, what) if data is not None else ([], [])
    return [ArraySpec(name, None, None) for name in names]


def named(data: Any, what: str = "input") -> tuple[list[str], list[Any]]:
    """Names and values of arrays about which nothing is known: those of a dict, or numbered ones."""
    if isinstance(data, dict) and not is_nested(data):
        return list(data), list(data.values())
    if is_nested(data) and any(hasattr(value, "shape") for value in flatten(data)):
        return paths(data, what), flatten(data)
    values = list(data) if isinstance(data, list | tuple) and data and hasattr(data[0], "shape") else [data]
    return [f"{what}_{i + 1}" for i in range(len(values))], values


def standardize(data: Any, specs: Sequence[ArraySpec], what: str, whole: bool = True) -> list[Any]:
    """A flat list of arrays in the order of `specs`, cast, with an axis added to lists of numbers.

    Raises: ArgumentError for a wrong number or unknown names; ShapeError for a shape that does not fit.
    """
    values = listed(data, specs, what)
    return [_conform(value, spec, what, whole) for value, spec in zip(values, specs, strict=True)]


def listed(data: Any, specs: Sequence[ArraySpec], what: str) -> list[Any]:
    """What the user passed, as a list in the order of `specs`.

    Raises: ArgumentError for a wrong number or unknown names.
    """
    names = [spec.name for spec in specs]
    if not specs:
        given = data.values() if isinstance(data, dict) else data
        if given is None or (isinstance(data, list | tuple | dict) and all(value is None for value in given)):
            return []
        hint = " Targets are used by a loss: pass `loss=` to compile." if what == "target" else ""
        raise ArgumentError(f"Expected no {what} data, because nothing uses it, received {_described(data)}.{hint}")
    if data is None:
        hint = " Pass the targets too, as in fit(x, y); an autoencoder has fit(x, x)." if what == "target" else ""
        raise ArgumentError(f"No {what} data: expected an array for each of {names}, received None.{hint}")
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise ArgumentError(f"No {what} data for {missing}: expected the keys {names}, received {list(data)}.")
        return [data[name] for name in names]
    columns = columns_by_name(data, names)
    values = list(columns.values()) if columns is not None else _elements(data, specs)
    if len(values) != len(specs):
        raise ArgumentError(
            f"Error when checking model {what}: wrong number of {what} arrays: expected {len(specs)}, for {names}, "
            f"received {_described(data)}.{_of_rows(data, len(specs))}"
        )
    return values


def _of_rows(data: Any, expected: int) -> str:
    shapes = {np.shape(row) for row in data} if isinstance(data, list | tuple) and len(data) > 1 else ()
    if len(shapes) == 1 and expected == 1:
        return " If these are the samples of one array, pass np.array(...) of the list."
    return f" Pass a list of {expected} arrays, or a dict by these names." if expected > 1 else ""


def _elements(data: Any, specs: Sequence[ArraySpec]) -> list[Any]:
    """The arrays of a list of arrays; where one is expected, a list of numbers or of lists is one array written out."""
    if not isinstance(data, list | tuple):
        return [data]
    if len(specs) != 1:
        return list(data)
    if len(data) == 1 and np.ndim(data[0]):
        return [as_array(data)] if _is_written_out(data, specs[0]) else list(data)
    return list(data) if any(hasattr(d, "shape") and np.ndim(d) for d in data) else [as_array(data)]


def _is_written_out(data: Sequence[Any], spec: ArraySpec) -> bool:
    """Whether a list of one list is the array itself, of one sample, rather than a list with one array."""
    return spec.shape is not None and isinstance(data[0], list | tuple) and np.ndim(data) == len(spec.shape)


def _described(data: Any) -> str:
    if isinstance(data, list | tuple):
        shapes = ", ".join(str(tuple(np.shape(d))) for d in data[:8])
        return f"a list of {len(data)} arrays with the shapes {shapes}"
    return f"an array of shape {np.shape(data)}" if hasattr(data, "shape") else type(data).__name__


def _conform(value: Any, spec: ArraySpec, what: str, whole: bool) -> Any:
    if sparse.is_sparse_matrix(value):
        value = SparseRows(value.tocsr())
    if is_lazy(value) and not whole:
        shape = tuple(value.shape)
        check_shape((*shape, 1) if len(shape) == 1 else shape, spec, what, shape)
        return in_parts(value)
    where = f"The data for {spec.name!r}"
    array = text_array(value, spec.name) if spec.dtype == "string" else dtypes.plain_numbers(as_array(value, where))
    if array.ndim == 0:
        if array.dtype.kind in "US":
            raise ArgumentError(
                f"The {what} {spec.name!r} is the text {value!r:.60}; expected an array. Read a file first, with "
                "np.loadtxt, pandas.read_csv or keras.utils.image_dataset_from_directory."
            )
        raise ShapeError(
            f"The {what} {spec.name!r} is a single number; expected an array whose first axis is samples, received "
            f"{value!r:.60}."
        )
    if spec.dtype != "string":
        _check_numbers(array, spec)
    given = array.shape
    if lacks_last_axis(given, spec):
        array = array[..., None]
    check_shape(array.shape, spec, what, given)
    if spec.loss:
        hints.of_targets(array, spec.name, spec.loss, spec.bounds)
    return check_indices(_cast(array, spec), spec) if spec.dtype != "string" else array


def lacks_last_axis(shape: tuple[int, ...], spec: ArraySpec) -> bool:
    """Whether an axis of size 1 belongs behind: numbers where vectors are expected."""
    if spec.shape is None:
        return len(shape) == 1
    return len(shape) == len(spec.shape) - 1 and (len(shape) == 1 or spec.shape[-1] == 1)


def _holds_numbers(array: np.ndarray) -> bool:
    """Whether what an array of objects or texts begins with are numbers."""
    try:
        return bool(array.size) and bool(array.reshape(-1)[:100].astype("float64").size)
    except (TypeError, ValueError):
        return False


def _check_numbers(array: np.ndarray, spec: ArraySpec) -> None:
    """Raise ArgumentError, which says what to do with names of classes, unless an array holds numbers."""
    if array.dtype.kind in "biufc":
        return
    hint = ""
    if _holds_numbers(array):
        hint = " It holds numbers in another form: pass array.astype('float32')."
    elif array.size and isinstance(array.flat[0], str):
        hint = (
            f" It holds texts such as {str(array.flat[0])!r:.40}: of names of classes make numbers, "
            "`names, y = np.unique(y, return_inverse=True)`; texts that a model reads need an input of dtype 'string' "
            "and a layer such as StringLookup or TextVectorization."
        )
    raise ArgumentError(f"The data for {spec.name!r} has dtype {array.dtype}; expected numbers.{hint}")


def _cast(array: np.ndarray, spec: ArraySpec) -> np.ndarray:
    _check_numbers(array, spec)
    if array.dtype.kind == "c" and spec.dtype is not None and spec.dtype not in dtypes.COMPLEX:
        raise ArgumentError(
            f"The data for {spec.name!r} is complex; expected real numbers, as the input has dtype {spec.dtype}. Pass "
            "real and imaginary parts as two features."
        )
    if spec.dtype is None:  # class numbers: their kind stays, with a width that every engine has
        wanted = config.floatx() if array.dtype.kind == "f" else _narrow(array)
    else:
        wanted = "float32" if spec.dtype == "bfloat16" else spec.dtype
    return array if array.dtype == wanted else array.astype(wanted)


def _narrow(array: np.ndarray) -> str:
    return array.dtype.name if array.dtype.itemsize < 8 and array.dtype.kind == "i" else "int32"


def check_indices(data: Any, spec: ArraySpec) -> Any:
    """`data`, of which class numbers and numbers of rows are within their range; other data passes.

    Raises: ArgumentError if some are not: an engine may go on with these without a word.
    """
    if spec.labels:
        return check_labels(data, spec)
    if spec.tables and data.size:
        least, most = _range(data)
        for layer, rows in spec.tables:
            if not (least > -1 and most < rows):
                raise ArgumentError(
                    f"The data for the input {spec.name!r} go from {least} to {most}; the layer {layer!r} expects "
                    f"integers from 0 to {rows - 1}, because its input_dim is {rows}. Give it a larger input_dim, or "
                    "replace what it does not know."
                )
    return data


def conform_to(given: Any, wanted: Any, spec: ArraySpec | None = None) -> Callable[[np.ndarray], np.ndarray] | None:
    """What makes an array like `given` one like `wanted`, which was made of it; None unless both are arrays of numbers.

    Args:
        given: what the user passed.
        wanted: what became of it: another dtype, an axis more.
        spec: what it must be; values whose range matters are looked at each time.
    """
    if given.__class__ is not np.ndarray or wanted.__class__ is not np.ndarray or given.dtype.kind not in "biufc":
        return None
    shape, dtype, same = wanted.shape, wanted.dtype, given.shape == wanted.shape and given.dtype == wanted.dtype
    if spec is not None and spec.indices:
        return lambda array: check_indices(array.astype(dtype, copy=False).reshape(shape), spec)
    return (lambda array: array) if same else (lambda array: array.astype(dtype, copy=False).reshape(shape))


def _range(data: np.ndarray) -> tuple[Any, Any]:
    """The smallest and the largest number, NaN if there is one; a few are compared sooner than NumPy gets started."""
    if data.size > 32:
        return np.minimum.reduce(data, None), np.maximum.reduce(data, None)
    numbers = data.ravel().tolist()
    total = sum(numbers)
    return (min(numbers), max(numbers)) if total == total else (total, total)


def check_labels(labels: Any, spec: ArraySpec) -> Any:
    """`labels`, class numbers that index the classes of a spec; other data passes.

    Raises: ArgumentError if some are no class: an engine may train on these without a word.
    """
    if not spec.labels or not labels.size:
        return labels
    least, most = np.minimum.reduce(labels, None), np.maximum.reduce(labels, None)
    if not (least >= 0 and most < spec.classes):
        raise ArgumentError(
            f"The labels for {spec.name!r} go from {least} to {most}; expected class numbers from 0 to "
            f"{spec.classes - 1}, because the output has {spec.classes} classes. "  # type: ignore[operator]
            f"{_remedy_of_labels(least, most, spec.classes)}"
        )
    if labels.dtype.kind == "f" and (labels % 1).any():
        raise ArgumentError(f"The labels for {spec.name!r} are no whole numbers; expected class numbers.")
    return labels


def _remedy_of_labels(least: Any, most: Any, classes: int | None) -> str:
    if classes == 1:
        return (
            "For two classes and 1 unit write activation='sigmoid' and loss='binary_crossentropy'; else give the last "
            "layer a unit for each class."
        )
    if least == 1 and most == classes:
        return "Count classes from 0: pass y - 1."
    return "Count classes from 0, or give the last layer more units."


def _fits(found: tuple[int, ...], spec: ArraySpec) -> bool:
    """Whether a shape is one that `spec` allows, its first axis of any size."""
    return spec.shape is None or (len(found) == len(spec.shape) and causes.fits(found[1:], spec.shape[1:]))


def check_shape(found: tuple[int, ...], spec: ArraySpec, what: str, given: tuple[int, ...]) -> None:
    """Raise ShapeError unless a shape is one that `spec` allows; its first axis may have any size.

    `given` is the shape as the user has it, for the message.
    """
    if spec.shape is not None and not _fits(found, spec):
        same = len(given) == len(spec.shape)
        wanted = f"shape {spec.shape[1:]}" if same else f"{len(spec.shape)} dimensions,"
        inputs = what == "input"
        cause = causes.of_data(spec.shape, given) if inputs else causes.of_targets(spec.shape, given, spec.loss)
        raise ShapeError(
            f"Error when checking {what}: expected {spec.name} to have {wanted} but got array with shape "
            f"{given[1:] if same else given} (with samples: expected shape={_readable(spec.shape)}, found "
            f"shape={given}).{cause}"
        )


def _readable(shape: Shape) -> str:
    return str((None, *shape[1:]))


def same_length(xs: Sequence[Any], ys: Sequence[Any], weights: Sequence[Any]) -> None:
    """Raise ShapeError unless all arrays have the same number of samples."""
    lengths = [{int(a.shape[0]) for a in group} for group in (xs, ys, weights)]
    for group, what in zip(lengths, ("inputs", "targets", "sample weights"), strict=True):
        if len(group) > 1:
            raise ShapeError(
                f"Data cardinality is ambiguous: all {what} need the same number of samples, received {sorted(group)}."
            )
    if len(set().union(*lengths)) > 1:
        told = zip(("inputs", "targets", "sample weights"), lengths, strict=True)
        counts = ", ".join(f"{min(group)} {what}" for what, group in told if group)
        raise ShapeError(
            f"Data cardinality is ambiguous. Input arrays should have the same number of samples as target arrays and "
            f"weights: received {counts}."
        )


def read_rows(array: Any, rows: np.ndarray, spec: ArraySpec | None = None) -> np.ndarray:
    """The rows of an array, and of one that is read in parts cast and checked."""
    if isinstance(array, np.ndarray):
        return array[rows]
    block = read_block(array, rows)
    return block if spec is None else check_indices(_cast(block[:, None] if block.ndim == 1 else block, spec), spec)


# Weights of samples ----------------------------------------------------------------------------------

Weights = list[np.ndarray | None]


def per_output(value: Any, names: Sequence[str], what: str, arrays: bool = False) -> list[Any]:
    """What each output gets of an argument that is one thing, a list or a dict by output names.

    With `arrays` a list of numbers is one thing: an array written out.
    Raises: ArgumentError for an unknown name or a wrong number of elements.
    """
    if value is None or (isinstance(value, list | tuple | dict) and not value):
        return [None] * len(names)
    if isinstance(value, Mapping) and (len(names) > 1 or set(value) <= set(names)):
        return by_name(value, names, what)
    if isinstance(value, list | tuple) and not (arrays and _is_vector(value)):
        if len(value) != len(names):
            raise ArgumentError(
                f"{what}: expected {len(names)} elements, one for each of the outputs {list(names)}, "
                f"received {len(value)}."
            )
        return list(value)
    if len(names) == 1:
        return [value]
    raise WrongKindError(
        f"{what}: the model has {len(names)} outputs, so expected a list of {len(names)} or a dict by the "
        f"names {list(names)}, received {type(value).__name__}."
    )


def by_name(value: Mapping[Any, Any], names: Sequence[str], what: str) -> list[Any]:
    """What each output gets of a dict by output names.

    Raises: ArgumentError for an unknown name.
    """
    unknown = [key for key in value if key not in names]
    if unknown:
        raise ArgumentError(f"{what}: expected the output names {list(names)} as keys, received also {unknown}.")
    return [value.get(name) for name in names]


def _is_vector(value: Sequence[Any]) -> bool:
    """Whether a list is one array written out, not a list of arrays."""
    return isinstance(value[0], int | float | np.number)


def weight_modes(sample_weight_mode: Any, names: Sequence[str]) -> list[str | None]:
    """'temporal' or None for each output.

    Raises: ArgumentError for another mode.
    """
    shared = sample_weight_mode is None or isinstance(sample_weight_mode, str)
    found = [sample_weight_mode] * len(names) if shared else None
    found = found or per_output(sample_weight_mode, names, "sample_weight_mode")
    wrong = [mode for mode in found if mode not in (None, "samplewise", "temporal")]
    if wrong:
        raise ArgumentError(f"sample_weight_mode: expected 'temporal' or None, received {wrong[0]!r}.")
    return [mode if mode == "temporal" else None for mode in found]


def class_weights(value: Any, names: Sequence[str]) -> list[Any]:
    """The class weights of each output: dicts from class to weight, or None."""
    if isinstance(value, str):
        warnings.warn(
            f"class_weight={value!r} is ignored, as Keras always did: it takes a dict from class number to weight.",
            stacklevel=2,
        )
        return [None] * len(names)
    if len(names) == 1 and isinstance(value, list | np.ndarray):
        return [value]
    if isinstance(value, Mapping) and value and not any(isinstance(v, Mapping) for v in value.values()):
        if len(names) > 1 and not set(value) <= set(names):
            raise ArgumentError(
                f"class_weight: the model has {len(names)} outputs, so expected a dict by the names "
                f"{list(names)} with a dict of class weights for each, received one for all (without names "
                "`class_weight` is only supported for Models with a single output)."
            )
        return [value]
    return per_output(value, names, "class_weight")


def sample_weights(
    targets: Sequence[np.ndarray | None],
    sample_weight: Any,
    class_weight: Any,
    names: Sequence[str],
    weight_modes: Sequence[str | None],
    classes: Sequence[int | None] | None = None,
) -> Weights:
    """One array of weights for each output, or None. `classes` says how many each output has, where that is known.

    Shape: (n,) for each output, (n, steps) where the mode is 'temporal'.
    Raises: ShapeError, ArgumentError if weights do not fit the targets.
    """
    if sample_weight is None and class_weight is None:
        return [None] * len(names)
    by_sample = per_output(sample_weight, names, "sample_weight", arrays=True)
    by_class = class_weights(class_weight, names)
    rows = zip(targets, by_sample, by_class, names, weight_modes, classes or [None] * len(names), strict=True)
    return [None if y is None else _combined(y, *row) for y, *row in rows]


def _combined(
    y: np.ndarray, sample: Any, classes: Any, name: str, mode: str | None, number: int | None
) -> np.ndarray | None:
    dtype = config.floatx()
    if sample is not None:
        sample = _checked(_numbers(sample, f"sample_weight of output {name!r}"), y, name, mode)
    if classes is None:
        return sample
    of_class = class_weight_of_samples(y, classes, name, mode, number).astype(dtype)
    return of_class if sample is None else sample * of_class


def _numbers(value: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(as_array(value), config.floatx())
    except (TypeError, ValueError):
        raise ArgumentError(f"{what}: expected an array of numbers, received {value!r:.60}.") from None


def _checked(weight: np.ndarray, y: np.ndarray, name: str, mode: str | None) -> np.ndarray:
    if mode == "temporal":
        if y.ndim < 3:
            raise ShapeError(
                f"sample_weight of output {name!r}: temporal weights need targets of at least 3 axes "
                f"(n, steps, ...), received targets of shape {y.shape}. "
                'Compile without sample_weight_mode="temporal" for one weight a sample.'
            )
        if weight.ndim != 2:
            raise ShapeError(
                f"sample_weight of output {name!r}: expected the shape {y.shape[:2]} (n, steps) for "
                f'sample_weight_mode="temporal", received {weight.shape}.'
            )
    elif weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    elif weight.ndim != 1:
        raise ShapeError(
            f"sample_weight of output {name!r}: expected one weight a sample, of shape ({len(y)},), received "
            f'{weight.shape}. For a weight each time step compile with sample_weight_mode="temporal".'
        )
    if weight.shape != y.shape[: weight.ndim]:
        raise ShapeError(
            f"sample_weight of output {name!r}: expected the shape {y.shape[: weight.ndim]} of its targets, "
            f"received {weight.shape}."
        )
    return weight


def class_weight_of_samples(
    y: np.ndarray, classes: Mapping[Any, float], name: str, mode: str | None = None, number: int | None = None
) -> np.ndarray:
    """The weight of each sample's class.

    Args:
        y: the targets.
        classes: from class number to weight.
        name: of the output.
        mode: 'temporal' or None.
        number: how many classes there are, if that is known.

    Shape: `y` (n,), (n, 1) with class numbers or (n, classes) one-hot; the result (n,).
    Raises: ArgumentError if a class has no weight or `classes` is not a dict of classes that there are and numbers;
        ShapeError for other targets.
    """
    if not isinstance(classes, Mapping):
        raise ArgumentError(
            f"class_weight of output {name!r}: expected a dict from class number to weight, "
            f"received {type(classes).__name__}. Of a list with a weight for each class make dict(enumerate(weights))."
        )
    _check_class_weights(classes, name, number)
    if y.ndim > 2 or mode == "temporal":
        raise ShapeError(
            f"class_weight of output {name!r}: expected targets of shape (n, classes) or (n, 1), received "
            f"{y.shape}. Compute a sample_weight from your classes instead."
        )
    numbers = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    present, places = np.unique(numbers, return_inverse=True)
    missing = [c.item() for c in present if c not in classes]
    if missing:
        raise ArgumentError(
            f"class_weight of output {name!r}: expected a weight for every class in the data, there is none "
            f"for {missing}. The dict has {sorted(classes)}."
        )
    return np.array([float(classes[c]) for c in present.tolist()])[places.reshape(-1)]


def _check_class_weights(classes: Mapping[Any, Any], name: str, number: int | None) -> None:
    unknown = [c for c in classes if not isinstance(c, int | float | np.number) or not 0 <= c < (number or np.inf)]
    if unknown:
        known = f"from 0 to {number - 1}" if number else "from 0"
        raise ArgumentError(
            f"class_weight of output {name!r}: expected class numbers {known} as keys, received {unknown}."
        )
    wrong = {c: w for c, w in classes.items() if not isinstance(w, int | float | np.number) or w != w}
    if wrong:
        raise ArgumentError(f"class_weight of output {name!r}: expected numbers as weights, received {wrong}.")
