"""`Setup`: what `compile` settled for a model, and what a model expects of its data."""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front.training import weighting
from keras_front.training.feed import Slot, Spec
from keras_front.training.objective import Objective, target_shape
from keras_front.training.quick import QuickCalls
from keras_front.training.step import Steps

CATEGORICAL_HINT = (
    " For class numbers as targets compile with loss='sparse_categorical_crossentropy', or make them one-hot "
    "with keras.utils.to_categorical."
)


class Setup:
    """What `compile` was given, and what follows from it once the model has outputs."""

    def __init__(self, arguments: dict[str, Any], dialect: str | None = None):
        self.arguments = arguments
        self.dialect = dialect or config.current_dialect()  # whose conventions hold, also when it is trained later
        self.steps: Steps | None = None
        self.spec: Spec | None = None
        self.outputs: Any = None  # the list of outputs that `steps` was made for

    def __reduce__(self) -> Any:
        return Setup, (self.arguments, self.dialect)  # a copy settles anew: compiled steps belong to one model

    def settle(self, model: Any) -> None:
        """Resolve losses and metrics for the outputs of the model, and collect what is trained."""
        if self.outputs is not model.outputs:
            with config.dialect(self.dialect):
                self._settle(model)

    def _settle(self, model: Any) -> None:
        given = self.arguments
        names = list(model.output_names)
        shapes = [tuple(t.shape) for t in model.outputs]
        objective = Objective(
            names,
            shapes,
            given["loss"],
            given["loss_weights"],
            given["metrics"],
            given["weighted_metrics"],
        )
        modes = weighting.modes(given["sample_weight_mode"], names)
        self.spec = Spec(input_slots(model), target_slots(model, objective), [modes[g.output] for g in objective.goals])
        if model.optimizer is not None:
            model.optimizer.build(model.trainable_weights)
        self.steps = Steps(model, model.trainable_weights, objective, model.optimizer, self.dialect)
        self.outputs = model.outputs
        self.quick = QuickCalls(self.steps, self.spec)


def input_slots(model: Any) -> list[Slot]:
    known = model._is_graph_network
    return [
        Slot(name, tuple(t.shape) if known else None, t.dtype)
        for name, t in zip(model.input_names, model.inputs, strict=True)
    ]


def target_slots(model: Any, objective: Objective) -> list[Slot]:
    slots = []
    for goal in objective.goals:
        output = model.outputs[goal.output]
        hint = CATEGORICAL_HINT if goal.kind == "categorical_crossentropy" else ""
        dtype = None if goal.kind.startswith("sparse") else output.dtype
        slots.append(Slot(goal.name, target_shape(goal, tuple(output.shape)), dtype, hint))
    return slots
