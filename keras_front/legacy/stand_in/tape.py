"""`tf.GradientTape` in steps that a model overrides: gradients of what was computed with symbolic tensors.

A `train_step` is traced, so nothing has to be watched: a loss knows what it was computed from. Outside of such a step
values know nothing of that.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front import nest
from keras_front.errors import StateError


class GradientTape:
    """A block whose results can be differentiated.

    Args:
        persistent: not used: any number of gradients can be asked for.
        watch_accessed_variables: not used.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        pass

    def __enter__(self) -> GradientTape:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def watch(self, tensor: Any) -> None:
        """Nothing: every tensor is watched.

        Args:
            tensor: not used.
        """

    def gradient(self, target: Any, sources: Any, *args: Any, **options: Any) -> Any:
        """The derivatives of a tensor, or of the sum of several.

        Args:
            target: what is differentiated.
            sources: tensors and variables, in any structure.
            args: not used.
            options: not used.

        Returns: a tensor for each source, in the same structure; None where nothing depends on it.
        Raises: StateError outside of a step that is traced.
        """
        targets = nest.flatten(target)
        if not any(map(K.is_symbolic, targets)):
            raise StateError(
                "tf.GradientTape: expected a loss that was computed in `train_step` of a model, which `fit` traces, "
                "received a value. Write the step there, or use `K.value_and_grad(fn, weights)`; with TensorFlow "
                "installed and as backend, its own tape is used."
            )
        total = sum(K.sum(part) for part in targets)
        found = iter(K.gradients(total, nest.flatten(sources)))
        return nest.map_structure(lambda _: next(found), sources)
