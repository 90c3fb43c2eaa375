"""The likely cause of a shape that does not fit: a sentence for the end of a message, or nothing where none is likely.

Only shapes are looked at, and only after something did not fit. Each sentence begins with a space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Shape = Sequence[int | None]


def of_data(wanted: Shape, given: Sequence[int]) -> str:
    """Why an array does not fit an input.

    Args:
        wanted: the shape that the input has, with the batch axis.
        given: the shape of the array.

    Example:
        >>> of_data((None, 4), (4,))
        ' If this is one sample, it lacks the axis of samples: pass array[np.newaxis].'
        >>> of_data((None, 8, 8, 3), (5, 3, 8, 8))
        " The channels seem to come first: pass np.moveaxis(array, 1, -1), or build the model 'channels_first'."
    """
    if len(given) == len(wanted) - 1 and fits(given, wanted[1:]):
        samples = _samples_in_shape(wanted, given)
        return f" If this is one sample, it lacks the axis of samples: pass array[np.newaxis].{samples}"
    if len(given) == len(wanted):
        return _same_rank(wanted, given)
    if len(wanted) == 4 and len(given) == 3 and fits(given[1:], wanted[1:3]):
        return (
            f" The images lack the axis of channels: pass np.repeat(array[..., np.newaxis], {wanted[-1]}, axis=-1), or "
            "give the model an Input of one channel."
        )
    return _flat(wanted, given)


def _samples_in_shape(wanted: Shape, given: Sequence[int]) -> str:
    """For a first size that was meant to be the number of samples, as beginners write it."""
    if len(given) < 2 or (len(given) > 2 and given[0] <= max(given[1:])):
        return ""
    return f" If it is {given[0]} samples, leave their number out of the shape of the input: {tuple(wanted[2:])}."


def _same_rank(wanted: Shape, given: Sequence[int]) -> str:
    if len(wanted) == 2 and fits(given[:1], wanted[1:]):
        return " Rows and columns seem to be exchanged: samples come first, so pass array.T."
    if len(wanted) < 3:
        return ""
    if fits((*given[2:], given[1]), wanted[1:]):
        if len(wanted) == 3:
            return " Steps and features seem to be exchanged: pass np.swapaxes(array, 1, 2)."
        return " The channels seem to come first: pass np.moveaxis(array, 1, -1), or build the model 'channels_first'."
    if fits((given[-1], *given[1:-1]), wanted[1:]):
        return " The channels seem to come last: pass np.moveaxis(array, -1, 1), or build the model 'channels_last'."
    if len(wanted) == 4 and fits(given[1:3], wanted[1:3]) and (given[3], wanted[3]) in ((1, 3), (3, 1), (4, 3)):
        change = {1: "np.repeat(array, 3, axis=-1)", 3: "array.mean(axis=-1, keepdims=True)", 4: "array[..., :3]"}
        return f" The images have {given[3]} channels, the model takes {wanted[3]}: pass {change[given[3]]}."
    return ""


def _flat(wanted: Shape, given: Sequence[int]) -> str:
    sizes = wanted[1:]
    if None in sizes or math.prod(given[1:]) != math.prod(s or 1 for s in sizes) or not given[1:]:
        return ""
    return (
        f" There are as many numbers in a sample: pass array.reshape((-1, {', '.join(map(str, sizes))})), or begin the "
        f"model with a {'Flatten' if len(sizes) == 1 else 'Reshape'} layer."
    )


def of_targets(wanted: Shape, given: Sequence[int], loss: str) -> str:
    """Why targets do not fit an output.

    Args:
        wanted: the shape that targets must have, with the batch axis.
        given: the shape of the array.
        loss: the name of the loss.

    Example:
        >>> of_targets((None, 1), (8, 3), "sparse_categorical_crossentropy")[:37]
        ' These seem to be one-hot: compile wi'
    """
    units, columns = wanted[-1], given[-1] if len(given) > 1 else 1
    if loss.startswith("sparse") and len(given) == len(wanted):
        return (
            " These seem to be one-hot: compile with loss='categorical_crossentropy', or pass class numbers, "
            "array.argmax(axis=-1)."
        )
    if loss == "categorical_crossentropy" and columns == 1:
        return (
            " For class numbers as targets compile with loss='sparse_categorical_crossentropy', or make them one-hot "
            "with keras.utils.to_categorical."
        )
    if units == 1 and columns == 2:
        return " Two columns for one unit: pass the second, array[:, 1:], or give the last layer 2 units with softmax."
    if len(wanted) == 2 and columns == 1:
        return (
            f" There is one number for each sample, and the last layer has {units} units: give it 1 unit, or for class "
            "numbers softmax and loss='sparse_categorical_crossentropy'."
        )
    if 3 <= len(wanted) > len(given):
        return (
            f" The output keeps axes of its input, {tuple(wanted[1:])} for each sample: for one answer a sample put "
            "Flatten(), a global pooling or return_sequences=False before the last layers."
        )
    if len(given) == len(wanted) == 2:
        return f" The last layer has {units} units; targets of {columns} columns need {columns}."
    return ""


def of_rank(wanted: int, shape: Shape, at_least: bool = False) -> str:
    """Why an input of a layer has too few axes, or one too many.

    Args:
        wanted: how many axes the layer expects, at least or exactly.
        shape: shape of the input, with the batch axis; its size is known where these are values.
        at_least: whether it may have more.
    """
    if len(shape) == wanted + 1 and not at_least and shape[0] is None:
        return " If the first size is that of the data or a batch, leave it out of input_shape."
    if len(shape) != wanted - 1:
        return ""
    if shape and shape[0] is not None:
        return " If this is one sample, it lacks the axis of samples: pass array[np.newaxis]."
    if at_least:
        return ""
    if wanted == 4:
        height, width = shape[1:]
        return f" Images have an axis of channels: ({height}, {width}, 1) for grey ones, as Reshape makes it."
    if wanted == 3:
        return (
            " The layer expects (samples, steps, features): pass return_sequences=True to a recurrent layer before it, "
            "or add an axis with Reshape."
        )
    return ""


def of_size(axis: int, wanted: int, shape: Shape) -> str:
    """Why an axis of an input of a layer has another size than before.

    Args:
        axis: the axis.
        wanted: the size that it must have.
        shape: shape of the input, with the batch axis.
    """
    other = 1 if axis in (-1, len(shape) - 1) else -1
    if len(shape) > 3 and shape[other] == wanted:
        where = "first" if other == 1 else "last"
        return f" The channels seem to come {where}: move their axis with np.moveaxis or Permute."
    return ""


def fits(found: Sequence[int | None], wanted: Shape) -> bool:
    """Whether sizes are as wanted, where None is any size.

    Args:
        found: the sizes there are.
        wanted: the sizes that are expected.
    """
    return len(found) == len(wanted) and all(w in (None, f) for w, f in zip(wanted, found, strict=True))
