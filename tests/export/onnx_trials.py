"""How cases of ops and layers are written as ONNX, run by ONNX Runtime, and compared with the NumPy backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime

from keras_front import applications, nest
from keras_front import backend as K
from keras_front.backend.op import OPS
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import KerasFrontError, SerializationError
from keras_front.export.onnx import OnnxModel, build, record
from keras_front.export.onnx.emitter import DEFAULT
from keras_front.export.onnx.file import onnx_model
from keras_front.models import Model
from keras_front.testing import layer_subject
from keras_front.testing.case import Case
from keras_front.testing.layer_case import LayerCase

onnxruntime.set_default_logger_severity(4)


class Outcome(NamedTuple):
    """What became of a case.

    Attributes:
        difference: the largest difference, relative to 1 or to the number; None where nothing was written.
        operators: those of the graph, bodies of loops included.
        refused: why it was not written.
        model: what was written.
    """

    difference: float | None = None
    operators: frozenset[str] = frozenset()
    refused: str = ""
    model: OnnxModel | None = None


def run(made: OnnxModel, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of ONNX Runtime, after the checker has found nothing."""
    onnx.checker.check_model(made.proto, full_check=True)
    session = onnxruntime.InferenceSession(made.proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(made.inputs, arrays, strict=True)))


def difference(got: Sequence[Any], want: Sequence[Any]) -> float:
    """The largest difference; infinite where shapes, dtypes, NaN or infinities differ."""
    worst = 0.0
    for a, b in zip(map(np.asarray, got), map(np.asarray, want), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return float("inf")
        a, b = a.astype("float64"), b.astype("float64")
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        with np.errstate(invalid="ignore"):
            off = np.where(same, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(b)))
        worst = max([worst, *np.where(np.isnan(off), np.inf, off).ravel()])
    return float(worst)


def operators(graph: Any) -> frozenset[str]:
    """The operators of a graph, bodies included."""
    inner = [a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return frozenset(node.op_type for node in graph.node).union(*map(operators, inner))


# Ops -----------------------------------------------------------------------------------------------------------


def op_outcome(op: str, case: Case, unknown: bool = False, opset: int = DEFAULT) -> Outcome:
    """A case of the conformance suite, in float32 where the case has float64.

    Args:
        op: the name of the op.
        case: the call.
        unknown: whether no size of the arguments is known.
        opset: the version of ONNX's operators.
    """
    arguments = [_each(a, _single) for a in case.arrays]
    arrays = nest.flatten([a for a in arguments if a is not None])
    leaves = [SymbolicTensor(tuple(None if unknown else n for n in a.shape), str(a.dtype)) for a in arrays]

    def function(*given: Any) -> list[Any]:
        items = iter(given)
        return _results(op, [_each(a, lambda _: next(items)) for a in arguments], case)

    try:
        made = build(record(function, leaves, opset), opset=opset)
    except SerializationError as error:
        return Outcome(refused=str(error))
    with K.use_backend("numpy"):
        want = [K.to_numpy(t) for t in _results(op, [_each(a, K.convert) for a in arguments], case)]
    got = run(made, arrays)
    if case.view is not None:
        got, want = [case.view(got)], [case.view(want)]
    return Outcome(difference(got, want), operators(made.proto.graph), "", made)


def _single(array: Any) -> np.ndarray:
    array = np.asarray(array)
    return array.astype("float32") if array.dtype == np.float64 else array


def _each(argument: Any, fn: Any) -> Any:
    if argument is None:
        return None
    return [fn(a) for a in argument] if isinstance(argument, list) else fn(argument)


def _results(op: str, arguments: Sequence[Any], case: Case) -> list[Any]:
    return [t for t in nest.flatten(OPS[op].function(*arguments, **case.attrs)) if t is not None]


# Layers --------------------------------------------------------------------------------------------------------


def layer_outcome(
    case: LayerCase, known: bool = True, opset: int = DEFAULT, batches: Sequence[int] = (3, 1)
) -> Outcome:
    """A case of the layer suite, as a model of one layer.

    Args:
        case: the layer and its inputs.
        known: whether the model is given every size but that of the batch, or only those that it cannot do without.
        opset: the version of ONNX's operators.
        batches: the sizes of the batches on which it is compared.
    """
    with K.use_backend("numpy"):
        inputs = layer_subject.symbols(case, known)
        layer = case.make()
        outputs = layer(layer_subject.one(inputs))
        layer_subject.spread(layer)
        model = Model(list(inputs), outputs)
        try:
            made = onnx_model(model, opset)
        except KerasFrontError as error:
            return Outcome(refused=str(error))
        worst = 0.0
        for batch in batches:
            arrays = layer_subject.values(case, batch)
            want = model.predict(arrays if len(arrays) > 1 else arrays[0], batch_size=batch)
            worst = max(worst, difference(run(made, arrays), want if isinstance(want, list) else [want]))
    return Outcome(worst, operators(made.proto.graph), "", made)


def small_application(name: str) -> Model:
    """A model of `keras_front.applications` with random weights, and the smallest images of a few that it takes."""
    make = getattr(applications, name)
    for size in (32, 75, 224, None):
        try:
            return make(weights=None, **({} if size is None else {"input_shape": (size, size, 3), "classes": 7}))
        except (ValueError, TypeError):
            continue
    raise LookupError(f"{name} takes none of the inputs that were tried.")


def application_outcome(name: str) -> tuple[Model, Outcome, float]:
    """A model of `keras_front.applications`, and what becomes of it for two images.

    With random weights the classes are nearly equally probable, which would hide a fault; so what the last layer
    is given is compared as well. Differences are relative to the largest number.

    Returns: the model, the outcome, and by how much the model's own outputs differ when its images are changed in the
        last places: some very deep nets are chaotic before they are trained. 0 where the outcome needs no excuse.
    """
    with K.use_backend("numpy"):
        model = small_application(name)
        both = Model(model.inputs, [model.layers[-1].input, model.output])
        made = onnx_model(both)
        x = np.random.default_rng(0).normal(size=(2, *(n or 64 for n in model.input_shape[1:]))).astype("float32")
        want = both.predict(x)
        found = _relative(run(made, [x]), want)
        own = _relative(both.predict(x * np.float32(1 + 1e-6)), want) if found >= 1e-4 else 0.0
    return model, Outcome(found, frozenset(), "", made), own


def _relative(got: Sequence[Any], want: Sequence[Any]) -> float:
    """The difference relative to the largest number of each array."""
    scales = [np.abs(b).max() for b in want]
    return difference([a / s for a, s in zip(got, scales)], [b / s for b, s in zip(want, scales)])
