"""Functions that change variables of K, and those around them: `tf.assign`, `tf.group`, `tf.while_loop`, `tf.Print`.

Source: TensorFlow 1.15, `state_ops`, `control_flow_ops`, `variable_scope` and `logging_ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import backend as K
from keras_front import initializers

from . import nests
from .tensor_arrays import TensorArray

custom_gradient = K.custom_gradient


def assign(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: str | None = None) -> Any:
    """The new value of a variable, which it has from now on.

    Args:
        ref: the variable.
        value: its value.
        validate_shape: not used.
        use_locking: not used.
        name: not used.
    """
    ref.assign(value)
    return K.identity(ref)


def assign_add(ref: Any, value: Any, use_locking: Any = None, name: str | None = None) -> Any:
    """The new value of a variable to which something is added.

    Args:
        ref: the variable.
        value: what is added.
        use_locking: not used.
        name: not used.
    """
    return assign(ref, ref + value)


def assign_sub(ref: Any, value: Any, use_locking: Any = None, name: str | None = None) -> Any:
    """The new value of a variable from which something is taken.

    Args:
        ref: the variable.
        value: what is taken.
        use_locking: not used.
        name: not used.
    """
    return assign(ref, ref - value)


def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing: what was assigned is assigned.

    Args:
        inputs: not used.
        kwargs: not used.
    """


def Print(input_: Any, data: Any, message: str | None = None, **kwargs: Any) -> Any:
    """A tensor that is shown when it is computed.

    Args:
        input_: the tensor.
        data: what TensorFlow showed with it; not used.
        message: what stands before it.
        kwargs: not used.
    """
    return K.print_tensor(input_, message or "")


def get_variable(
    name: str, shape: Any = None, dtype: Any = "float32", initializer: Any = None, trainable: bool = True, **more: Any
) -> Any:
    """A new variable of K.

    Args:
        name: its name.
        shape: its shape; not needed where the initializer is a value.
        dtype: its dtype.
        initializer: an initializer or a value; by default numbers as for a layer, 'glorot_uniform'.
        trainable: whether it is a weight that is trained.
        more: not used.
    """
    make = initializers.get("glorot_uniform" if initializer is None else initializer)
    value = make(tuple(shape), dtype=str(dtype)) if callable(make) else make
    made = K.variable(value, dtype=str(dtype), name=name)
    made.trainable = trainable
    return made


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, *args: Any, **options: Any) -> Any:
    """What variables of a loop are when its condition is no longer true.

    Args:
        cond: the condition, of the variables.
        body: their next values.
        loop_vars: their first values. With a `TensorArray` among them each round is recorded by itself.
        args: not used.
        options: `maximum_iterations`; others are not used.
    """
    most = options.get("maximum_iterations")
    if any(isinstance(each, TensorArray) for each in nests.flatten(loop_vars)):
        values, done = loop_vars, 0
        while (most is None or done < int(most)) and bool(cond(*values)):
            values, done = body(*values), done + 1
        return values
    return K.while_loop(cond, body, loop_vars, **({} if most is None else {"maximum_iterations": most}))


def scan(fn: Callable[..., Any], elems: Any, initializer: Any = None, *args: Any, **options: Any) -> Any:
    """What a function of the result so far and the next part of a tensor gives, one after the other.

    Args:
        fn: the function.
        elems: the tensor, or nested lists of several; their first axis is gone through.
        initializer: the first result, or nested lists of several; by default the first part.
        args: not used.
        options: not used.
    """
    structure = elems if initializer is None else initializer
    parts, kept = nests.flatten(elems), nests.flatten(structure)
    first, rest = ([x[0] for x in parts], [x[1:] for x in parts]) if initializer is None else (kept, parts)

    def step(carried: Any, items: Any) -> tuple[Any, Any]:
        made = fn(nests.pack_sequence_as(structure, list(carried)), nests.pack_sequence_as(elems, list(items)))
        return nests.flatten(made), nests.flatten(made)

    results = K.scan(step, first, rest)[1]
    if initializer is None:
        results = [K.concatenate([K.expand_dims(one, 0), more], 0) for one, more in zip(first, results, strict=True)]
    return nests.pack_sequence_as(structure, list(results))


foldl, foldr = K.foldl, K.foldr
