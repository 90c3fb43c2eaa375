"""Metrics as pure functions of the values of their variables, as Keras 3 has them for JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keras_front import backend as K
from keras_front.backend.state import bind
from keras_front.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_front.backend.state import Variable


class StatelessMetric:
    """The part of a metric that is called with the values of its variables. The other parts have these."""

    if TYPE_CHECKING:  # of the other parts
        name: str
        update_state: Callable[..., Any]
        result: Callable[[], Any]
        reset_states: Callable[[], None]

        @property
        def variables(self) -> list[Variable]: ...

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """`update_state` as a pure function of the values of `variables`.

        Args:
            metric_variables: these values.
            args: as for `update_state`.
            kwargs: the same by name.

        Returns: the new values.
        Raises: ShapeError for a list of another length.
        Source: Keras 3.15, `metrics/metric.py`.
        """
        with self._bound(metric_variables) as frame:
            self.update_state(*args, **kwargs)
            return frame.values_of(self.variables)

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """`result` for values of `variables`.

        Args:
            metric_variables: these values.
        """
        with self._bound(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values of `variables` before any batch."""
        with self._bound([K.convert(v.numpy()) for v in self.variables]) as frame:
            self.reset_states()
            return frame.values_of(self.variables)

    def _bound(self, values: Sequence[Any]) -> Any:
        if len(values) != len(self.variables):
            raise ShapeError(
                f"{self.name}: expected {len(self.variables)} values of variables, received {len(values)}."
            )
        return bind(self.variables, [K.convert(value) for value in values])
