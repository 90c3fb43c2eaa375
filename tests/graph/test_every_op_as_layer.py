"""Every declared op between layers: the numbers of the model after JSON and after the config of a `.keras` archive.

The cases are those of the conformance suite. What is written and read needs no engine, so NumPy will do.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.backend.dispatch import Op
from keras_front.backend.op import OPS
from keras_front.models import Model, model_from_config, model_from_json
from keras_front.nest import flatten
from keras_front.registry import plain
from keras_front.saving import hdf5, keras3
from keras_front.testing import conformance

pytestmark = pytest.mark.filterwarnings("ignore")


def inputs_of(case):
    """The arrays of a case as inputs of fixed shape; the first call of the op with several tensors has a list."""
    given, tensors = [], []
    for array in case.arrays:
        if array is None:
            tensors.append(None)
            continue
        items = array if isinstance(array, list) else [array]
        found = [L.Input(batch_shape=a.shape, dtype=str(a.dtype)) for a in items]
        given += items
        tensors.append(found if isinstance(array, list) else found[0])
    return given, tensors


def usable(case):
    arrays = [a for a in flatten(list(case.arrays)) if a is not None]
    return arrays and all(isinstance(a, np.ndarray) and a.size and a.dtype != "float16" for a in arrays)


def cases():
    for name, held in sorted(conformance.table().items()):
        chosen = [case for case in held if usable(case)][:2] if isinstance(OPS.get(name), Op) else []
        yield from (pytest.param(name, case, id=f"{name}-{i}") for i, case in enumerate(chosen))


@pytest.fixture(autouse=True)
def on_numpy():
    K.reset_uids()
    with K.use_backend("numpy"):
        yield


@pytest.mark.parametrize(("name", "case"), cases())
def test_an_op_is_written_and_read(name, case):
    arrays, tensors = inputs_of(case)
    inputs = flatten([t for t in tensors if t is not None])
    outputs = [t for t in flatten(OPS[name].function(*tensors, **case.attrs)) if t is not None]
    model = Model(inputs, outputs)
    expected = [K.to_numpy(y) for y in flatten(model(arrays))]
    again = [Model.from_config(model.get_config()), model_from_json(model.to_json())]
    as_keras3 = keras3.to_keras3(json.loads(json.dumps(hdf5.model_config(model), default=plain)))
    again.append(model_from_config(json.loads(json.dumps(as_keras3))))
    for copied in again:
        for found, value in zip(flatten(copied(arrays)), expected, strict=True):
            np.testing.assert_allclose(K.to_numpy(found), value, rtol=1e-6, atol=1e-6)
