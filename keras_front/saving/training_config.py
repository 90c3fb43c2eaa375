"""Training configs: what `compile` was given, from a file of any Keras and back.

The optimizer stays a config here; whoever compiles the model makes it. The weights of optimizers are put
into the order of Keras 2 (all first moments, then all second ones) by name or, where a file has no names,
by table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import config as settings
from keras_front import conventions
from keras_front.errors import ArgumentError, SerializationError, ShapeError
from keras_front.initializers import host_dtype
from keras_front.optimizers import LossScaleOptimizer
from keras_front.registry import Registry, get_registered_object, plain, serialize_keras_object

from . import guard
from .config import Config, class_of, convert, form_of

__all__ = [
    "compile_model",
    "dialect_of_file",
    "dialect_of_model",
    "in_slot_order",
    "read_training_config",
    "set_optimizer_state",
    "training_config_of",
]

DIALECT = "dialect"  # the key under which a file of keras_front states its dialect, and an optimizer one of its own


# Names that stand for one of several functions, and those functions; which one depends on the loss.
ACCURACY_NAMES = ("acc", "accuracy")
ACCURACIES = ("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")
SPARSE = "sparse"


def read_training_config(raw: Any, outputs: Iterable[str] = (), where: str = "The training config") -> Config:
    """Keyword arguments for `compile`, from the training config of any Keras; `optimizer` still a config.

    Args:
        raw: JSON text, bytes or a dictionary.
        outputs: names of the model's outputs, which metrics of later versions repeat.
        where: what to call the file or config in messages.

    Raises: SerializationError for what is no training config; UnsafeFileError.
    """
    config = guard.parsed(raw, where) if isinstance(raw, str | bytes) else raw
    guard.check_config(config, where)
    _check_sizes(config, where)
    if not isinstance(config, Mapping):
        raise SerializationError(f"{where}: expected a dictionary, received {type(config).__name__}.")
    result = {
        "optimizer": _optimizer(config.get("optimizer_config") or config.get("optimizer")),
        "loss": convert(config.get("loss"), False),
        "metrics": _metrics(config.get("metrics"), list(outputs), config.get("loss")),
        "loss_weights": convert(config.get("loss_weights"), False),
        "weighted_metrics": _metrics(config.get("weighted_metrics"), list(outputs), config.get("loss")),
    }
    if config.get("sample_weight_mode") is not None:
        result["sample_weight_mode"] = config["sample_weight_mode"]
    result.update({name: config.get(name) for name in HOW_STEPS_RUN})
    return {k: v for k, v in result.items() if v is not None}


# What metrics may make arrays of (of classes by classes), and how many of anything there may be in a list.
SIZES = {"num_thresholds": 100_000, "num_classes": 5_000}
LONGEST = 10_000


def _check_sizes(config: Any, where: str) -> None:
    """Refuse metrics that would take memory or time that no training is worth.

    Raises: UnsafeFileError.
    """
    for item in guard.dictionaries(config):
        for name, value in item.items():
            size, most = (len(value), LONGEST) if isinstance(value, list) else (value, SIZES.get(name))
            if most is not None and isinstance(size, int | float) and size > most:
                raise guard.unsafe(
                    where, f"{name} of at most {most}", f"{size:.6g}", "If that is meant, compile after loading."
                )


INNER = ("inner_optimizer", "optimizer")  # what one that wraps another one calls it; the second up to tf.keras 2.3


# Arguments of optimizers that no other Keras has. They stand beside the config, where other readers pass over them.
BESIDE = ("epsilon_in_root",)


def _optimizer(item: Any, of_keras_front: bool = False) -> Any:
    if not isinstance(item, Mapping) or not isinstance(item.get("config"), Mapping):
        return item
    kind = class_of(item)
    if get_registered_object(kind) is None:
        kind = kind.rpartition(">")[2]  # tf_keras registers its own optimizers as if they were the user's
    stated = {DIALECT: item[DIALECT]} if _is_dialect(item.get(DIALECT)) else {}
    of_keras_front = of_keras_front or bool(stated)
    within = [k for k in INNER if isinstance(item["config"].get(k), Mapping)]
    arguments = {
        k: _optimizer(v, of_keras_front) if k in within else convert(v, False) for k, v in item["config"].items()
    }
    if not of_keras_front:
        return {"class_name": kind, "config": {**_left_out(kind, arguments), **arguments}}
    return {"class_name": kind, "config": {**arguments, **{k: item[k] for k in BESIDE if k in item}}, **stated}


def _left_out(kind: str, arguments: Config) -> Mapping[str, Any]:
    """Arguments that the files of later Keras leave out, with what is meant then."""
    left_out = form_of(kind).left_out
    return {} if "decay" in arguments else left_out


def _metrics(given: Any, outputs: list[str], losses: Any = None) -> Any:
    """Metrics as `compile` takes them; tf_keras wraps each in an object, and all in a list per output."""
    if isinstance(given, Mapping) and "class_name" not in given:
        return {k: _metrics(v, [k], losses) for k, v in given.items()}
    if not isinstance(given, list):
        return _metric(given, "", losses) if given is not None else None
    if any(isinstance(item, list) for item in given):
        per_output = [[_metric(m, name, losses) for m in item or () if m is not None]
                      for item, name in zip(given, outputs + [""] * len(given), strict=False)]  # fmt: skip
        return per_output if len(given) > 1 else per_output[0]
    return [_metric(item, outputs[0] if len(outputs) == 1 else "", losses) for item in given]


def _metric(item: Any, output: str, losses: Any) -> Any:
    """A metric: the name that the user gave it where that name means the wrapped function, else its config."""
    if not isinstance(item, Mapping) or not isinstance(item.get("config"), Mapping):
        return convert(item, False)
    item = convert(item, False)
    arguments = item["config"]
    if output and isinstance(arguments.get("name"), str):  # compiling puts the output's name before it again
        arguments["name"] = arguments["name"].removeprefix(f"{output}_")
    if item["class_name"] != "MeanMetricWrapper":
        return item
    name, function = str(arguments.get("name")), arguments.get("fn")
    loss = losses.get(output) if isinstance(losses, Mapping) and "class_name" not in losses else losses
    short = name in ACCURACY_NAMES and function in ACCURACIES
    if _means(name, function) or (short and (SPARSE in str(loss)) == (SPARSE in function)):
        return name
    return item


def _means(name: str, function: Any) -> bool:
    """Whether a metric of this name is this function."""
    known = Registry.of("metric")
    try:
        return isinstance(function, str) and known.lookup(name) is known.lookup(function)
    except ArgumentError:
        return False


def _optimizer_config(optimizer: Any) -> Config:
    """Class and config; that of an optimizer within says where Keras 3 finds it.

    The one around it says its name only if it has another than Keras 3 gives it: in tf.keras it has none.
    """
    written = _with_beside(serialize_keras_object(optimizer))
    inner = written["config"].get(INNER[0])
    if inner is None:
        return written
    inner = {"module": "keras.optimizers", **_with_beside(inner), "registered_name": None}
    arguments = {k: v for k, v in written["config"].items() if (k, v) != ("name", "loss_scale_optimizer")}
    return {**written, "config": {**arguments, INNER[0]: inner}}


def _with_beside(written: Config) -> Config:
    arguments = written["config"]
    beside = {k: arguments[k] for k in BESIDE if k in arguments}
    return (
        {**written, "config": {k: v for k, v in arguments.items() if k not in beside}, **beside} if beside else written
    )


def training_config_of(model: Any) -> Config | None:
    """What `compile` was given, as Keras 2 writes it; None for a model that is not compiled.

    Args:
        model: the model.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return None
    given = compile_arguments(model)
    return {
        "optimizer_config": {**_optimizer_config(optimizer), **_own_dialect(optimizer, model)},
        "loss": plain(given.get("loss")),
        "metrics": plain(given.get("metrics")),
        "weighted_metrics": plain(given.get("weighted_metrics")),
        "sample_weight_mode": plain(given.get("sample_weight_mode")),
        "loss_weights": plain(given.get("loss_weights")),
        **{name: given[name] for name, default in HOW_STEPS_RUN.items() if given[name] != default},
    }


# Short names of losses, and what every Keras calls them in full: Keras 3 does not find the short ones in an .h5 file.
IN_FULL = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error", "kld": "kullback_leibler_divergence",
}  # fmt: skip


def in_full(loss: Any) -> Any:
    """A loss by the name that every Keras knows.

    Args:
        loss: a loss as a config says it, or a list or dict of them.

    Example:
        >>> in_full(["mse", "hinge"])
        ['mean_squared_error', 'hinge']
    """
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {name: in_full(value) for name, value in loss.items()}
    if isinstance(loss, list | tuple):
        return [in_full(value) for value in loss]
    return IN_FULL.get(loss.lower(), loss) if isinstance(loss, str) else loss


# Arguments of `compile` that say how steps run, with their defaults. Keras 3 writes them all, tf.keras none; ours are
# in a file where they are no defaults.
HOW_STEPS_RUN: Config = {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": "auto"}


def compile_arguments(model: Any) -> Config:
    """The arguments that `compile` was given, as the model keeps them.

    Args:
        model: a compiled model.
    """
    kept = getattr(model, "_compile_metrics", None)
    metrics, weighted = kept.value if kept is not None else (None, None)
    return {
        "loss": getattr(model, "loss", None),
        "metrics": metrics,
        "weighted_metrics": weighted,
        "sample_weight_mode": getattr(model, "sample_weight_mode", None),
        "loss_weights": getattr(model, "loss_weights", None),
        **{name: getattr(model, name, default) for name, default in HOW_STEPS_RUN.items()},
    }


# Dialects --------------------------------------------------------------------------------------------


def dialect_of_file(stated: Any, version: str | None) -> str:
    """The dialect in which the training config of a file is read.

    Args:
        stated: what a file of keras_front says; None for the files of Keras.
        version: the Keras that wrote the file, as it states it; None if it does not.

    Returns: the dialect that the user has chosen, if any; else what the file states; else that of its version.
    """
    if settings.setting("dialect").given:
        return settings.current_dialect()
    return stated if _is_dialect(stated) else conventions.dialect_of_version(version)


def _is_dialect(value: Any) -> bool:
    return isinstance(value, str) and value in (settings.NATIVE, *settings.GENERATIONS)


def dialect_of_model(model: Any) -> str:
    """The dialect that a file of this model states: that of `compile`.

    Args:
        model: the model.
    """
    compilation = getattr(model, "_compilation", None)
    return settings.current_dialect() if compilation is None else compilation.dialect


def _own_dialect(optimizer: Any, model: Any) -> Config:
    """What an optimizer states beside its config: its dialect, which may be another one than that of the model."""
    return {DIALECT: getattr(optimizer, "_dialect", None) or dialect_of_model(model)}


def with_global_clipnorm(config: Config) -> Config:
    """The config of an optimizer whose `clipnorm` means the norm of all gradients as later Keras write it.

    Args:
        config: class, config and dialect of the optimizer.
    """
    arguments = config.get("config")
    if isinstance(arguments, Mapping) and isinstance(arguments.get(INNER[0]), Mapping):
        inner = with_global_clipnorm({**arguments[INNER[0]], DIALECT: config[DIALECT]})
        return {**config, "config": {**arguments, INNER[0]: inner}}
    joint = conventions.of(config[DIALECT]).joint_clipnorm
    if not joint or not isinstance(arguments, Mapping) or arguments.get("global_clipnorm") is not None:
        return config
    renamed = {"global_clipnorm" if k == "clipnorm" else k: v for k, v in arguments.items()}
    return {**config, "config": renamed}


# Compiling and the optimizer's state -----------------------------------------------------------------

# Slots as the various versions name them in files; the longest that fits counts.
SLOTS = (
    "average_gradient", "average_gradients", "velocity_hat", "momentum", "velocity", "accumulator",
    "accumulated_grad", "accumulated_delta_var", "accum_grad", "accum_var", "accumulated_gradient", "vhat",
    "gradient_accumulator", "average", "linear", "rms", "mom", "mg", "norm", "m", "v", "u", "r", "c",
)  # fmt: skip

LOSS_SCALE = ("step_counter", "dynamic_scale")  # the variables of a `LossScaleOptimizer`
COUNTERS = frozenset({"iter", "iteration", "iterations"})
RATES = frozenset({"learning_rate", "current_learning_rate"})


def compile_model(model: Any, training: Any, where: str, dialect: str = settings.NATIVE) -> Any:
    """Compile `model` as a training config says.

    Args:
        model: the model.
        training: the training config of any Keras.
        where: what to call the file or config in messages.
        dialect: what the names and numbers of the config mean; the model and its optimizer keep it.

    Returns: the optimizer, without its state.
    """
    given = read_training_config(training, getattr(model, "output_names", ()), where)
    described = given.pop("optimizer", None)
    optimizer = Registry.of("optimizer").get(described)
    if optimizer is None:
        raise SerializationError(f"{where}: expected an optimizer in the training config, found none.")
    if hasattr(optimizer, "_dialect"):
        stated = described.get(DIALECT) if isinstance(described, Mapping) else None
        optimizer._dialect = dialect if stated is None or settings.setting("dialect").given else stated
    for key, kind in (("loss", "loss"), ("metrics", "metric"), ("weighted_metrics", "metric")):
        if key in given:
            given[key] = _made(given[key], Registry.of(kind))
    with settings.dialect(dialect):
        model.compile(optimizer, **given)
    return model.optimizer


def _made(value: Any, registry: Registry) -> Any:
    """Objects for the configs in a structure; names stay names."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return registry.deserialize(value)
        return {k: _made(v, registry) for k, v in value.items()}
    return [_made(v, registry) for v in value] if isinstance(value, list | tuple) else value


def set_optimizer_state(
    optimizer: Any, model: Any, names: Sequence[str], arrays: Sequence[np.ndarray], where: str
) -> None:
    """Give `optimizer` the step counter and slots of a file.

    Args:
        optimizer: the optimizer of the model.
        model: the compiled model.
        names: names of the arrays, or their numbers in files of Keras 3.
        arrays: the arrays in the order of the file.
        where: what to call the file or config in messages.

    Raises: SerializationError if they do not fit.
    """
    params = model.trainable_weights
    names, arrays, scale = _without_loss_scale(names, arrays)
    if isinstance(optimizer, LossScaleOptimizer):
        _set_loss_scale(optimizer, scale, where)
        optimizer = optimizer.inner_optimizer
    optimizer.prepare(params)
    values = _without_stubs(optimizer.weights, in_slot_order(optimizer, names, arrays, params))
    if len(values) < len(optimizer.weights):
        values = _with_placeholders(optimizer.weights, values, _placeholders(optimizer, params))
    try:
        optimizer.set_weights(values)
    except ShapeError:
        raise SerializationError(
            f"{where}: expected a state of shapes {[w.shape for w in optimizer.weights]} for "
            f"{type(optimizer).__name__}, received {[v.shape for v in values]}."
        ) from None


def _without_loss_scale(
    names: Sequence[str], arrays: Sequence[np.ndarray]
) -> tuple[list[str], list[np.ndarray], dict[str, np.ndarray]]:
    """Names and arrays of an optimizer, and by name those of a loss scale around it.

    In an .h5 file of Keras 3 the latter stand with a counter and a rate that mean nothing.
    """
    home = next((n.rpartition("/")[0] for n in names if n.rpartition("/")[2] == LOSS_SCALE[1]), None)
    if home is None:
        return list(names), list(arrays), {}
    around = {f"{home}/{last}" for last in (*LOSS_SCALE, *COUNTERS, *RATES)} if home else set(LOSS_SCALE)
    scale = {n.rpartition("/")[2]: a for n, a in zip(names, arrays, strict=True) if n in around}
    rest = [(n, a) for n, a in zip(names, arrays, strict=True) if n not in around]
    return [n for n, _ in rest], [a for _, a in rest], scale


def _set_loss_scale(optimizer: LossScaleOptimizer, scale: Mapping[str, np.ndarray], where: str) -> None:
    for name, variable in zip(LOSS_SCALE, optimizer.scale_variables):
        if name in scale:
            if scale[name].shape != ():
                raise SerializationError(f"{where}: expected a number as {name}, received shape {scale[name].shape}.")
            variable.set(scale[name].astype(host_dtype(variable.dtype)))


def in_slot_order(
    optimizer: Any, names: Sequence[str], arrays: Sequence[np.ndarray], params: Sequence[Any]
) -> list[np.ndarray]:
    """The state of an optimizer as Keras 2 orders it: the counters, then slot by slot.

    Args:
        optimizer: the one that the state is for.
        names: names of the arrays; numbers in the files of Keras 3, which has a rate after the counter.
        arrays: the arrays in the file.
        params: the weights that are trained.
    """
    if any(name.isdigit() for name in names):
        numbered = [a for n, a in zip(names, arrays, strict=True) if n.isdigit()]
        further = [a for n, a in zip(names, arrays, strict=True) if not n.isdigit()]
        return _numbered_in_slot_order(optimizer, numbered, further, params)
    plain_names = [_bare(name) for name in names]
    counter = [a for n, a in zip(plain_names, arrays) if n.split("/")[-1] in COUNTERS]
    rest = [(n, a) for n, a in zip(plain_names, arrays) if n.split("/")[-1] not in COUNTERS | RATES]
    if optimizer._updates_variables():  # a class in the manner of Keras 3 has an order of its own
        return counter + [a for _, a in rest]
    kinds = sorted(dict.fromkeys(_slot(n) for n, _ in rest), key=bool)  # what belongs to no weight comes first
    return counter + [a for wanted in kinds for n, a in rest if _slot(n) == wanted]


def _numbered_in_slot_order(
    optimizer: Any, numbered: list[np.ndarray], further: list[np.ndarray], params: Sequence[Any]
) -> list[np.ndarray]:
    """The state from an archive: counter, rate, slots and further counters of Keras 3; no rate in tf_keras."""
    expected = len(optimizer.slots_in_keras3_order(params))
    has_rate = len(numbered) > 1 and numbered[1].ndim == 0 and len(numbered) != 1 + expected
    slots = numbered[2:] if has_rate else numbered[1:]
    beside = len(slots) - expected
    if not further and 0 < beside == len(optimizer.counters) - 1:
        slots, further = slots[:expected], slots[expected:]
    if not expected:  # tf_keras keeps a momentum for each weight, also where there is none
        slots = []
    return [*numbered[:1], *further, *_slot_by_slot(optimizer, slots, params)]


def _bare(name: str) -> str:
    return name.rpartition(":")[0] if ":" in name else name


def _slot(name: str) -> str:
    """Which slot a name means: 'Adam/dense/kernel/m', 'Adam/m/dense/kernel', 'adam/dense_kernel_momentum'."""
    parts = name.split("/")
    for part in (parts[-1], *parts[1:2], parts[0]):
        if part in SLOTS:
            return part
    ends = [slot for slot in SLOTS if parts[-1].endswith(f"_{slot}")]
    return max(ends, key=len, default="")


def _without_stubs(weights: Sequence[Any], values: list[np.ndarray]) -> list[np.ndarray]:
    """Leave out the placeholders of shape (1,) that Keras 2.3 kept where Adam has no third slot."""
    extra = len(values) - len(weights)
    if extra > 0 and all(v.shape == (1,) for v in values[-extra:]):
        return values[:-extra]
    return values


def _placeholders(optimizer: Any, params: Sequence[Any]) -> set[Any]:
    """The slots that are mere numbers, as they mean nothing for their weight; files of tf_keras leave them out."""
    slots = [slot for param in params if tuple(param.shape) for slot in optimizer.slots_of(param).values()]
    return {slot for slot in slots if not tuple(slot.shape)}


def _with_placeholders(weights: Sequence[Any], values: list[np.ndarray], left_out: set[Any]) -> list[np.ndarray]:
    """A state with what its file leaves out, if that is all that it lacks."""
    if len(values) + len(left_out) != len(weights):
        return values
    rest = iter(values)
    return [weight.numpy() if weight in left_out else next(rest) for weight in weights]


def _slot_by_slot(optimizer: Any, arrays: list[np.ndarray], params: Sequence[Any]) -> list[np.ndarray]:
    """Slots in the order of Keras 3, where some lie weight by weight, put slot by slot."""
    order = optimizer.slots_in_keras3_order(params)
    if len(arrays) < len(order):
        left_out = _placeholders(optimizer, params)
        order = [slot for slot in order if slot not in left_out]
    if len(arrays) != len(order):
        return arrays
    of_slot = dict(zip(order, arrays, strict=True))
    return [of_slot[slot] for slot in optimizer.weights_of(params) if slot in of_slot]


def in_keras3_order(optimizer: Any, params: Sequence[Any]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The state of an optimizer as Keras 3 numbers it: counter, rate, slots; and further counters, which it leaves out.

    There is no rate where a schedule sets it.

    Args:
        optimizer: whose state it is.
        params: the weights that are trained.
    """
    variables = optimizer.weights_of(params)
    rate = [] if optimizer.is_scheduled else [np.asarray(float(optimizer.lr), "float32")]
    counters, slots = optimizer.counters, optimizer.slots_in_keras3_order(params)
    if {*counters, *slots} != set(variables):  # somebody's optimizer, which says itself what its state is
        values = [v.numpy() for v in variables]
        return [*values[:1], *rate, *values[1:]], []
    return [counters[0].numpy(), *rate, *(v.numpy() for v in slots)], [v.numpy() for v in counters[1:]]
